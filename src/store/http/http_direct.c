/* SPDX-License-Identifier: Apache-2.0
 *
 * An upload through `salvage serve --from` whose parts go straight to the bucket, several at once, each by a URL that
 * the server signs for it (gateway_protocol.h). Our credentials go to the server alone. Until a part has arrived that
 * way, the first one is sent alone: where the bucket cannot be reached from here, or refuses us, all passes through the
 * server (http_stream.c), for a while.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/http/gateway_protocol.h"
#include "store/http/http_redirect.h"
#include "store/http/http_store.h"
#include "store/request_retry.h"
#include "store/s3/s3_part_etag.h"
#include "store/s3/s3_xml.h"
#include "store/upload_pool.h"

enum { PART_MIN = 5 * 1024 * 1024 /* S3's */, AGAIN_MS = 10 * 60 * 1000, COMPLETE_TRIES = 10, REFUSED_MOST = 2 };

struct direct_upload {
    struct upload base;
    struct upload *stream;      /* not NULL: it passes through */
    bool once;                  /* nothing is tried again */
    struct upload_events relay; /* for requests on any thread: the owner's waiting, one call at a time */

    /* the caller's thread alone */
    struct handed_upload upload; /* token NULL before the first part */
    struct upload_pool *pool;
    unsigned count; /* parts, without an empty last one */
    uint64_t size;  /* bytes in them */

    pthread_mutex_t lock; /* for the following */
    char **etags;         /* NULL while a part is on its way */
    uint64_t *sizes;
    size_t capacity, sizes_capacity;
    int result; /* the first failure: it stays */
    struct err error;

    pthread_mutex_t events_lock; /* one call at a time */
};

/* --- questions to the server -------------------------------------------------------------------------------------- */

void http_direct_note(struct http_store *s, const struct http_answer *answer)
{
    char offer[16];

    if (http_store_ok(answer) && http_header(answer, GATEWAY_OFFER, offer, sizeof(offer)) &&
        text_eq(offer, GATEWAY_VERSION))
        s->direct = DIRECT_OFFERED;
}

/* The prefix of our URL is part of the key, as the server sees it. */
static char *question_url(const struct http_store *s, enum gateway_verb verb, const char *key)
{
    CLEANUP_FREE char *encoded = url_encode(key, strlen(key), 1);
    char *url;

    if (!encoded || asprintf(&url, "%.*s/" GATEWAY_PATH "%s%s/%s", (int)(s->path - s->base), s->base,
                             gateway_verb_name(verb), s->path, encoded) < 0)
        return NULL;
    return url;
}

struct question {
    enum gateway_verb verb;
    const struct gateway_question *body; /* NULL: none */
    const char *key, *content_type;
};

static int fail_answer(const struct http_store *s, const struct http_request *r, const struct http_answer *a,
                       struct err *e)
{
    switch (a->status) {
    case 404: /* what one may not see does not exist */
        return err_set(
            e, -FAULT_DENIED,
            "http: 404 for %s %s: these credentials may not write there: check which namespaces they are for",
            r->method, r->url);
    case 410:
        return err_set(e, -FAULT_GONE, "http: the server no longer has the upload: it begins anew");
    case 501:
        return err_set(e, -FAULT_REFUSED, "http: the server wants objects to pass through it");
    default:
        return http_resume_fail(s, r, a, e);
    }
}

/* h: the connection of this thread. 0: answered with 2xx. */
static int ask(struct direct_upload *u, struct http *h, const struct question *q, struct http_answer *answer,
               struct err *e)
{
    struct http_store *s = u->base.store;
    CLEANUP_FREE char *url = question_url(s, q->verb, q->key), *text = NULL;
    struct http_request request;
    int r = http_store_request(s, "POST", url, &request, e);

    if (r == 0 && q->body && gateway_question_encode(q->verb, q->body, &text) < 0)
        r = err_set(e, -ENOMEM, "out of memory");
    if (r < 0)
        return r;
    http_add_header(&request, "Content-Type", q->verb == GATEWAY_BEGIN ? q->content_type : "application/json");
    request.body = text ? text : "";
    request.body_size = text ? strlen(text) : 0;
    r = u->once ? http_perform(h, &request, answer, e) : http_store_send(h, &request, &u->relay, answer, e);
    if (r < 0)
        return r;
    return http_store_ok(answer) ? 0 : fail_answer(s, &request, answer, e);
}

