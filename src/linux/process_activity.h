/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a process does anything at all. One that is stopped, or hangs in a file system that does not answer, uses no
 * processor time, and none of its threads goes to sleep any more; one that waits for a peer wakes up now and then.
 * Readable for everybody, also of a process that is not dumpable.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/* A number that changes when the process moves. root is "/proc" but in tests. -errno: it is gone, or there is no /proc.
 */
int activity_get(const char *root, pid_t pid, uint64_t *ret);
