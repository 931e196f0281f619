/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests to a file server: made, sent again while that can help. A refusal's message names the line of the server's
 * configuration to change.
 */
#include "store/http/http_store.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/http/http_redirect.h"
#include "store/request_retry.h"

char *http_store_url(const struct http_store *s, const char *key)
{
    CLEANUP_FREE char *encoded = url_encode(key, strlen(key), 1);
    char *url;

    return encoded && asprintf(&url, "%s/%s", s->base, encoded) >= 0 ? url : NULL;
}

int http_store_request(const struct http_store *s, const char *method, const char *url, struct http_request *ret,
                       struct err *e)
{
    if (!url)
        return err_set(e, -ENOMEM, "out of memory");
    *ret = (struct http_request){.method = method, .url = url};
    if (s->auth)
        http_add_secret(ret, "Authorization", http_auth_current(s->auth));
    for (unsigned i = 0; i < s->headers.count; i++)
        http_add_header(ret, s->headers.item[i].name, s->headers.item[i].value);
    return 0;
}

bool http_store_ok(const struct http_answer *a)
{
    return a->status >= 200 && a->status <= 299;
}

static int fail_busy(const struct http_request *r, const struct http_answer *a, struct err *e)
{
    int result = err_set(e, -FAULT_BUSY, "http: %ld for %s %s: the server has trouble, see its error log", a->status,
                         r->method, r->url);

    if (e)
        e->retry_after_ms = a->retry_after_ms;
    return result;
}

static bool is_busy(long status)
{
    /* 501 and 505 are about what was asked, 507 is a full disk, 511 wants a login */
    return status == 408 || status == 425 || status == 429 ||
           (status >= 500 && status != 501 && status != 505 && status != 507 && status != 511);
}

int http_store_fail(const struct http_store *s, const struct http_request *r, const struct http_answer *a,
                    struct err *e)
{
    char location[8192];

    if (is_busy(a->status))
        return fail_busy(r, a, e);
    switch (a->status) {
    case 401:
        if (!s->auth)
            return err_set(e, -FAULT_CREDENTIALS,
                           "http: 401 for %s %s: the server asks for credentials: set SALVAGE_HTTP_USER and "
                           "SALVAGE_HTTP_PASSWORD, SALVAGE_HTTP_TOKEN, or --credentials-file",
                           r->method, r->url);
        return err_set(e, -FAULT_DENIED, "http: 401 for %s %s: the server refuses our credentials: check them",
                       r->method, r->url);
    case 403:
        return err_set(e, -FAULT_DENIED, "http: 403 for %s %s: the server does not allow it: check its access rules%s",
                       r->method, r->url, s->auth ? "" : ", or give credentials");
    case 404:
    case 410:
        return err_set(e, -FAULT_NO_OBJECT, "http: %s does not exist", r->url);
    case 507:
        return err_set(e, -FAULT_FULL, "http: 507 for %s %s: the server has no room left: delete old cases", r->method,
                       r->url);
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
        if (!http_header(a, "Location", location, sizeof(location)))
            snprintf(location, sizeof(location), "elsewhere");
        location[strcspn(location, "?")] = '\0'; /* a query may be a secret */
        return err_set(e, -FAULT_REFUSED, "http: %ld for %s %s: it has moved to %.256s: use that URL", a->status,
                       r->method, r->url, location);
    default:
        return err_set(e, -FAULT_REFUSED, "http: %ld for %s %s: see the server's error log", a->status, r->method,
                       r->url);
    }
}

void http_store_digest(const struct http_answer *a, struct digest_field *ret)
{
    char text[512];

    *ret = (struct digest_field){0};
    (void)digest_field_parse(http_header(a, "Repr-Digest", text, sizeof(text)), ret); /* stays zero */
}

static bool may_pass(int result)
{
    return result == -FAULT_BUSY || result == -FAULT_UNREACHABLE;
}

