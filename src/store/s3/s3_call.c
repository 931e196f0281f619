/* SPDX-License-Identifier: Apache-2.0
 *
 * Sending, judging, trying again.
 */
#include "store/s3/s3_call.h"

#include <assert.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/sigv4.h"
#include "store/s3/s3_error.h"

enum {
    SKEWED_MOST = 3, /* servers behind one name may disagree on the time */
};

struct s3_call *s3_query(struct s3_call *c, const char *name, const char *value)
{
    assert(c->query_count < S3_PAIRS_MAX);
    c->query[c->query_count++] = (struct sign_pair){name, value};
    return c;
}

struct s3_call *s3_header(struct s3_call *c, const char *name, const char *value)
{
    assert(c->header_count < S3_PAIRS_MAX);
    c->headers[c->header_count++] = (struct sign_pair){name, value};
    return c;
}

static int body_sha256(const struct s3_call *c, char out[65])
{
    unsigned char raw[EVP_MAX_MD_SIZE];

    if (EVP_Digest(c->body_size ? c->body : "", c->body_size, raw, NULL, EVP_sha256(), NULL) != 1)
        return -ENOMEM;
    text_hex(raw, 32, out);
    return 0;
}

/* "s3:PutObject", "obs:object:PutObject": as written in a policy. */
static const char *permission(const struct s3 *s, const struct s3_call *c, char out[64])
{
    const struct s3_dialect *d = s3_dialect(s);

    snprintf(out, 64, "%s%s", c->key ? d->object_action : d->bucket_action, c->action);
    return out;
}

static bool has_query(const struct s3_call *c, const char *name)
{
    for (unsigned i = 0; i < c->query_count; i++)
        if (text_eq(c->query[i].name, name))
            return true;
    return false;
}

static bool belongs(const struct user_header *h, const struct s3_call *c)
{
    bool creates = c->key && ((text_eq(c->method, "PUT") && !has_query(c, "partNumber")) || has_query(c, "uploads"));

    return user_header_belongs(h, &(struct user_header_request){.creates = creates,
                                                                .object = c->key && !text_eq(c->method, "DELETE"),
                                                                .readable = c->readable});
}

unsigned s3_all_headers(const struct s3 *s, const struct s3_call *c, struct sign_pair out[S3_HEADERS_MAX])
{
    const struct user_headers *user = s3_user_headers(s);
    unsigned count = c->header_count;

    memcpy(out, c->headers, count * sizeof(*out));
    for (unsigned i = 0; i < user->count; i++)
        if (belongs(&user->item[i], c))
            out[count++] = (struct sign_pair){user->item[i].name, user->item[i].value};
    return count;
}

/* A request that was sent, and its answer. */
struct exchange {
    struct s3 *s;
    const struct s3_call *call;
    struct s3_signed sent;
    struct http_answer *answer;
};

static void exchange_done(struct exchange *x)
{
    s3_signed_done(&x->sent);
}

static int send_call(struct exchange *x, struct http *h, struct err *e)
{
    struct s3 *s = x->s;
    const struct s3_call *c = x->call;
    const struct s3_dialect *d = s3_dialect(s);
    struct http_request request = {.method = c->method,
                                   .patient = c->patient,
                                   .body = c->body,
                                   .body_size = c->body_size,
                                   .write = c->write,
                                   .ctx = c->write_ctx};
    char sha256[65] = SIGV4_EMPTY_SHA256, action[64];
    struct sign_pair headers[S3_HEADERS_MAX];
    unsigned header_count = s3_all_headers(s, c, headers);
    struct sign_request sign = {.method = c->method,
                                .query = c->query,
                                .query_count = c->query_count,
                                .headers = headers,
                                .header_count = header_count,
                                .payload_sha256 = c->sha256 || !d->hash_all ? c->sha256 : sha256};
    int r;

    if ((sign.payload_sha256 == sha256 && c->body_size > 0 && (r = body_sha256(c, sha256)) < 0) ||
        (r = s3_sign(s, c->key, &sign, &x->sent)) < 0)
        return s3_fail(s, e, r, "out of memory");
    request.url = x->sent.url;
    for (unsigned i = 0; i < header_count; i++)
        http_add_header(&request, headers[i].name, headers[i].value);
    if (sign.payload_sha256)
        http_add_header(&request, d->header.content_sha256, sign.payload_sha256);
    http_add_header(&request, d->header.date, x->sent.signature.date);
    http_add_secret(&request, "Authorization", x->sent.signature.authorization);
    http_add_secret(&request, d->header.token, x->sent.token);
    r = http_perform(h, &request, x->answer, e);
    return r < 0 ? err_prefix(e, r, "%s: %s", d->name, permission(s, c, action)) : 0;
}

