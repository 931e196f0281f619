/* SPDX-License-Identifier: Apache-2.0
 *
 * The volume that a folder is on, and its size if it can be known. For a folder on a larger disk (an emptyDir, a
 * hostPath, a container's layer) statfs(2) shows the disk, and only the kubelet knows the folder's limit.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct volume {
    uint64_t dev;
    bool own; /* statfs shows the volume's own size: a tmpfs, or a file system that is mounted as a whole */
};

/* fd: a folder (O_PATH is enough). 0 or -errno. */
int volume_get(int fd, struct volume *ret);

/* Whether a mount is a volume: a whole file system, and not the root folder. */
bool volume_is_own_mount(const char *root, const char *point, const char *type);

/* Total bytes (0: unknown), and bytes available to us. 0 or -errno. */
int volume_space(int fd, uint64_t *ret_size, uint64_t *ret_free);
int volume_space_at(const char *folder, uint64_t *ret_size, uint64_t *ret_free);
