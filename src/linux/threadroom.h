/* SPDX-License-Identifier: Apache-2.0
 *
 * How many more threads a process can start, by every limit that makes pthread_create(3) fail: pids.max of its cgroup
 * and of each one above it (v1 and v2), RLIMIT_NPROC of its user, kernel.threads-max and kernel.pid_max, and for the
 * new stack RLIMIT_AS and vm.max_map_count. Reads /proc and cgroupfs, and changes nothing.
 *
 * Limits that are invisible here are not counted: cgroups above the root of our cgroup namespace, processes of the same
 * user in other pid namespaces.
 */
#pragma once

#include <stdint.h>

#include "linux/proc.h"

enum { THREADROOM_WHAT_MAX = 300 };

/* The limit with the least room. */
struct threadroom {
    uint64_t used, limit;           /* in the unit of the limit; limit UINT64_MAX: there is none */
    uint64_t room;                  /* threads */
    char what[THREADROOM_WHAT_MAX]; /* "pids.max of /sys/fs/cgroup/pids/kubepods/x" */
};

/* By pids.max only. */
void threadroom_of_cgroups(const struct proc *p, struct threadroom *ret);

/* root is "/proc" except in tests. */
void threadroom_get(const char *root, const struct proc *p, struct threadroom *ret);
