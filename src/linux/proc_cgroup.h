/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads a process's /proc/PID/cgroup and mountinfo, which linux/cgroup.h and linux/mountinfo.h parse. procfd: a
 * descriptor of /proc/PID.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "linux/mountinfo.h"

/* /proc/PID/cgroup. 0, -ESRCH or -ENOENT if the process has ended, other -errno. */
int proc_cgroup(int procfd, struct buf *ret);

/* The path of its memory cgroup (cgroup_memory_path). malloc'ed; NULL if it has none, or can't be read. */
char *proc_memory_cgroup(int procfd, bool *ret_v2);

/* The text of /proc/PID/mountinfo; and each mount, as mountinfo_each. -errno if it can't be read. */
int proc_mountinfo(int procfd, struct buf *ret);
int proc_each_mount(int procfd, int (*fn)(void *ctx, const struct mount *m), void *ctx);
