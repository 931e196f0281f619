/* SPDX-License-Identifier: Apache-2.0
 *
 * How much processor time the cgroups of this process let it use (cpu.max of cgroup v2, cpu.cfs_quota_us of v1): more
 * threads than that would only be stopped more often.
 */
#pragma once

/* The least limit of our cgroup and those above it, in thousandths of a processor; 0: none, or none to be seen. root is
 * "/" but in tests. */
unsigned cpulimit_get(const char *root);
