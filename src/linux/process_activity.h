/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a process makes progress. A process that is stopped, or hangs in a file system that does not answer, uses no
 * CPU time, and none of its threads switches context; one that waits for a peer wakes up now and then. Readable by
 * every user, also for a process that is not dumpable.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/* A number that changes while the process makes progress. root is "/proc" except in tests. -errno: the process has
 * ended, or there is no /proc. */
int process_activity_get(const char *root, pid_t pid, uint64_t *ret);
