/* SPDX-License-Identifier: Apache-2.0
 *
 * A digest for the server to bind the URL to, a PUT, and what its answer proves.
 */
#include "store/http/direct_part.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/request_retry.h"
#include "store/s3/s3_xml.h"

enum { REFUSED_MOST = 2 };

static int make_digest(struct direct_part *t, struct err *e)
{
    const EVP_MD *md = t->client->upload.sums_md5 ? EVP_md5() : EVP_sha256();
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    if (EVP_Digest(t->part->size ? t->part->data : (const void *)"", t->part->size, raw, &size, md, NULL) != 1)
        return err_set(e, -FAULT_REFUSED, "http: the bucket wants a digest that this machine does not compute (MD5)");
    EVP_EncodeBlock((unsigned char *)t->digest, raw, (int)size);
    return 0;
}

/* The query of a presigned URL is a secret: it stands in no message. */
static int fail_part(const struct handed_request *q, const struct http_answer *a, struct err *e)
{
    struct s3_error x = {0};
    const char *url = secret_expose(q->url);
    int where = (int)strcspn(url, "?"), r = -FAULT_REFUSED;

    (void)s3xml_error(buf_text(&a->body), a->body.size, &x); /* stays empty */
    if (a->status == 403 || a->status == 401)
        r = -FAULT_DENIED;
    else if (text_eq(x.code, "NoSuchUpload"))
        r = -FAULT_GONE;
    else if (text_eq(x.code, "BadDigest") || text_eq(x.code, "XAmzContentChecksumMismatch"))
        r = -FAULT_CORRUPT;
    else if (a->status == 408 || a->status == 429 || (a->status >= 500 && a->status != 501))
        r = -FAULT_BUSY;
    err_set(e, r, "http: %ld %s for a part of %.*s, sent to the bucket: %s", a->status, x.code, where, url,
            *x.message ? x.message : "it gives no reason");
    e->retry_after_ms = a->retry_after_ms;
    return r;
}

static int confirm(const struct direct_part *t, const struct http_answer *a, struct s3_part_etag *ret, struct err *e)
{
    const struct s3_checksum_names *names = &S3_CHECKSUMS[S3_CHECKSUM_SHA256];
    char etag[S3_ETAG_SIZE + 8], sum[80];

    *ret = (struct s3_part_etag){0};
    if (!http_header(a, "ETag", etag, sizeof(etag)) || s3_etag_parse(etag, ret->etag) < 0)
        return err_set(e, -FAULT_FORMAT, "http: the bucket took a part and gave no usable ETag");
    if (t->client->upload.sums_md5 || !http_header(a, names->header, sum, sizeof(sum)))
        return 0;
    if (!text_eq(sum, t->digest))
        return err_set(e, -FAULT_CORRUPT, "http: a part arrived in the bucket with SHA256 %s instead of %s", sum,
                       t->digest);
    ret->checksum = S3_CHECKSUM_SHA256;
    memcpy(ret->sum, sum, sizeof(ret->sum));
    return 0;
}

static int send_once(struct direct_part *t, struct s3_part_etag *ret, struct err *e)
{
    CLEANUP(handed_request_done) struct handed_request made = {0};
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    struct gateway_part part = {.number = t->part->number, .size = t->part->size};
    struct http_request request = {.method = "PUT"};
    int r;

    memcpy(part.digest, t->digest, sizeof(part.digest));
    if ((r = gateway_client_part(t->client, t->http, &part, &made, e)) < 0)
        return r;
    request.url = secret_expose(made.url);
    for (unsigned i = 0; i < made.count; i++)
        http_add_header(&request, made.name[i], made.value[i]);
    request.body = t->part->size ? t->part->data : (const void *)"";
    request.body_size = t->part->size;
    if ((r = http_perform(t->http, &request, &answer, e)) < 0)
        return r;
    return http_store_ok(&answer) ? confirm(t, &answer, ret, e) : fail_part(&made, &answer, e);
}

static int wait_again(const struct direct_part *t, struct retry_state *retry, int result, const struct err *e)
{
    const struct upload_events *events = &t->client->events;
    uint64_t delay_ms;

    if (!request_retry(retry, result, e, &delay_ms))
        return result;
    if (events->waiting)
        events->waiting(events->ctx, e, delay_ms);
    return t->wait(t->wait_ctx, delay_ms) < 0 ? result : 0;
}

int direct_part_send(struct direct_part *t, struct s3_part_etag *ret, struct err *e)
{
    struct retry_state retry = {.since_ms = clock_mono_ms()};
    unsigned refused = 0;
    int r = make_digest(t, e);

    if (r < 0)
        return r;
    for (;;) {
        if ((r = send_once(t, ret, e)) == 0)
            return 0;
        if (r == -FAULT_DENIED && t->patient && ++refused < REFUSED_MOST)
            continue;
        if (!t->patient && r != -FAULT_BUSY && r != -FAULT_CORRUPT)
            return r;
        if ((r = wait_again(t, &retry, r, e)) < 0)
            return r;
    }
}
