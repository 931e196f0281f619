/* SPDX-License-Identifier: Apache-2.0
 *
 * An S3 store's confirmation of a part (ETag, checksum), as text for the journal; and what follows from all of them:
 * the body of CompleteMultipartUpload, and the ETag and checksum that the whole object must then have. Pure text.
 *
 * The text is "ETAG", or "ETAG sha256=BASE64" or "ETAG crc32c=BASE64" where the store has confirmed the part's
 * checksum. It comes back from a journal that others may have written to, so it is checked like an answer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "store/s3/s3_checksum.h"

enum {
    S3_ETAG_SIZE = 201,     /* with NUL; AWS's have 32 to 38 characters, others' are longer */
    S3_PART_ETAG_MAX = 256, /* a journal's (ship/journal.h) */
    S3_WHOLE_MAX = 64       /* "HEX-10000", "BASE64-10000" */
};

struct s3_part_etag {
    char etag[S3_ETAG_SIZE];   /* without quotes */
    enum s3_checksum checksum; /* S3_CHECKSUM_NONE if the store confirmed none */
    char sum[S3_CHECKSUM_MAX]; /* base64 */
};

/* An ETag header's value without its quotes (and W/): 0, or -EBADMSG if it is none that we could give back. */
int s3_etag_parse(const char *header, char out[S3_ETAG_SIZE]);

/* 32 hex digits: for all but encrypted objects the MD5 of the bytes. */
bool s3_etag_is_md5(const char *etag);

/* 32 hex digits, '-' and a number: the MD5 of the parts' MD5s, for all but encrypted objects. */
bool s3_etag_is_sum(const char *etag);

/* 0 or -EBADMSG. */
int s3_part_etag_parse(const char *text, struct s3_part_etag *ret);
const char *s3_part_etag_format(const struct s3_part_etag *r, char out[S3_PART_ETAG_MAX]);

/* Of parts 1 … count, in order. 0, -EBADMSG, -ENOMEM, -EMSGSIZE. */
int s3_complete_body(char *const *part_etags, unsigned count, struct buf *ret);

/* The ETag of the whole ("MD5 of the parts' MD5s"-N) and its composite checksum. -ENOENT if those of the parts have
 * none; -ENOTSUP without the digest (FIPS), -ENOMEM. */
int s3_whole_etag(char *const *part_etags, unsigned count, char out[S3_WHOLE_MAX]);
int s3_whole_checksum(char *const *part_etags, unsigned count, enum s3_checksum kind, char out[S3_WHOLE_MAX]);
