/* SPDX-License-Identifier: Apache-2.0
 *
 * Opens a path below a folder that stands for the root: absolute links and ".." lead nowhere else, even if a process
 * changes the tree meanwhile. For kernels without openat2(2) (before Linux 5.6) and container runtimes that forbid it.
 */
#pragma once

#include <sys/types.h>

/* base: a descriptor of the folder. Descriptor with O_CLOEXEC; -ELOOP, or -errno as openat(2). */
int beneath_open(int base, const char *path, int flags, mode_t mode);

/* The same by hand, which beneath_open falls back to. */
int beneath_walk(int base, const char *path, int flags, mode_t mode);
