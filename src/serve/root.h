/* SPDX-License-Identifier: Apache-2.0
 *
 * Files below a root, by key: no link and no '..' leads out of it (openat2, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
 * RESOLVE_NO_MAGICLINKS). What begins with a '.' is hidden, at any depth: our state folders, and what its owner did not
 * mean to show.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/* A descriptor (O_CLOEXEC), or -errno; -ENOENT for what is hidden. flags as for open(2), without O_CREAT. key "": the
 * root itself; a '/' at its end is ignored. */
int root_open(int root_fd, const char *key, int flags);

/* Whether a part of the key begins with a '.': no such key is served or listed. */
bool root_hides(const char *key);

/* A file's time as ns since 1970. Anybody may set it to years that such a number can't count: those are the last it
 * can.
 */
int64_t root_time_ns(const struct timespec *t);
