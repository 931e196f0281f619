/* SPDX-License-Identifier: Apache-2.0
 *
 * The CPU limit of this process's cgroups (cpu.max of cgroup v2, cpu.cfs_quota_us of v1): more threads than that would
 * only be throttled more often.
 */
#pragma once

/* The lowest limit of our cgroup and those above it, in thousandths of a CPU; 0: none, or none is visible. root is "/"
 * except in tests. */
unsigned cpulimit_get(const char *root);
