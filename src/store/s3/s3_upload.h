/* SPDX-License-Identifier: Apache-2.0
 *
 * One object on its way to S3, shared between the file that sends its parts (s3_upload.c) and the one that ends it
 * (s3_commit.c). For these two alone; the contract is sink_ops (store/sink.h).
 */
#pragma once

#include <stdatomic.h>

#include "store/s3/s3_multipart.h"
#include "store/s3/s3_object.h"
#include "store/upload_flight.h"

enum {
    S3_PART_MIN = 5 * 1024 * 1024, /* but for the last (S3 User Guide, "Multipart upload limits") */
    S3_PARTS_MAX = 10000
};
#define S3_PART_MAX (5ull << 30)

struct upload {
    struct s3 *s3;
    const struct object *object; /* the caller's */
    struct upload_flight flight;
    enum s3_checksum checksum; /* of its parts, all alike; not NONE */
    atomic_bool checks;        /* the store has shown that it compares it: the signature need not hold the body */

    /* The caller's thread alone. */
    char *token;             /* the upload's id; NULL before the first of several parts */
    struct part *single;     /* a small object, held back until commit: it would be visible at once */
    uint64_t size;           /* bytes in parts so far */
    unsigned count;          /* parts so far, without an empty last one */
    char md5[33];            /* of a small object; "" in FIPS mode */
    char etag[S3_ETAG_SIZE]; /* of the whole, as answered to the request that made it visible; "" */

    /* With the flight's lock. */
    char **part_etags; /* of parts 1 … count, as s3_part_etag.h writes them; NULL while a part is on its way */
    size_t capacity;
    bool encrypted; /* an answer said so: the ETag of the whole is no MD5 */
};

int s3_upload_new(struct s3 *s, const struct upload_start *start, struct upload **ret, struct err *e);
int s3_upload_write(struct upload *u, struct part *p, struct err *e);
void s3_upload_abort(struct upload *u);
void s3_upload_free(struct upload *u);

int s3_upload_commit(struct upload *u, const struct whole *w, struct err *e);
int s3_upload_verify(struct upload *u, const struct whole *w, bool read, struct err *e);
