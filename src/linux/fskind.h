/* SPDX-License-Identifier: Apache-2.0
 *
 * What a file system can be trusted with. On network file systems inotify misses other hosts' writes and leases do
 * not hold: there we scan and wait for rest.
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
