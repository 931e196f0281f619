/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel's numbers on a process's memory and its cgroup, as one JSON document (schema salvage.memstats/1): the
 * smallest evidence, made in milliseconds while the process runs on. Neither attaches nor stops anything.
 */
#pragma once

#include "base/err.h"
#include "linux/proc.h"

/* Appends to ret. cgroup: a descriptor of the memory cgroup's folder; -1: unknown. What can't be read is left out:
 * for a process that has ended (also fd -1: it never existed) everything but its id, while the cgroup's numbers
 * remain. proc_root: "/proc" but in tests. 0, -ESRCH if the process has ended and there is no cgroup, -ENOMEM. */
int memstats_read(const char *proc_root, const struct proc *p, int cgroup, struct buf *ret, struct err *e);
