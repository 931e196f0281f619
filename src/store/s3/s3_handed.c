/* SPDX-License-Identifier: Apache-2.0
 *
 * SHA-256 in x-amz-checksum-sha256 where the store has shown at the upload's beginning that it compares it, else
 * Content-MD5, which all do.
 */
#include "store/s3/s3_handed.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "store/s3/s3_checksum.h"
#include "store/s3/s3_multipart.h"

/* Headers of the server's that go with each part, and are for the server alone: a customer's key (SSE-C). */
static bool is_secret(const char *name)
{
    return strcasestr(name, "customer-key") != NULL;
}

static int check_headers(const struct s3 *s, const struct s3_call *c, struct err *e)
{
    struct sign_pair all[S3_HEADERS_MAX];
    unsigned count = s3_all_headers(s, c, all);

    for (unsigned i = 0; i < count; i++)
        if (is_secret(all[i].name))
            return s3_fail(s, e, -FAULT_REFUSED, "--header %s is for this server alone: parts pass through it",
                           all[i].name);
    return 0;
}

int s3_hand_begin(struct s3 *s, const struct object *o, struct handed_upload *ret, struct err *e)
{
    struct s3_call part = {.method = "PUT", .key = o->key};
    struct s3_begun begun = {.checksum = S3_CHECKSUM_SHA256};
    int r = check_headers(s, s3_query(&part, "partNumber", "1"), e);

    if (r < 0 || (r = s3_begin(s, o, NULL, &begun, e)) < 0)
        return r;
    *ret = (struct handed_upload){.token = begun.token, .sums_md5 = !begun.checks};
    return 0;
}

int s3_hand_part(struct s3 *s, const struct handed_part *what, struct handed_request *ret, struct err *e)
{
    struct s3_call c = {.method = "PUT", .key = what->key};
    struct sign_pair headers[S3_HEADERS_MAX];
    struct sign_request request = {.method = c.method, .headers = headers};
    CLEANUP(handed_request_done) struct handed_request made = {0};
    char number[12], size[24];
    int r;

    assert(what->key && what->token && what->number > 0 && what->digest && ret);
    snprintf(number, sizeof(number), "%u", what->number);
    snprintf(size, sizeof(size), "%" PRIu64, what->size);
    s3_query(&c, "partNumber", number);
    s3_query(&c, "uploadId", what->token);
    s3_header(&c, what->sums_md5 ? "Content-MD5" : S3_CHECKSUMS[S3_CHECKSUM_SHA256].header, what->digest);
    s3_header(&c, "Content-Length", size);
    if ((r = check_headers(s, &c, e)) < 0)
        return r;
    request.query = c.query;
    request.query_count = c.query_count;
    request.header_count = s3_all_headers(s, &c, headers);
    for (unsigned i = 0; i < request.header_count; i++)
        if (strcasecmp(headers[i].name, "Content-Length") != 0 && /* whoever sends the part sends it by itself */
            (r = handed_request_add(&made, headers[i].name, headers[i].value)) < 0)
            return s3_fail(s, e, r, "the headers of a part: %s", strerror(-r));
    if ((r = s3_presign_request(s, &(struct s3_wish){what->key, what->valid_s}, &request, &made.url, e)) < 0)
        return r;
    *ret = made;
    made = (struct handed_request){0};
    return 0;
}