/* True after the wait before another try. */
static bool wait_again(struct retry_state *state, int result, const struct upload_events *events, const struct err *e)
{
    uint64_t delay_ms;

    if (!request_retry(state, result, e, &delay_ms))
        return false;
    if (events && events->waiting)
        events->waiting(events->ctx, e, delay_ms);
    clock_sleep_ms(delay_ms);
    return true;
}

int http_store_send(struct http *h, const struct http_request *r, const struct upload_events *events,
                    struct http_answer *answer, struct err *e)
{
    struct retry_state retry = {.since_ms = clock_mono_ms()};
    struct err failure;
    int result;

    do {
        failure = (struct err){0};
        result = http_perform(h, r, answer, &failure);
        if (result == 0 && is_busy(answer->status))
            result = fail_busy(r, answer, &failure);
    } while (may_pass(result) && !r->read && !r->write && wait_again(&retry, result, events, &failure));
    if (result < 0 && e)
        *e = failure;
    return result;
}

int http_store_head(struct http_store *s, const char *key, uint64_t *ret_size, char etag[ETAG_MAX], struct err *e)
{
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    CLEANUP_FREE char *url = http_store_url(s, key);
    struct http_request request;
    char text[512];
    int r = http_store_request(s, "HEAD", url, &request, e);

    if (r < 0)
        return r;
    r = http_store_send(s->http, &request, NULL, &answer, e);
    if (r < 0)
        return r;
    if (answer.status == 301 && http_header(&answer, "Location", text, sizeof(text)) && text_ends(text, "/"))
        return err_set(e, -FAULT_NO_OBJECT, "http: %s is a folder", url);
    if (!http_store_ok(&answer))
        return http_store_fail(s, &request, &answer, e);
    if (!http_header(&answer, "Content-Length", text, sizeof(text)) || text_parse_uint(text, INT64_MAX, ret_size) < 0)
        return err_set(e, -FAULT_FORMAT, "http: the server does not give the size of %s (no Content-Length)", url);
    if (!http_header(&answer, "ETag", etag, ETAG_MAX))
        etag[0] = '\0';
    return 0;
}

struct fetch {
    const struct http_answer *answer;
    const char *url, *etag;
    uint64_t at, size; /* of the object: bytes handed on, and all */
    uint64_t skip;     /* bytes of this answer that we have already */
    bool begun;        /* this answer's body has */
    bool moved;        /* it had bytes that we did not have yet */
    bool ours;         /* we or the reader ended it, and set e if there is a message */
    const struct object_reader *reader;
    struct err *e;
};

/* The body is the rest that was asked for, or the whole object if the server supports no ranges. */
static int begin_body(struct fetch *f)
{
    char etag[ETAG_MAX], range[64], expected[32];

    f->begun = true;
    if (*f->etag && http_header(f->answer, "ETag", etag, sizeof(etag)) && !text_eq(etag, f->etag))
        return err_set(f->e, -FAULT_CORRUPT, "http: %s was replaced while it was being read", f->url);
    f->skip = f->at;
    if (f->answer->status != 206)
        return 0;
    snprintf(expected, sizeof(expected), "bytes %" PRIu64 "-", f->at);
    if (!http_header(f->answer, "Content-Range", range, sizeof(range)) || !text_starts(range, expected))
        return err_set(f->e, -FAULT_FORMAT, "http: %s: the server answers with another range than it was asked for",
                       f->url);
    f->skip = 0;
    return 0;
}

static int take_body(void *ctx, const void *data, size_t size)
{
    struct fetch *f = ctx;
    int r;

    f->ours = true;
    r = f->begun ? 0 : begin_body(f);
    if (r < 0)
        return r;
    size_t known = f->skip < size ? (size_t)f->skip : size;
    f->skip -= known;
    size -= known;
    if (size > f->size - f->at)
        return err_set(f->e, -FAULT_CORRUPT, "http: %s is longer than the server said", f->url);
    if (size > 0)
        r = f->reader->fn(f->reader->ctx, (const char *)data + known, size);
    if (r < 0)
        return r;
    f->moved = f->moved || size > 0;
    f->at += size;
    f->ours = false;
    return 0;
}

