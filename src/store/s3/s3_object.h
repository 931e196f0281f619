/* SPDX-License-Identifier: Apache-2.0
 *
 * Single objects in an S3 store: asking for one, putting a small one, reading one; and the check whether the store has
 * stored what we sent. Knows nothing of multipart uploads.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "store/s3/s3_call.h"
#include "store/s3/s3_checksum.h"
#include "store/s3/s3_part_etag.h"

/* Bytes to send, and their digests, each computed once, when it is first asked for. data is borrowed. */
struct s3_body {
    const void *data;
    size_t size;
    char sha256[65]; /* hex; all "" until then */
    char sum[S3_CHECKSUM_END][S3_CHECKSUM_MAX];
    char md5[33], md5_base64[25];
};
int s3_body_sha256(struct s3_body *b);      /* 0 or -ENOMEM */
const char *s3_body_md5(struct s3_body *b); /* hex, "" in FIPS mode */

/* What the store compares a body with: the signature's SHA-256, unless that is left out, and a checksum. */
struct s3_protection {
    bool is_unsigned;
    enum s3_checksum checksum;
};
unsigned s3_protection_lacks(const struct s3_protection *p); /* for s3_learn */

/* Makes it the call's body, with the digests that the store is to check. 0 or -ENOMEM. */
int s3_send_body(const struct s3 *s, struct s3_call *c, struct s3_body *b, const struct s3_protection *p,
                 struct err *e);

/* For s3_call.check: does the answer to a PUT confirm the body? By its x-amz-checksum-*, else by an ETag that is the
 * MD5. -FAULT_CORRUPT, -FAULT_FORMAT. */
struct s3_confirmation {
    const struct s3 *s3;
    struct s3_body *body;
    enum s3_checksum checksum; /* that was sent */
    const char *key;
    struct s3_part_etag etag; /* out */
    bool checked;             /* out: false if the store gave nothing to compare */
    bool encrypted;           /* out: by a customer's key, so that the ETag is no MD5 */
    bool differs;             /* out: the ETag is not the MD5, and nothing was said of encryption: a HEAD may say it */
};
int s3_confirm(void *confirmation, const struct http_answer *a, struct err *e);

struct s3_head {
    uint64_t size;
    int64_t modified_ns;         /* 0: not given */
    char etag[S3_ETAG_SIZE];     /* "" if there is none */
    char sha256[65];             /* our own metadata; "" */
    char checksum[S3_WHOLE_MAX]; /* the one asked for, of the whole or of its parts; "" */
    bool encrypted;              /* by a key of the store's customer: the ETag is no MD5 */
};
/* Of which object, and what is asked for. */
struct s3_subject {
    const char *key;
    enum s3_checksum checksum; /* takes kms:Decrypt where objects are encrypted; NONE: not asked for */
    const struct request_patience *patience;
};
/* -FAULT_NO_OBJECT, -FAULT_NO_BUCKET …. */
int s3_head(struct s3 *s, const struct s3_subject *subject, struct s3_head *ret, struct err *e);

struct s3_put {
    const char *key, *content_type;
    struct s3_body *body;
    bool readable; /* at once, in whatever class evidence is stored */
    bool fresh;    /* only if there is no such object: -FAULT_EXISTS, where the store knows If-None-Match */
};
int s3_put(struct s3 *s, const struct s3_put *p, const struct request_patience *patience, struct s3_confirmation *ret,
           struct err *e);

/* As sink_ops.read. */
int s3_read(struct s3 *s, const struct object_reader *reader, struct err *e);

/* As sink_ops.load, over h. */
int s3_load(struct s3 *s, struct http *h, const char *key, struct buf *ret, struct err *e);
