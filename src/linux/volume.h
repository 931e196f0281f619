/* SPDX-License-Identifier: Apache-2.0
 *
 * The volume that a folder lies on: how large it is, where that can be known at all. statfs(2) of a folder that is a
 * part of a larger disk (an emptyDir, a hostPath, a container's own layer) shows the disk: what the folder may hold is
 * then known to the kubelet alone.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct volume {
    uint64_t dev;
    bool own; /* its size is its own: a tmpfs, or a file system that is mounted there as a whole */
};

/* Of an open folder (O_PATH will do). -errno. */
int volume_get(int fd, struct volume *ret);

/* Whether a mount shows a file system as a whole, and one that is a volume: not the root folder's. */
bool volume_is_own_mount(const char *root, const char *point, const char *type);

/* Bytes in all (0: it says nothing), and free for us. -errno. */
int volume_space(int fd, uint64_t *ret_size, uint64_t *ret_free);
int volume_space_at(const char *folder, uint64_t *ret_size, uint64_t *ret_free);
