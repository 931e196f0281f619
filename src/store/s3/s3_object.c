/* SPDX-License-Identifier: Apache-2.0
 *
 * HEAD and PUT of one object, and what their answers prove.
 */
#include "store/s3/s3_object.h"

#include <assert.h>
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

static int body_checksum(struct s3_body *b, enum s3_checksum kind)
{
    return *b->sum[kind] ? 0 : s3_checksum_of(kind, b->data, b->size, b->sum[kind]);
}

int s3_body_sha256(struct s3_body *b)
{
    unsigned char raw[S3_CHECKSUM_BYTES];
    int r = body_checksum(b, S3_CHECKSUM_SHA256);

    if (r == 0 && (r = s3_checksum_decode(S3_CHECKSUM_SHA256, b->sum[S3_CHECKSUM_SHA256], raw)) == 0)
        text_hex(raw, sizeof(raw), b->sha256);
    return r;
}

/* The ETag is then not the MD5 of the bytes. */
static bool is_encrypted(const struct s3 *s, const struct http_answer *a)
{
    const struct s3_dialect *d = s3_dialect(s);
    char value[64];

    return http_header(a, d->header.customer_encryption, value, sizeof(value)) ||
           (http_header(a, d->header.encryption, value, sizeof(value)) && text_starts(value, d->foreign_etag));
}

const char *s3_body_md5(struct s3_body *b)
{
    unsigned char raw[EVP_MAX_MD_SIZE];

    if (!*b->md5 && EVP_Digest(b->size ? b->data : "", b->size, raw, NULL, EVP_md5(), NULL) == 1) {
        text_hex(raw, 16, b->md5);
        EVP_EncodeBlock((unsigned char *)b->md5_base64, raw, 16);
    }
    return b->md5;
}

unsigned s3_protection_lacks(const struct s3_protection *p)
{
    return (p->is_unsigned ? 1u << S3_LACKS_UNSIGNED : 0) |
           (p->checksum != S3_CHECKSUM_NONE ? 1u << S3_LACKS_CHECKSUM : 0);
}

int s3_send_body(const struct s3 *s, struct s3_call *c, struct s3_body *b, const struct s3_protection *p, struct err *e)
{
    const struct s3_dialect *d = s3_dialect(s);

    if ((!p->is_unsigned && s3_body_sha256(b) < 0) ||
        (p->checksum != S3_CHECKSUM_NONE && body_checksum(b, p->checksum) < 0))
        return s3_fail(s, e, -ENOMEM, "out of memory");
    c->body = b->data;
    c->body_size = b->size;
    c->sha256 = p->is_unsigned ? d->unsigned_payload : b->sha256;
    if (p->checksum != S3_CHECKSUM_NONE)
        s3_header(c, S3_CHECKSUMS[p->checksum].header, b->sum[p->checksum]);
    if (d->send_md5 && *s3_body_md5(b))
        s3_header(c, "Content-MD5", b->md5_base64);
    return 0;
}

/* MD5 is the slowest of all we do with a byte, and says of a part no more than the signature does, which holds its
 * SHA-256, or a checksum that the store has confirmed: a store that took other bytes has violated the protocol. A wrong
 * ETag of a part is met again at commit, which names all of them to the store, and in the ETag of the whole. */
enum { MD5_MOST = 1024 * 1024 };

int s3_confirm(void *confirmation, const struct http_answer *a, struct err *e)
{
    struct s3_confirmation *c = confirmation;
    char etag[S3_ETAG_SIZE + 8], sum[80];

    c->etag = (struct s3_part_etag){0};
    c->checked = c->differs = false;
    c->encrypted = is_encrypted(c->s3, a);
    if (!http_header(a, "ETag", etag, sizeof(etag)) || s3_etag_parse(etag, c->etag.etag) < 0)
        return s3_fail(c->s3, e, -FAULT_FORMAT, "'%.200s' was answered without a usable ETag: check --endpoint",
                       c->key);

    if (c->checksum != S3_CHECKSUM_NONE && http_header(a, S3_CHECKSUMS[c->checksum].header, sum, sizeof(sum))) {
        const char *ours = c->body->sum[c->checksum];

        if (strcmp(sum, ours) != 0)
            return s3_fail(c->s3, e, -FAULT_CORRUPT,
                           "'%.200s' arrived with %s %s instead of %s: it was damaged on its way", c->key,
                           S3_CHECKSUMS[c->checksum].algorithm, sum, ours);
        c->etag.checksum = c->checksum;
        memcpy(c->etag.sum, ours, sizeof(c->etag.sum));
        c->checked = true;
    } else if ((c->body->size < MD5_MOST || *c->body->md5) && s3_etag_is_md5(c->etag.etag) && !c->encrypted &&
               *s3_body_md5(c->body)) {
        c->differs = strcasecmp(c->body->md5, c->etag.etag) != 0;
        c->checked = !c->differs;
    }
    return 0;
}

static int head(struct s3 *s, const struct s3_subject *x, struct http_answer *a, struct err *e)
{
    struct s3_call c = {.method = "HEAD", .action = "GetObject", .patience = x->patience, .key = x->key};

    if (x->checksum != S3_CHECKSUM_NONE)
        s3_header(&c, "x-amz-checksum-mode", "ENABLED");
    return s3_perform(s, s3_http(s), &c, a, e);
}

