/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The mounts of a process as /proc/PID/mountinfo lists them (proc(5)): which part of which file system
 * is seen where.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct mount {
    uint64_t id;
    unsigned major, minor; /* of the file system's device */
    const char *root;      /* what of the file system is mounted: "/", or a folder of it for a bind mount */
    const char *point;     /* where, as the process sees it */
    const char *type;      /* "ext4"; "" where the line ends before */
    const char *options;   /* of the file system itself, parted by commas: "rw,memory"; "" likewise */
};

/* Every mount, in order, so that a later one lies over an earlier one at the same point; names unescaped, borrowed for
 * the call. Lines that are not as the kernel writes them are passed over. fn returns 0, or else what ends it. -ENOMEM.
 */
int mountinfo_each(const char *text, size_t size, int (*fn)(void *ctx, const struct mount *m), void *ctx);

/* What of `path` lies below `folder`, with its '/' in front; "" for the folder itself, NULL if it does not. Both are
 * absolute, without a '/' at the end ("/" but for the root). */
const char *mountinfo_below(const char *path, const char *folder);
