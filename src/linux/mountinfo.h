/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The mounts of a process from /proc/PID/mountinfo (proc(5)): which part of which file system is mounted
 * where.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct mount {
    uint64_t id;
    unsigned major, minor; /* of the file system's device */
    const char *root;      /* the part of the file system that is mounted: "/", or a folder for a bind mount */
    const char *point;     /* where it is mounted, as the process sees it */
    const char *type;      /* "ext4"; "" if the line is cut */
    const char *options;   /* of the file system, separated by commas: "rw,memory"; "" likewise */
};

/* Calls fn for every mount, in order: a later mount covers an earlier one at the same point. Names are unescaped, and
 * borrowed for the call. Malformed lines are skipped. fn returns 0, or a result that ends the walk and is returned.
 * -ENOMEM. */
int mountinfo_each(const char *text, size_t size, int (*fn)(void *ctx, const struct mount *m), void *ctx);

/* The rest of `path` below `folder`, with a '/' in front; "" for the folder itself, NULL if path is not below it. Both
 * are absolute, without a trailing '/' (except "/"). */
const char *mountinfo_below(const char *path, const char *folder);
