/* SPDX-License-Identifier: Apache-2.0
 *
 * Single blobs of a container. The service compares a body with its Content-MD5 before it takes it (Put Blob, Put
 * Block); the SHA-256 lies in the blob's metadata.
 */
#pragma once

#include "store/az/az_call.h"

enum { AZ_MD5_SIZE = 25 };

/* base64 of the MD5; "" in FIPS mode, where there is none. Returns out. */
const char *az_md5(const void *data, size_t size, char out[AZ_MD5_SIZE]);

struct az_put {
    const char *key, *content_type;
    const void *data;
    size_t size;
    const char *sha256; /* hex */
    bool fresh;         /* only if there is no such blob: -FAULT_EXISTS */
    bool readable;      /* at once, in whatever tier evidence is stored */
};
int az_put(struct az *s, const struct az_put *p, const struct request_patience *patience, struct err *e);

/* -FAULT_NO_OBJECT … */
int az_stat(struct az *s, const char *key, const struct request_patience *patience, struct object_info *ret,
            struct err *e);

int az_remove(struct az *s, const char *key, struct err *e);                                /* as sink_ops.remove */
int az_read(struct az *s, const struct object_reader *reader, struct err *e);               /* as sink_ops.read */
int az_load(struct az *s, struct http *h, const char *key, struct buf *ret, struct err *e); /* as sink_ops.load */

/* As sink_ops.list. folder: only what is directly in it. */
struct az_list {
    const char *prefix;
    bool folder;
    int (*fn)(void *ctx, const struct sink_listing_entry *entry);
    void *ctx;
};
int az_list(struct az *s, const struct az_list *what, struct err *e);