static bool succeeded(const struct http_answer *a)
{
    return a->status >= 200 && a->status < 300;
}

/* CompleteMultipartUpload answers 200 before it has begun; its body may then be an error. */
static bool holds_error(const struct http_answer *a)
{
    struct s3_error ignored;

    return a->body.size > 0 && memmem(a->body.data, a->body.size, "<Error", 6) &&
           s3xml_error(a->body.data, a->body.size, &ignored) == 0;
}

static void read_error(const struct s3 *s, const struct http_answer *a, struct s3_error *ret)
{
    const struct s3_dialect *d = s3_dialect(s);

    *ret = (struct s3_error){0};
    if (a->body.size > 0)
        s3xml_error(a->body.data, a->body.size, ret);
    if (!*ret->code && d->header.error_code && !succeeded(a))
        http_header(a, d->header.error_code, ret->code, sizeof(ret->code));
    if (!*ret->request_id)
        http_header(a, d->header.request_id, ret->request_id, sizeof(ret->request_id));
    if (!*ret->region)
        http_header(a, d->header.bucket_region, ret->region, sizeof(ret->region));
}

static bool region_matters(const struct http_answer *a)
{
    return a->status >= 300 && a->status < 500 && a->status != 404 && a->status != 412;
}

static bool is_expired(const struct s3_error *x)
{
    return strcmp(x->code, "ExpiredToken") == 0 || strcmp(x->code, "ExpiredTokenException") == 0 ||
           strcmp(x->code, "TokenRefreshRequired") == 0;
}

/* OBS answers InvalidAccessKeyId for a temporary key whose token has expired. */
static bool may_be_expired(const struct s3_error *x, const struct s3_signed *sent)
{
    return is_expired(x) || (sent->token && strcmp(x->code, "InvalidAccessKeyId") == 0);
}

/* A store may refuse a request for the headers that the user added. */
static int blame_headers(const struct s3 *s, const struct s3_call *c, const struct http_answer *a, int result,
                         struct err *e)
{
    const struct user_headers *user = s3_user_headers(s);
    char names[200] = "";
    size_t size = 0;

    if (a->status != 400 && a->status != 403 && a->status != 501)
        return result;
    for (unsigned i = 0; i < user->count; i++)
        if (belongs(&user->item[i], c) && size + strlen(user->item[i].name) + 3 < sizeof(names))
            size +=
                (size_t)snprintf(names + size, sizeof(names) - size, "%s%s", size > 0 ? ", " : "", user->item[i].name);
    return size > 0 ? err_set(e, result, "%s; it was sent with --header %s", e->msg, names) : result;
}

static int explain(const struct exchange *x, const struct s3_error *error, struct err *e)
{
    const struct s3 *s = x->s;
    const struct s3_call *c = x->call;
    const struct s3_signed *sent = &x->sent;
    const struct http_answer *a = x->answer;
    char date[64], action[64];
    struct s3_failure f = {.status = a->status,
                           .dialect = s3_dialect(s)->name,
                           .error = *error,
                           .retry_after_ms = a->retry_after_ms,
                           .action = permission(s, c, action),
                           .origin = sent->origin,
                           .bucket = s3_bucket(s),
                           .prefix = s3_prefix(s),
                           .key = c->key,
                           .upload = has_query(c, "uploadId"),
                           .region = sent->region,
                           .access_key = sent->access_key,
                           .source = sent->source ? sent->source : "?",
                           .token = sent->token != NULL,
                           .expires_ns = sent->expires_ns,
                           .date = http_header(a, "Date", date, sizeof(date)),
                           .now_ns = sent->time_ns};

    return blame_headers(s, c, a, s3_error_explain(&f, e), e);
}

