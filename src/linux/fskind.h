/* SPDX-License-Identifier: Apache-2.0
 *
 * Local or network file system. On network file systems inotify misses writes of other hosts, and leases do not work:
 * there we scan, and wait until size and mtime are at rest.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct fskind {
    bool network;
    const char *name; /* "nfs", "cifs", "ceph", "fuse" …; "local" */
    uint64_t free_bytes;
};

int fskind_get(int fd, struct fskind *ret);     /* -errno */
struct fskind fskind_of_magic(uint64_t f_type); /* free_bytes is 0 */
