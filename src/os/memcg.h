/* SPDX-License-Identifier: Apache-2.0
 *
 * A process's memory cgroup, v1 or v2, as the process itself sees it mounted: reads, and changes nothing.
 */
#pragma once

#include <stdint.h>

#include "os/proc.h"

/* A descriptor of its folder; -ENOENT where the process doesn't see it. */
int memcg_open(const struct proc *p);

/* How much more its processes may use before the kernel has to kill: the limit less what is used, where cached pages
 * of files don't count as used. UINT64_MAX without a limit. Limits further up are not seen. -errno. */
int memcg_room(int fd, uint64_t *ret_bytes);