static int stop_reading(void *ctx, const void *data, size_t size)
{
    (void)ctx, (void)data, (void)size;
    return -ECANCELED;
}

/* A refused HEAD has no body with the reason; a GET of the same object has. 0 if the GET is not refused. */
static int ask_why(struct s3 *s, const char *key, struct err *e)
{
    CLEANUP(http_answer_done) struct http_answer a = {0};
    struct s3_call c = {.method = "GET", .action = "GetObject", .key = key, .write = stop_reading};
    int r = s3_once(s, s3_http(s), s3_header(&c, "Range", "bytes=0-0"), &a, e);

    return r == -ECANCELED || a.status == 416 ? 0 : r;
}

int s3_head(struct s3 *s, const struct s3_subject *x, struct s3_head *ret, struct err *e)
{
    assert(x->key && ret);
    CLEANUP(http_answer_done) struct http_answer a = {0};
    struct s3_head found = {0};
    char size[32], etag[S3_ETAG_SIZE + 8], date[64];
    int r = head(s, x, &a, e);

    if (r < 0 && a.status >= 300 && a.status < 500) {
        if ((r = ask_why(s, x->key, e)) < 0)
            return r;
        r = head(s, x, &a, e); /* it has appeared in between */
    }
    if (r < 0)
        return r;
    if (!http_header(&a, "Content-Length", size, sizeof(size)) || text_parse_uint(size, UINT64_MAX, &found.size) < 0)
        return s3_fail(s, e, -FAULT_FORMAT, "HEAD of '%.200s' was answered without a size: check --endpoint", x->key);
    if (http_header(&a, "ETag", etag, sizeof(etag)))
        s3_etag_parse(etag, found.etag);
    if (http_header(&a, "Last-Modified", date, sizeof(date)))
        (void)clock_parse_http(date, &found.modified_ns); /* stays 0 if malformed */
    http_header(&a, s3_dialect(s)->header.meta_sha256, found.sha256, sizeof(found.sha256));
    if (x->checksum != S3_CHECKSUM_NONE)
        http_header(&a, S3_CHECKSUMS[x->checksum].header, found.checksum, sizeof(found.checksum));
    found.encrypted = is_encrypted(s, &a);
    *ret = found;
    return 0;
}

/* An ETag that is not the MD5 means damage, unless a HEAD shows that the object is encrypted, or is denied. */
static int settle_difference(struct s3 *s, const struct s3_put *p, struct s3_confirmation *c,
                             const struct request_patience *patience, struct err *e)
{
    struct s3_head head = {0};
    int r = s3_head(s, &(struct s3_subject){.key = p->key, .patience = patience}, &head, e);

    c->encrypted = r == 0 && head.encrypted;
    if (r == -FAULT_DENIED || c->encrypted)
        return 0;
    return r < 0 ? r
                 : s3_fail(s, e, -FAULT_CORRUPT,
                           "'%.200s' arrived with ETag %s instead of its MD5 %s: it was damaged on its way", p->key,
                           c->etag.etag, p->body->md5);
}

int s3_put(struct s3 *s, const struct s3_put *p, const struct request_patience *patience, struct s3_confirmation *ret,
           struct err *e)
{
    struct retry_state retry = {0};
    bool fresh = p->fresh;

    assert(p->key && p->body && ret);
    for (;;) {
        CLEANUP(http_answer_done) struct http_answer a = {0};
        bool condition = fresh && !s3_lacks(s, S3_LACKS_CONDITION);
        struct s3_protection protection = {.checksum =
                                               s3_lacks(s, S3_LACKS_CHECKSUM) ? S3_CHECKSUM_NONE : S3_CHECKSUM_SHA256};
        struct s3_confirmation confirmation = {
            .s3 = s, .body = p->body, .checksum = protection.checksum, .key = p->key};
        struct s3_call c = {.method = "PUT",
                            .action = "PutObject",
                            .patience = patience,
                            .key = p->key,
                            .readable = p->readable,
                            .check = s3_confirm,
                            .check_ctx = &confirmation};
        int r = s3_body_sha256(p->body);

        if (r < 0)
            return s3_fail(s, e, r, "out of memory");
        s3_header(&c, "Content-Type", p->content_type ? p->content_type : "application/octet-stream");
        s3_header(&c, s3_dialect(s)->header.meta_sha256, p->body->sha256);
        if (condition)
            s3_header(&c, "If-None-Match", "*");
        if ((r = s3_send_body(s, &c, p->body, &protection, e)) < 0)
            return r;
        r = s3_perform(s, s3_http(s), &c, &a, e);
        if (r < 0 &&
            s3_learn(s, &a, s3_protection_lacks(&protection) | (condition ? 1u << S3_LACKS_CONDITION : 0), patience))
            continue;
        if (r == 0 && confirmation.differs && (r = settle_difference(s, p, &confirmation, patience, e)) < 0) {
            fresh = false; /* what is there is what we have just sent */
            if ((r = request_retry_wait(&retry, patience, r, e)) == 0)
                continue;
        }
        if (r == 0)
            *ret = confirmation;
        return r;
    }
}
