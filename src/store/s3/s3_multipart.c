/* SPDX-License-Identifier: Apache-2.0 */
#include "store/s3/s3_multipart.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "store/s3/s3_xml.h"

static bool confirms_checksum(const struct http_answer *a, enum s3_checksum kind)
{
    char algorithm[32];

    return kind != S3_CHECKSUM_NONE && http_header(a, "x-amz-checksum-algorithm", algorithm, sizeof(algorithm)) &&
           strcasecmp(algorithm, S3_CHECKSUMS[kind].algorithm) == 0;
}

int s3_begin(struct s3 *s, const struct object *o, const struct request_patience *patience, struct s3_begun *ret,
             struct err *e)
{
    assert(o->key && ret);
    enum s3_checksum kind = s3_has_tls(s) ? S3_CHECKSUM_CRC32C : S3_CHECKSUM_SHA256;

    if (ret->checksum != S3_CHECKSUM_NONE)
        kind = ret->checksum;

    for (;;) {
        CLEANUP(http_answer_done) struct http_answer a = {0};
        CLEANUP_FREE char *token = NULL;
        struct s3_protection by = {.checksum = s3_lacks(s, S3_LACKS_CHECKSUM) ? S3_CHECKSUM_NONE : kind};
        struct s3_call c = {.method = "POST", .action = "PutObject", .patience = patience, .key = o->key};
        int r;

        s3_query(&c, "uploads", "");
        s3_header(&c, "Content-Type", o->content_type ? o->content_type : "application/octet-stream");
        if (by.checksum != S3_CHECKSUM_NONE)
            s3_header(&c, "x-amz-checksum-algorithm", S3_CHECKSUMS[kind].algorithm);
        r = s3_perform(s, s3_http(s), &c, &a, e);
        if (r < 0 && s3_learn(s, &a, s3_protection_lacks(&by), patience))
            continue;
        if (r < 0)
            return r;
        r = s3xml_upload_id(buf_text(&a.body), a.body.size, &token);
        if (r == -ENOMEM)
            return s3_fail(s, e, -ENOMEM, "out of memory");
        if (r < 0 || !*token || strlen(token) >= S3_TOKEN_MAX)
            return s3_fail(s, e, -FAULT_FORMAT, "the upload of '%.200s' was begun without an id: check --endpoint",
                           o->key);
        *ret =
            (struct s3_begun){.token = TAKE_PTR(token), .checksum = kind, .checks = confirms_checksum(&a, by.checksum)};
        return 0;
    }
}

int s3_abort(struct s3 *s, const char *key, const char *token, const struct request_patience *patience, struct err *e)
{
    assert(key && token);
    CLEANUP(http_answer_done) struct http_answer a = {0};
    struct s3_call c = {.method = "DELETE", .action = "AbortMultipartUpload", .patience = patience, .key = key};
    int r = s3_perform(s, s3_http(s), s3_query(&c, "uploadId", token), &a, e);

    return r == -FAULT_GONE ? 0 : r;
}
