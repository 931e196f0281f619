/* SPDX-License-Identifier: Apache-2.0
 *
 * What the kernel says of a process's memory and of its cgroup's, as one JSON document (schema salvage.memstats/1): the
 * smallest evidence, made in milliseconds, while the process runs on. Asks nobody, stops nobody.
 */
#pragma once

#include "base/err.h"
#include "linux/proc.h"

/* Appends to ret. cgroup: a descriptor of the memory cgroup's folder; -1: unknown. What can't be read is left out: of a
 * process that has ended (fd -1: it was not there) all but its id, and the cgroup's own numbers are there all the same.
 * proc_root: "/proc" but in tests. 0, -ESRCH if the process has ended and there is no cgroup, -ENOMEM. */
int memstats_read(const char *proc_root, const struct proc *p, int cgroup, struct buf *ret, struct err *e);