static int fail_format(const struct direct_upload *u, struct err *e)
{
    return err_set(e, -FAULT_FORMAT, "http: %s: the server's answer to a direct upload cannot be understood",
                   u->base.store->base);
}

/* begin, resume: what the upload is called, and what binds its parts. */
static int open_upload(struct direct_upload *u, enum gateway_verb verb, const struct gateway_question *body,
                       struct err *e)
{
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    const struct object *o = u->base.object;
    int r = ask(u, u->base.store->http, &(struct question){verb, body, o->key, o->content_type}, &answer, e);

    if (r < 0)
        return r;
    r = gateway_upload_decode(buf_text(&answer.body), answer.body.size, &u->upload);
    return r == -ENOMEM ? err_set(e, r, "out of memory") : r < 0 ? fail_format(u, e) : 0;
}

static void cancel(struct direct_upload *u)
{
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    const struct gateway_question body = {.token = u->upload.token};
    struct err ignored;

    if (u->upload.token)
        (void)ask(u, u->base.store->http, &(struct question){GATEWAY_ABORT, &body, u->base.object->key, NULL}, &answer,
                  &ignored);
    free(TAKE_PTR(u->upload.token));
}

/* --- one part to the bucket --------------------------------------------------------------------------------------- */

/* A part on its way, on a thread. */
struct sending {
    struct direct_upload *upload;
    struct http *http;
    const struct part *part;
    char digest[GATEWAY_DIGEST_MAX];
    struct s3_part_etag etag; /* out */
};

static int make_digest(struct sending *t, struct err *e)
{
    const EVP_MD *md = t->upload->upload.sums_md5 ? EVP_md5() : EVP_sha256();
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    if (EVP_Digest(t->part->size ? t->part->data : (const void *)"", t->part->size, raw, &size, md, NULL) != 1)
        return err_set(e, -FAULT_REFUSED, "http: the bucket wants a digest that this machine does not compute (MD5)");
    EVP_EncodeBlock((unsigned char *)t->digest, raw, (int)size);
    return 0;
}