/* A store that refuses our clock gives its time in Date: sign with that. */
static void follow_clock(struct s3 *s, const struct http_answer *a)
{
    char date[64];
    int64_t there_ns;

    if (http_header(a, "Date", date, sizeof(date)) && clock_parse_http(date, &there_ns) == 0)
        s3_set_clock(s, there_ns);
}

int s3_once(struct s3 *s, struct http *h, const struct s3_call *c, struct http_answer *a, struct err *e)
{
    bool moved = false, renewed = false;
    unsigned skewed = 0;

    assert(c->method && c->action && e);
    for (;;) {
        CLEANUP(exchange_done) struct exchange x = {.s = s, .call = c, .answer = a};
        struct s3_error error;
        int r;

        e->retry_after_ms = 0;
        if ((r = send_call(&x, h, e)) < 0)
            return r;
        if (succeeded(a) && (c->write || !holds_error(a)))
            return c->check ? c->check(c->check_ctx, a, e) : 0;
        read_error(s, a, &error);
        if (!moved && region_matters(a) && *error.region && s3_move(s, x.sent.region, error.region) == 0) {
            moved = true;
            continue;
        }
        if (skewed < SKEWED_MOST && strcmp(error.code, "RequestTimeTooSkewed") == 0) {
            follow_clock(s, a);
            skewed++;
            continue;
        }
        if (!renewed && may_be_expired(&error, &x.sent)) {
            r = s3_renew(s, x.sent.renewals, e);
            if (r < 0 && r != -FAULT_EXPIRED && is_expired(&error))
                return r;
            renewed = r == 0;
            if (renewed)
                continue;
        }
        return explain(&x, &error, e);
    }
}

int s3_perform(struct s3 *s, struct http *h, const struct s3_call *c, struct http_answer *a, struct err *e)
{
    struct retry_state state = {0};
    int r;

    assert(!c->write);
    while ((r = s3_once(s, h, c, a, e)) < 0)
        if ((r = request_retry_wait(&state, c->patience, r, e)) < 0)
            return r;
    return 0;
}

bool s3_answered(const struct s3 *s, const struct http_answer *a, const char *code)
{
    struct s3_error x;

    read_error(s, a, &x);
    return strcmp(x.code, code) == 0;
}

/* A bucket's policy may demand signed bodies (the condition s3:x-amz-content-sha256): that is a denial. */
static bool may_lack(enum s3_lack what, long status, const char *code)
{
    return s3_error_may_be_unknown(status, code) || (what == S3_LACKS_UNSIGNED && status == 403);
}

bool s3_learn(struct s3 *s, const struct http_answer *a, unsigned had, const struct request_patience *patience)
{
    static const char *const names[S3_LACK_END] = {[S3_LACKS_CONDITION] = "If-None-Match",
                                                   [S3_LACKS_UNSIGNED] = "a body that is not signed",
                                                   [S3_LACKS_CHECKSUM] = "x-amz-checksum-*"};
    enum s3_lack what = S3_LACKS_CONDITION;
    struct s3_error x;
    struct err said;

    while (what < S3_LACK_END && !(had & 1u << what))
        what++;
    if (succeeded(a) || what == S3_LACK_END)
        return false;
    read_error(s, a, &x);
    if (!may_lack(what, a->status, x.code))
        return false;
    s3_set_lacking(s, what);
    s3_fail(s, &said, -FAULT_REFUSED, "the store does not take %s (%ld %s): going on without", names[what], a->status,
            x.code);
    if (patience)
        patience->wait(patience->ctx, &said, 0);
    return true;
}