/* Where the server redirects to; straight from it if that cannot be reached, or refuses. */
static int send_following(struct http_store *s, struct fetch *f, struct http_request *r, struct http_answer *answer,
                          struct err *e)
{
    CLEANUP_FREE char *elsewhere = NULL, *through = s->through ? http_redirect_through(r->url) : NULL;
    struct http_request next;
    int result;

    if (through)
        r->url = through;
    result = http_store_send(s->http, r, NULL, answer, e);
    if (result < 0 || !http_redirect_follow(r, answer, &next, &elsewhere))
        return result;
    result = http_store_send(s->http, &next, NULL, answer, e);
    if (f->begun || (result == 0 && http_store_ok(answer)))
        return result;
    s->through = true;
    if (!(through = http_redirect_through(r->url)))
        return err_set(e, -ENOMEM, "out of memory");
    r->url = through;
    return http_store_send(s->http, r, NULL, answer, e);
}

static int fetch_once(struct http_store *s, struct fetch *f, struct err *e)
{
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    CLEANUP_FREE char *url = http_store_url(s, f->reader->key);
    struct http_request request;
    char range[64];
    struct err failure = {0};
    int r = http_store_request(s, "GET", url, &request, e);

    if (r < 0)
        return r;
    f->answer = &answer; /* cppcheck-suppress autoVariables ; used only while this request runs */
    f->url = url;
    f->begun = f->moved = f->ours = false;
    f->e = e;
    snprintf(range, sizeof(range), "bytes=%" PRIu64 "-", f->at);
    if (f->at > 0)
        http_add_header(&request, "Range", range);
    request.write = take_body;
    request.ctx = f;
    r = send_following(s, f, &request, &answer, &failure);
    request.url = url;
    if (r < 0 && !f->ours)
        *e = failure;
    if (r < 0)
        return r;
    if (!http_store_ok(&answer))
        return http_store_fail(s, &request, &answer, e);
    if (f->at < f->size)
        return err_set(e, -FAULT_UNREACHABLE, "http: %s ended after %" PRIu64 " of %" PRIu64 " bytes", url, f->at,
                       f->size);
    return 0;
}

int http_store_read(struct http_store *s, const struct object_reader *reader, struct err *e)
{
    struct retry_state retry = {.since_ms = clock_mono_ms()};
    struct fetch f = {.at = reader->offset, .reader = reader};
    char etag[ETAG_MAX];
    struct err failure = {0};
    int r;

    assert(reader->key && reader->fn);
    if ((r = http_store_head(s, reader->key, &f.size, etag, e)) < 0)
        return r;
    if (reader->offset > f.size)
        return err_set(e, -FAULT_REFUSED, "http: %s has only %" PRIu64 " bytes", reader->key, f.size);
    if (reader->ret_size)
        *reader->ret_size = f.size;
    f.etag = etag;
    while (f.at < f.size) {
        r = fetch_once(s, &f, &failure);
        if (r == 0)
            break;
        if (f.moved)
            retry = (struct retry_state){.since_ms = clock_mono_ms()};
        bool again = !f.ours && (may_pass(r) || (r == -FAULT_STALLED && f.moved));
        if (!again || !wait_again(&retry, r, NULL, &failure)) {
            if (e && failure.msg[0])
                *e = failure;
            return r;
        }
    }
    return 0;
}

int http_store_load(const struct http_store *s, struct http *h, const char *key, struct buf *ret, struct err *e)
{
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    CLEANUP_FREE char *url = http_store_url(s, key);
    struct http_request request;
    int r = http_store_request(s, "GET", url, &request, e);

    if (r < 0 || (r = http_store_send(h, &request, NULL, &answer, e)) < 0)
        return r;
    if (!http_store_ok(&answer))
        return http_store_fail(s, &request, &answer, e);
    r = buf_add(ret, buf_text(&answer.body), answer.body.size);
    return r == -EMSGSIZE ? err_set(e, r, "http: %s is larger than it should be", url) : r;
}
