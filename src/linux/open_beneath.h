/* SPDX-License-Identifier: Apache-2.0
 *
 * Opens a path with a folder as its root: absolute links and ".." cannot leave the folder, even if a process changes
 * the tree meanwhile. Works on kernels without openat2(2) (before Linux 5.6), and in containers that forbid it.
 */
#pragma once

#include <sys/types.h>

/* base: a descriptor of the folder. Returns a descriptor with O_CLOEXEC; -ELOOP, or -errno as of openat(2). */
int open_beneath(int base, const char *path, int flags, mode_t mode);

/* The same without openat2(2); the fallback of open_beneath. */
int open_beneath_walk(int base, const char *path, int flags, mode_t mode);
