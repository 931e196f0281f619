/* SPDX-License-Identifier: Apache-2.0
 *
 * The process of a cgroup with the most memory: whom the kernel would most likely kill.
 */
#pragma once

#include <sys/types.h>

/* By resident memory; those of groups below are not counted. cgroup: a descriptor of its folder. 0: no process. */
pid_t largest_process(int cgroup);
