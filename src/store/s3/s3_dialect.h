/* SPDX-License-Identifier: Apache-2.0
 *
 * What differs between stores that otherwise speak S3: AWS and compatible stores, and Huawei's OBS. One const table
 * each; the rest of s3_*.c reads the table, and never asks which store it is.
 */
#pragma once

#include <stdbool.h>

#include "net/cred.h"
#include "net/sign.h"
#include "net/store_settings.h"
#include "store/s3/s3_endpoint.h"

/* What a store may not know or take: If-None-Match on writes, a body that is not part of the signature,
 * x-amz-checksum-*. In this order a request is made again without it. */
enum s3_lack { S3_LACKS_CONDITION, S3_LACKS_UNSIGNED, S3_LACKS_CHECKSUM, S3_LACK_END };

struct s3_dialect {
    const char *name;                          /* "s3": every message begins with it */
    const char *object_action, *bucket_action; /* before the name of a permission: "s3:", "obs:object:" */
    const struct s3_hosts *hosts;              /* the owner's own */
    /* settings for the owner's tools, from environment and files (net/store_settings.h) */
    int (*settings)(const char *service, struct store_settings *ret, struct err *e);
    const char *default_region; /* NULL: none, and where there is an endpoint none is needed */
    enum cred_family credentials;
    bool lacks[S3_LACK_END]; /* from the start; else it is found out */

    int (*sign)(const struct sign_request *r, const struct credentials *c, struct signature *ret);
    /* What stands behind the '?' of a presigned URL. 0 or -ENOMEM. */
    int (*presign)(const struct sign_request *r, const struct credentials *c, uint64_t valid_s,
                   struct secret **ret_query);
    bool hash_all;                /* every request is signed with its body's SHA-256, not uploads alone */
    bool send_md5;                /* uploads have a Content-MD5: what the store is sure to check */
    const char *unsigned_payload; /* in the place of a body's SHA-256; NULL: the header is left out */
    bool list_by_key; /* a listing goes on behind a key ("marker"), not from a token: ListObjects, not ListObjectsV2 */

    struct {
        const char *content_sha256, *date, *token;    /* that belong to the signature */
        const char *meta_sha256;                      /* the object's metadata: ours */
        const char *request_id, *bucket_region;       /* of an answer */
        const char *error_code;                       /* of an answer without a body; NULL: there is none */
        const char *encryption, *customer_encryption; /* of an object */
    } header;
    const char *foreign_etag; /* prefix of the encryption header's value with which the ETag is no MD5 */
};

extern const struct s3_dialect S3_AWS, S3_OBS;
