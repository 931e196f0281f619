/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. A process's memory cgroup from /proc/PID/cgroup (cgroups(7)) and /proc/PID/mountinfo (proc(5)), and
 * its files memory.events (v2, Documentation/admin-guide/cgroup-v2.rst) and memory.oom_control (v1).
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

/* The next well-formed line; *text and *size move past it. False at the end. */
bool cgroup_next(const char **text, size_t *size, struct cgroup_entry *ret);

/* Whether a word is in a comma-separated list, such as the options of a mount. */
bool cgroup_list_has(const char *list, size_t size, const char *word);
bool cgroup_has_controller(const struct cgroup_entry *entry, const char *name);

/* The path of the memory cgroup in its hierarchy, from the text of /proc/PID/cgroup. malloc'ed; NULL if there is none,
 * or without memory. */
char *cgroup_memory_path(const char *cgroup, bool *ret_v2);

struct cgroup_place {
    const char *path; /* the cgroup's folder where it is mounted, "/sys/fs/cgroup/memory/docker/..."; for the call */
    bool v2;
    uint64_t mount; /* the mount's id: to recognise another mount on top of it */
};

/* Calls fn for each mount that shows a process's memory cgroup. Both texts must have been read by one process, because
 * paths of cgroups are relative to the reader's cgroup namespace. If v1 has the memory controller, v1 is used even if
 * v2 is mounted, too. fn returns 0, or a result that ends the search and is returned. 0 if no mount shows it, -ENOENT
 * if the process has no such cgroup, -ENOMEM. home: the path of the reader's cgroup namespace root in the hierarchy
 * ("/kubepods/pod1/app"), for paths that begin with "/.."; NULL: unknown, and then only paths that climb as far as a
 * mount's root are found. */
int cgroup_each_place(const char *cgroup, const char *mountinfo, const char *home,
                      int (*fn)(void *ctx, const struct cgroup_place *p), void *ctx);

/* The number of leading "/.." in the path of a cgroup. */
unsigned cgroup_climb(const char *path);

/* A line "NAME N", or "Name:  N kB" of /proc, the number then in bytes. */
struct cgroup_line {
    const char *name; /* into the text */
    size_t name_size;
    uint64_t value;
};

/* The next line; *at moves past it, lines of another form are skipped. False at the end. */
bool cgroup_next_line(const char **at, struct cgroup_line *ret);

/* The number in the line "NAME N" of a file of such lines: memory.stat, memory.events, memory.oom_control. 0 or
 * -EINVAL.
 */
int cgroup_counter(const char *text, const char *name, uint64_t *ret);

/* Parses a file with one number of bytes; "max", and v1's number for no limit, is UINT64_MAX. 0 or -EINVAL. */
int cgroup_bytes(const char *text, uint64_t *ret);

/* UINT64_MAX for v1's number for no limit; other numbers unchanged. */
uint64_t cgroup_limit(uint64_t bytes);

/* The counters of v2's memory.events, or of v1's memory.oom_control: oom_kill (since Linux 4.13) and its two states.
 * Counters that a kernel doesn't have are 0. */
struct cgroup_events {
    uint64_t low, high, max, oom, oom_kill, oom_group_kill, oom_kill_disable, under_oom;
};

/* Parses either file. 0, or -EINVAL if it has no oom_kill (ret untouched). */
int cgroup_events(const char *text, struct cgroup_events *ret);
