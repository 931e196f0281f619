/* SPDX-License-Identifier: Apache-2.0
 *
 * How often the kernel has killed for memory in our own cgroup: a counter to be read twice and compared.
 */
#pragma once

#include <stdint.h>

/* A descriptor of our memory cgroup's folder, from /proc/self below root ("/" but in tests); -ENOENT where it is not
 * to be seen, -errno. */
int oomkills_open(const char *root);

/* The counter now. 0, or -errno where there is none (fd may be negative). */
int oomkills_read(int fd, uint64_t *ret);