static int ask_for_url(struct sending *t, struct handed_request *ret, struct err *e)
{
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    struct direct_upload *u = t->upload;
    struct gateway_question body = {.token = u->upload.token, .part = {t->part->number, t->part->size, ""}};
    int r;

    memcpy(body.part.digest, t->digest, sizeof(body.part.digest));
    if ((r = ask(u, t->http, &(struct question){GATEWAY_PART, &body, u->base.object->key, NULL}, &answer, e)) < 0)
        return r;
    r = gateway_request_decode(buf_text(&answer.body), answer.body.size, ret);
    if (r < 0)
        return r == -ENOMEM ? err_set(e, r, "out of memory") : fail_format(u, e);
    if (!http_redirect_may_go(u->base.store->base, secret_expose(ret->url)))
        return err_set(e, -FAULT_REFUSED, "http: the bucket has no TLS, and the server has: nothing is sent there");
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

static int confirm(struct sending *t, const struct http_answer *a, struct err *e)
{
    const struct s3_checksum_names *names = &S3_CHECKSUMS[S3_CHECKSUM_SHA256];
    char etag[S3_ETAG_SIZE + 8], sum[80];

    t->etag = (struct s3_part_etag){0};
    if (!http_header(a, "ETag", etag, sizeof(etag)) || s3_etag_parse(etag, t->etag.etag) < 0)
        return err_set(e, -FAULT_FORMAT, "http: the bucket took a part and gave no usable ETag");
    if (t->upload->upload.sums_md5 || !http_header(a, names->header, sum, sizeof(sum)))
        return 0;
    if (!text_eq(sum, t->digest))
        return err_set(e, -FAULT_CORRUPT, "http: a part arrived in the bucket with SHA256 %s instead of %s", sum,
                       t->digest);
    t->etag.checksum = S3_CHECKSUM_SHA256;
    memcpy(t->etag.sum, sum, sizeof(t->etag.sum));
    return 0;
}

static int send_once(struct sending *t, struct err *e)
{
    CLEANUP(handed_request_done) struct handed_request made = {0};
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    struct http_request request = {.method = "PUT"};
    int r = ask_for_url(t, &made, e);

    if (r < 0)
        return r;
    request.url = secret_expose(made.url);
    for (unsigned i = 0; i < made.count; i++)
        http_add_header(&request, made.name[i], made.value[i]);
    request.body = t->part->size ? t->part->data : (const void *)"";
    request.body_size = t->part->size;
    if ((r = http_perform(t->http, &request, &answer, e)) < 0)
        return r;
    return http_store_ok(&answer) ? confirm(t, &answer, e) : fail_part(&made, &answer, e);
}

static void say_waiting(void *ctx, const struct err *e, uint64_t delay_ms)
{
    struct direct_upload *u = ctx;

    pthread_mutex_lock(&u->events_lock);
    if (u->base.events->waiting)
        u->base.events->waiting(u->base.events->ctx, e, delay_ms);
    pthread_mutex_unlock(&u->events_lock);
}

static int wait_again(struct direct_upload *u, struct retry_state *retry, int result, const struct err *e)
{
    uint64_t delay_ms;

    if (!request_retry(retry, result, e, &delay_ms))
        return result;
    say_waiting(u, e, delay_ms);
    return upload_pool_wait(u->pool, delay_ms) < 0 ? result : 0;
}

/* Each try has a URL of its own: the one before may have come to its end. */
static int send_part(struct sending *t, bool proven, struct err *e)
{
    struct retry_state retry = {.since_ms = clock_mono_ms()};
    unsigned refused = 0;
    int r = make_digest(t, e);

    if (r < 0)
        return r;
    for (;;) {
        if ((r = send_once(t, e)) == 0)
            return 0;
        if (r == -FAULT_DENIED && proven && ++refused < REFUSED_MOST)
            continue;
        if (!proven && r != -FAULT_BUSY && r != -FAULT_CORRUPT)
            return r;
        if ((r = wait_again(t->upload, &retry, r, e)) < 0)
            return r;
    }
}

/* --- parts on the pool's threads ---------------------------------------------------------------------------------- */

static int fail(struct direct_upload *u, int result, const struct err *e)
{
    pthread_mutex_lock(&u->lock);
    if (u->result == 0) {
        u->result = result;
        u->error = *e;
    }
    pthread_mutex_unlock(&u->lock);
    upload_pool_stop(u->pool);
    return result;
}

static int first_failure(struct direct_upload *u, struct err *e)
{
    int r;

    pthread_mutex_lock(&u->lock);
    if ((r = u->result) < 0)
        *e = u->error;
    pthread_mutex_unlock(&u->lock);
    if (r < 0 && u->base.store->direct == DIRECT_PROVEN)
        u->base.store->direct = DIRECT_OFFERED; /* the next upload finds out whether it is the way there */
    return r;
}

static void give_back(struct direct_upload *u, struct part *p, const char *etag)
{
    pthread_mutex_lock(&u->events_lock);
    u->base.events->done(u->base.events->ctx, p, etag);
    pthread_mutex_unlock(&u->events_lock);
}

static int note_part(struct direct_upload *u, unsigned number, uint64_t size, const char *etag, struct err *e)
{
    char *copy = strdup(etag);
    int r = copy ? 0 : -ENOMEM;

    pthread_mutex_lock(&u->lock);
    if (r == 0) {
        u->etags[number - 1] = copy;
        u->sizes[number - 1] = size;
    }
    pthread_mutex_unlock(&u->lock);
    return r < 0 ? err_set(e, r, "out of memory") : 0;
}

static int make_room(struct direct_upload *u, unsigned count, struct err *e)
{
    size_t before = u->capacity;
    int r;

    pthread_mutex_lock(&u->lock);
    r = array_reserve(&u->sizes, count, &u->sizes_capacity, sizeof(*u->sizes), GATEWAY_PARTS_MAX);
    if (r == 0)
        r = array_reserve(&u->etags, count, &u->capacity, sizeof(*u->etags), GATEWAY_PARTS_MAX);
    if (r == 0 && u->capacity > before)
        memset(u->etags + before, 0, (u->capacity - before) * sizeof(*u->etags));
    pthread_mutex_unlock(&u->lock);
    return r < 0 ? err_set(e, r, "out of memory") : 0;
}

static int store_part(struct direct_upload *u, struct http *h, const struct part *p, char text[S3_PART_ETAG_MAX],
                      struct err *e)
{
    struct sending t = {.upload = u, .http = h, .part = p};
    int r = send_part(&t, true, e);

    return r < 0 ? r : note_part(u, p->number, p->size, s3_part_etag_format(&t.etag, text), e);
}

static void work(void *ctx, void **connection, struct part *p)
{
    struct direct_upload *u = ctx;
    struct http *h = *connection;
    char text[S3_PART_ETAG_MAX];
    struct err e = {0};
    int r = 0;

    if (upload_pool_stopped(u->pool)) {
        give_back(u, p, NULL);
        return;
    }
    if (!h && (r = http_new(&u->base.store->options, &h, &e)) == 0)
        *connection = h;
    if (r == 0)
        r = store_part(u, h, p, text, &e);
    if (r < 0)
        fail(u, r, &e);
    give_back(u, p, r < 0 ? NULL : text);
}

static void close_connection(void *connection)
{
    http_free(connection);
}

static const struct upload_pool_ops POOL_OPS = {.work = work, .close = close_connection};

/* --- the caller's thread ------------------------------------------------------------------------------------------ */

/* What does not work from here will not in a moment, either. */
static void note_unreachable(struct direct_upload *u, const struct err *e)
{
    struct http_store *s = u->base.store;
    struct err reason = *e;

    s->direct = DIRECT_OFFERED;
    s->direct_again_ms = clock_mono_ms() + AGAIN_MS;
    err_prefix(&reason, 0, "parts go through the server, not straight to the bucket");
    say_waiting(u, &reason, 0);
}

static int pass_through(struct direct_upload *u, struct part *p, struct err *e)
{
    const struct upload_start start = {.object = u->base.object, .events = u->base.events};
    int r;

    cancel(u);
    if ((r = http_stream_new(u->base.store, &start, &u->stream, e)) < 0) {
        give_back(u, p, NULL);
        return r;
    }
    return u->stream->way->write(u->stream, p, e);
}

/* The first part of this upload, here and now: it shows whether the bucket can be reached. 1: it cannot. */
static int prove(struct direct_upload *u, struct part *p, struct err *e)
{
    struct sending t = {.upload = u, .http = u->base.store->http, .part = p};
    char text[S3_PART_ETAG_MAX];
    int r = send_part(&t, u->count > 0, e); /* what was begun is worth some patience */

    if (r == -ENOMEM || r == -FAULT_GONE)
        return r;
    if (r < 0) {
        note_unreachable(u, e);
        return 1;
    }
    u->base.store->direct = DIRECT_PROVEN;
    if ((r = make_room(u, p->number, e)) < 0 ||
        (r = note_part(u, p->number, p->size, s3_part_etag_format(&t.etag, text), e)) < 0)
        return r;
    u->count++;
    u->size += p->size;
    return 0;
}

static void give_token(struct direct_upload *u)
{
    pthread_mutex_lock(&u->events_lock);
    if (u->base.events->token)
        u->base.events->token(u->base.events->ctx, u->upload.token);
    pthread_mutex_unlock(&u->events_lock);
}

/* An upload that another process began: what it has stored is in the bucket, so it is not thrown away for a bucket that
 * cannot be reached just now; unless the server reaches it, which it has done a moment ago. */
static int cannot_go_on(struct direct_upload *u, struct err *e)
{
    cancel(u);
    return err_set(e, -FAULT_GONE, "http: the bucket cannot be reached from here any more: the upload begins anew");
}

static int take_unproven(struct direct_upload *u, struct part *p, struct err *e)
{
    bool is_new = u->count == 0;
    char text[S3_PART_ETAG_MAX];
    int r = prove(u, p, e);

    if (r == 1 && is_new)
        return pass_through(u, p, e);
    if (r == 1)
        r = cannot_go_on(u, e);
    if (r < 0)
        fail(u, r, e);
    if (r == 0 && is_new)
        give_token(u);
    if (r == 0)
        snprintf(text, sizeof(text), "%s", u->etags[p->number - 1]);
    give_back(u, p, r < 0 ? NULL : text);
    return r;
}

static int take_part(struct direct_upload *u, struct part *p, struct err *e)
{
    int r;

    if (p->number != u->count + 1 || p->number > GATEWAY_PARTS_MAX)
        return err_set(e, -FAULT_REFUSED, "http: '%.200s' has more parts than the bucket takes", u->base.object->key);
    if ((r = make_room(u, p->number, e)) < 0)
        return r;
    if (p->size == 0 && p->number > 1) { /* the object ends with the part before */
        give_back(u, p, "empty");
        return 0;
    }
    if ((r = upload_pool_put(u->pool, p)) < 0)
        return r == -ECANCELED ? r : err_set(e, r, "cannot start a thread: %s", strerror(-r));
    u->size += p->size;
    u->count++;
    return 0;
}

static int put_small(struct direct_upload *u, struct part *p, struct err *e)
{
    const struct small_object o = {u->base.object->key, u->base.object->content_type, p->data, p->size};
    int r = http_resume_put(u->base.store, &o, u->base.events, e);

    u->base.confirmed = r == 0;
    u->size = p->size;
    give_back(u, p, r < 0 ? NULL : "");
    return r < 0 ? r : 0;
}

/* Begun with the first part of several. 1: it has to pass through. */
static int begin(struct direct_upload *u, struct err *e)
{
    int r = open_upload(u, GATEWAY_BEGIN, NULL, e);

    if (r == -FAULT_EXISTS)
        return 1;
    if (r == -FAULT_REFUSED || r == -FAULT_DENIED || r == -FAULT_NO_OBJECT || r == -FAULT_FORMAT) {
        note_unreachable(u, e);
        return 1;
    }
    if (r == 0 && u->base.store->direct == DIRECT_PROVEN)
        give_token(u);
    return r;
}

static int write_part(struct upload *base, struct part *p, struct err *e)
{
    struct direct_upload *u = (struct direct_upload *)base;
    int r;

    if (u->stream)
        return u->stream->way->write(u->stream, p, e);
    if (p->number == 1 && p->last)
        return put_small(u, p, e);
    if ((r = first_failure(u, e)) == 0 && !u->upload.token && (r = begin(u, e)) == 1)
        return pass_through(u, p, e);
    if (r == 0 && base->store->direct != DIRECT_PROVEN && p->size > 0)
        return take_unproven(u, p, e);
    if (r == 0)
        r = take_part(u, p, e);
    if (r == -ECANCELED) /* another part has failed meanwhile: that failure is the cause */
        r = first_failure(u, e);
    else if (r < 0)
        fail(u, r, e);
    if (r < 0)
        give_back(u, p, NULL);
    return r;
}

/* --- the end ------------------------------------------------------------------------------------------------------ */

static int complete(struct direct_upload *u, struct err *e)
{
    const struct gateway_question body = {
        .token = u->upload.token, .size = u->size, .etags = u->etags, .sizes = u->sizes, .count = u->count};
    const struct question q = {GATEWAY_COMPLETE, &body, u->base.object->key, NULL};
    int r;

    /* The bucket may work on it for minutes; asked once more, the server waits for the same end. */
    for (unsigned i = 0; i < COMPLETE_TRIES; i++) {
        CLEANUP(http_answer_done) struct http_answer answer = {0};

        if ((r = ask(u, u->base.store->http, &q, &answer, e)) != -FAULT_STALLED)
            break;
    }
    return r;
}

static int commit(struct upload *base, const struct whole *w, struct err *e)
{
    struct direct_upload *u = (struct direct_upload *)base;
    int r;

    if (u->stream) {
        r = u->stream->way->commit(u->stream, w, e);
        base->confirmed = u->stream->confirmed;
        return r;
    }
    upload_pool_drain(u->pool);
    if ((r = first_failure(u, e)) < 0)
        return r;
    if (u->size != w->size)
        return err_set(e, -FAULT_CORRUPT, "http: %s/%s: %" PRIu64 " of %" PRIu64 " bytes were sent", base->store->base,
                       base->object->key, u->size, w->size);
    if (!u->upload.token)
        return 0; /* one part was all there is */
    r = complete(u, e);
    base->confirmed = r == 0; /* the server has compared what the bucket has with the parts' digests */
    return r;
}

static void abort_upload(struct upload *base)
{
    struct direct_upload *u = (struct direct_upload *)base;
    struct err aborted;

    if (u->stream) {
        u->stream->way->abort(u->stream);
        return;
    }
    fail(u, err_set(&aborted, -ECANCELED, "http: the upload was aborted"), &aborted);
    upload_pool_drain(u->pool); /* a part that arrives after the abort would stay */
    cancel(u);
}

static void free_upload(struct upload *base)
{
    struct direct_upload *u = (struct direct_upload *)base;

    if (u->stream)
        u->stream->way->free(u->stream);
    upload_pool_free(u->pool);
    for (size_t i = 0; i < u->capacity; i++)
        free(u->etags[i]);
    free(u->etags);
    free(u->sizes);
    free(u->upload.token);
    pthread_mutex_destroy(&u->events_lock);
    pthread_mutex_destroy(&u->lock);
    free(u);
}

/* --- the beginning ------------------------------------------------------------------------------------------------ */

bool http_direct_is_token(const char *token)
{
    return text_starts(token, "sha256:") || text_starts(token, "md5:");
}

bool http_direct_wanted(const struct http_store *s, const struct upload_start *start)
{
    const struct object *o = start->object;

    return s->direct != DIRECT_NONE && clock_mono_ms() >= s->direct_again_ms && o->part_size >= PART_MIN &&
           o->size_max / o->part_size < GATEWAY_PARTS_MAX &&
           (!start->past || (start->past->token && http_direct_is_token(start->past->token)));
}

/* An earlier process's parts. */
static int take_up(struct direct_upload *u, const struct upload_past *past, struct err *e)
{
    const struct gateway_question body = {.token = (char *)past->token};
    struct s3_part_etag ignored;
    int r;

    if (past->count > GATEWAY_PARTS_MAX || (r = make_room(u, past->count, e)) < 0)
        return err_set(e, -FAULT_GONE, "http: the journal has more parts than there can be");
    for (unsigned i = 0; i < past->count; i++) {
        if (s3_part_etag_parse(past->etags[i], &ignored) < 0)
            return err_set(e, -FAULT_GONE, "http: the journal is of no use: part %u has no ETag", i + 1);
        if ((r = note_part(u, i + 1, past->sizes[i], past->etags[i], e)) < 0)
            return r;
        u->size += past->sizes[i];
    }
    u->count = past->count;
    return open_upload(u, GATEWAY_RESUME, &body, e);
}

static const struct upload_way WAY = {write_part, commit, abort_upload, free_upload};

int http_direct_new(struct http_store *s, const struct upload_start *start, struct upload **ret, struct err *e)
{
    struct direct_upload *u = calloc(1, sizeof(*u));
    int r;

    assert(s->uploads > 0);
    if (!u)
        return err_set(e, -ENOMEM, "out of memory");
    u->base = (struct upload){.way = &WAY, .store = s, .object = start->object, .events = start->events};
    u->relay = (struct upload_events){.ctx = u, .waiting = say_waiting};
    pthread_mutex_init(&u->lock, NULL);
    pthread_mutex_init(&u->events_lock, NULL);
    r = upload_pool_new(s->uploads, &POOL_OPS, u, &u->pool) < 0 ? err_set(e, -ENOMEM, "out of memory") : 0;
    if (r == 0 && start->past)
        r = take_up(u, start->past, e);
    if (r < 0) {
        free_upload(&u->base);
        return r;
    }
    *ret = &u->base;
    return 0;
}

int http_direct_probe(struct http_store *s, const char *key, struct err *e)
{
    static const struct upload_events NONE = {0};
    const struct object object = {.key = key, .content_type = "application/octet-stream"};
    struct direct_upload u = {.base = {.store = s, .object = &object, .events = &NONE}, .once = true};
    int r = open_upload(&u, GATEWAY_BEGIN, NULL, e);

    cancel(&u);
    return r;
}

int http_direct_abort(struct http_store *s, const char *key, const char *token, struct err *e)
{
    static const struct upload_events NONE = {0};
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    struct direct_upload u = {.base = {.store = s, .events = &NONE}, .relay = NONE};
    const struct gateway_question body = {.token = (char *)token};
    int r = ask(&u, s->http, &(struct question){GATEWAY_ABORT, &body, key, NULL}, &answer, e);

    return r == -FAULT_GONE ? 0 : r;
}
