/* SPDX-License-Identifier: Apache-2.0
 *
 * The process of a cgroup with the most memory, which the kernel would most likely kill.
 */
#pragma once

#include <sys/types.h>

/* By resident memory, without processes of child cgroups. cgroup: a descriptor of its folder. Returns 0 if it has no
 * process. */
pid_t largest_process(int cgroup);
