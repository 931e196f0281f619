/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. A process's memory cgroup from /proc/PID/cgroup (cgroups(7)) and /proc/PID/mountinfo (proc(5)), and
 * what its files say: memory.events (v2, Documentation/admin-guide/cgroup-v2.rst) and memory.oom_control (v1).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A line of /proc/PID/cgroup, "4:cpu,memory:/docker/...": spans of the text, not strings. */
struct cgroup_entry {
    bool unified; /* "0::/...": v2's */
    const char *controllers;
    size_t controllers_size;
    const char *path;
    size_t path_size;
};

/* The next line that has all its parts; *text and *size move behind it. False at the end. */
bool cgroup_next(const char **text, size_t *size, struct cgroup_entry *ret);

/* Whether a word is in a list whose words are parted by commas, as the options of a mount are. */
bool cgroup_list_has(const char *list, size_t size, const char *word);
bool cgroup_has_controller(const struct cgroup_entry *entry, const char *name);

/* The path of its memory cgroup in that hierarchy, of a text that ends with NUL. malloc'ed; NULL if it has none, or for
 * want of memory. */
char *cgroup_memory_path(const char *cgroup, bool *ret_v2);

struct cgroup_place {
    const char *path; /* the cgroup's folder where it is mounted, "/sys/fs/cgroup/memory/docker/..."; for the call */
    bool v2;
    uint64_t mount; /* the mount's id: whether what is opened there is that mount, or something laid over it */
};

/* Where a process's memory cgroup is to be seen, mount by mount: both texts end with NUL and are read by the same
 * process, for cgroups are named relative to the reader's own namespace. Where v1 has the memory controller, v1 is
 * meant, though v2 may be mounted, too. fn returns 0, or else what ends it. 0 when no mount shows it, -ENOENT if the
 * process has no such cgroup, -ENOMEM. home: where the root of the reader's namespace is in the hierarchy
 * ("/kubepods/pod1/app"), for names that climb out of it; NULL: not known, and then only those are found that climb as
 * far as a mount does. */
int cgroup_each_place(const char *cgroup, const char *mountinfo, const char *home,
                      int (*fn)(void *ctx, const struct cgroup_place *p), void *ctx);

/* How many times "/.." stands at the front of a name of a cgroup. */
unsigned cgroup_climb(const char *path);

/* A line "NAME N", or "Name:  N kB" of /proc, the number then in bytes. */
struct cgroup_line {
    const char *name; /* into the text */
    size_t name_size;
    uint64_t value;
};

/* The next of them; *at moves behind it, lines of another form are passed over. False: there are no more. */
bool cgroup_next_line(const char **at, struct cgroup_line *ret);

/* The number in the line "NAME N" of a file of such lines: memory.stat, memory.events, memory.oom_control. 0 or
 * -EINVAL.
 */
int cgroup_counter(const char *text, const char *name, uint64_t *ret);

/* A file of one number of bytes; "max" is UINT64_MAX, and so is what v1 says for no limit. 0 or -EINVAL. */
int cgroup_bytes(const char *text, uint64_t *ret);

/* v1's number for no limit as UINT64_MAX, others as they are. */
uint64_t cgroup_limit(uint64_t bytes);

/* What has happened to a cgroup so far: counters of v2's memory.events, of v1's memory.oom_control the last one (since
 * Linux 4.13) and its two states. What a kernel doesn't count is 0. */
struct cgroup_events {
    uint64_t low, high, max, oom, oom_kill, oom_group_kill, oom_kill_disable, under_oom;
};

/* Text of either file. 0, or -EINVAL if it has no oom_kill (ret untouched). */
int cgroup_events(const char *text, struct cgroup_events *ret);
