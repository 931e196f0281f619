/* SPDX-License-Identifier: Apache-2.0
 *
 * A process's memory cgroup from /proc/PID/cgroup (cgroups(7)) and /proc/PID/mountinfo (proc(5)), and what its files
 * say: memory.events (v2, Documentation/admin-guide/cgroup-v2.rst) and memory.oom_control (v1).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct cgroup_place {
    char *path; /* owned: the cgroup's folder where it is mounted, "/sys/fs/cgroup/memory/docker/…" */
    bool v2;
};

/* Both texts end with NUL. Where v1 has the memory controller, v1 is meant, though v2 may be mounted, too. 0, -ENOENT
 * where it is not to be seen (not mounted, or outside of what is), -ENOMEM. */
int cgroup_place(const char *cgroup, const char *mountinfo, struct cgroup_place *ret);
void cgroup_place_done(struct cgroup_place *p);

/* The number in the line "NAME N" of a file of such lines: memory.stat, memory.events, memory.oom_control. 0 or
 * -EINVAL.
 */
int cgroup_counter(const char *text, const char *name, uint64_t *ret);

/* A file of one number of bytes; "max" is UINT64_MAX, and so is what v1 says for no limit. 0 or -EINVAL. */
int cgroup_bytes(const char *text, uint64_t *ret);

/* How many processes of the cgroup the kernel has killed for want of memory, from memory.events or memory.oom_control
 * (v1 since Linux 4.13). 0 or -EINVAL. */
int cgroup_oom_kills(const char *text, uint64_t *ret);
