/* SPDX-License-Identifier: Apache-2.0
 *
 * The checksums that an S3 store compares by itself (S3 User Guide, "Checking object integrity"), and how each is named
 * in headers, in XML and in our journal. Pure.
 */
#pragma once

#include <stddef.h>

enum s3_checksum { S3_CHECKSUM_NONE, S3_CHECKSUM_SHA256, S3_CHECKSUM_CRC32C, S3_CHECKSUM_END };

enum {
    S3_CHECKSUM_BYTES = 32, /* of the longest */
    S3_CHECKSUM_MAX = 45    /* the same in base64, with NUL */
};

struct s3_checksum_names {
    const char *algorithm; /* "SHA256": of x-amz-checksum-algorithm */
    const char *header;    /* "x-amz-checksum-sha256" */
    const char *element;   /* "ChecksumSHA256": of CompleteMultipartUpload */
    const char *word;      /* "sha256": in the text of s3_part_etag.h */
    size_t size;           /* bytes */
};
extern const struct s3_checksum_names S3_CHECKSUMS[S3_CHECKSUM_END]; /* S3_CHECKSUM_NONE: all NULL */

/* Base64 into out. 0 or -ENOMEM. kind: not NONE. */
int s3_checksum_of(enum s3_checksum kind, const void *data, size_t size, char out[S3_CHECKSUM_MAX]);

/* The bytes of one in base64, S3_CHECKSUMS[kind].size of them: 0 or -EBADMSG. */
int s3_checksum_decode(enum s3_checksum kind, const char *base64, unsigned char out[S3_CHECKSUM_BYTES]);
