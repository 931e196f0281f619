/* SPDX-License-Identifier: Apache-2.0
 *
 * A file below a root, opened to be read, and what its manifest says of it. Only regular files are opened: no FIFO, no
 * device, no socket, no link.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "ship/manifest.h"

enum { ROOT_OBJECT_ETAG_MAX = 216 };

struct root_object {
    int fd;
    uint64_t size;
    int64_t modified_ns;
    char etag[ROOT_OBJECT_ETAG_MAX]; /* strong, with its quotes */
    bool described;                  /* there is a manifest beside it, of an object of this size */
    bool sure;                       /* and it is not older than the file: its digests are this version's */
    bool is_manifest;                /* it is itself one */
    struct manifest manifest;        /* if described */
};

/* 0; -ENOENT (also for what is hidden), -EISDIR, -EACCES, -ENXIO: no regular file; other -errno. */
int root_object_open(int root_fd, const char *key, struct root_object *ret);
void root_object_done(struct root_object *o);

/* The entity tag alone, without opening the file: of what was listed. */
void root_object_etag(int root_fd, const char *key, char ret[ROOT_OBJECT_ETAG_MAX]);

/* Logs why a file or folder is not served, where that is the server's: its mode, its type, an I/O error. */
void root_object_report(const char *key, int result);
