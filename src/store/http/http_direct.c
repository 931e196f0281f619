/* SPDX-License-Identifier: Apache-2.0
 *
 * An upload through `salvage serve --from` whose parts go straight to the bucket, several at once, each by a URL that
 * the server signs for it (direct_part.c). Our credentials go to the server alone. Until a part has arrived that
 * way, the first one is sent alone: where the bucket cannot be reached from here, or refuses us, all passes through the
 * server (http_stream.c), for a while.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/http/direct_part.h"
#include "store/http/direct_upload.h"

enum { PART_MIN = 5 * 1024 * 1024 /* S3's */, AGAIN_MS = 10 * 60 * 1000, COMPLETE_TRIES = 10 };

static void say_waiting(void *ctx, const struct err *e, uint64_t delay_ms)
{
    struct direct_upload *u = ctx;

    upload_flight_waiting(&u->flight, e, delay_ms);
}

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

    gateway_client_cancel(&u->client);
    if ((r = http_upload_stream_new(u->base.store, &start, &u->stream, e)) < 0) {
        upload_flight_give_back(&u->flight, p, NULL);
        return r;
    }
    return u->stream->way->write(u->stream, p, e);
}

/* The first part of this upload, here and now: it shows whether the bucket can be reached. 1: it cannot. */
static int prove(struct direct_upload *u, struct part *p, struct err *e)
{
    struct direct_part t = {.client = &u->client,
                            .http = u->base.store->http,
                            .part = p,
                            .patient = u->count > 0, /* what was begun is worth some */
                            .wait = direct_upload_wait,
                            .wait_ctx = u->flight.pool};
    char text[S3_PART_ETAG_MAX];
    struct s3_part_etag etag;
    int r = direct_part_send(&t, &etag, e);

    if (r == -ENOMEM || r == -FAULT_GONE)
        return r;
    if (r < 0) {
        note_unreachable(u, e);
        return 1;
    }
    u->base.store->direct = DIRECT_PROVEN;
    if ((r = direct_upload_make_room(u, p->number, e)) < 0 ||
        (r = direct_upload_note_part(u, p->number, p->size, s3_part_etag_format(&etag, text), e)) < 0)
        return r;
    u->count++;
    u->size += p->size;
    return 0;
}

static void give_token(struct direct_upload *u)
{
    upload_flight_token(&u->flight, u->client.upload.token);
}

/* An upload that another process began: what it has stored is in the bucket, so it is not thrown away for a bucket that
 * cannot be reached just now; unless the server reaches it, which it has done a moment ago. */
static int cannot_go_on(struct direct_upload *u, struct err *e)
{
    gateway_client_cancel(&u->client);
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
        upload_flight_fail(&u->flight, r, e);
    if (r == 0 && is_new)
        give_token(u);
    if (r == 0)
        snprintf(text, sizeof(text), "%s", u->etags[p->number - 1]);
    upload_flight_give_back(&u->flight, p, r < 0 ? NULL : text);
    return r;
}

static int take_part(struct direct_upload *u, struct part *p, struct err *e)
{
    int r;

    if (p->number != u->count + 1 || p->number > GATEWAY_PARTS_MAX)
        return err_set(e, -FAULT_REFUSED, "http: '%.200s' has more parts than the bucket takes", u->base.object->key);
    if ((r = direct_upload_make_room(u, p->number, e)) < 0)
        return r;
    if (p->size == 0 && p->number > 1) { /* the object ends with the part before */
        upload_flight_give_back(&u->flight, p, "empty");
        return 0;
    }
    if ((r = upload_pool_put(u->flight.pool, p)) < 0)
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
    upload_flight_give_back(&u->flight, p, r < 0 ? NULL : "");
    return r < 0 ? r : 0;
}

/* Begun with the first part of several. 1: it has to pass through. */
static int begin(struct direct_upload *u, struct err *e)
{
    int r = gateway_client_open(&u->client, NULL, e);

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
    if ((r = direct_upload_failure(u, e)) == 0 && !u->client.upload.token && (r = begin(u, e)) == 1)
        return pass_through(u, p, e);
    if (r == 0 && base->store->direct != DIRECT_PROVEN && p->size > 0)
        return take_unproven(u, p, e);
    if (r == 0)
        r = take_part(u, p, e);
    if (r == -ECANCELED) /* another part has failed meanwhile: that failure is the cause */
        r = direct_upload_failure(u, e);
    else if (r < 0)
        upload_flight_fail(&u->flight, r, e);
    if (r < 0)
        upload_flight_give_back(&u->flight, p, NULL);
    return r;
}

/* --- the end ------------------------------------------------------------------------------------------------------ */

static int complete(struct direct_upload *u, struct err *e)
{
    const struct gateway_question body = {
        .token = u->client.upload.token, .size = u->size, .etags = u->etags, .sizes = u->sizes, .count = u->count};
    const struct gateway_call call = {u->base.store->http, GATEWAY_COMPLETE, &body};
    int r;

    /* The bucket may work on it for minutes; asked once more, the server waits for the same end. */
    for (unsigned i = 0; i < COMPLETE_TRIES; i++) {
        CLEANUP(http_answer_done) struct http_answer answer = {0};

        if ((r = gateway_client_ask(&u->client, &call, &answer, e)) != -FAULT_STALLED)
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
    upload_pool_drain(u->flight.pool);
    if ((r = direct_upload_failure(u, e)) < 0)
        return r;
    if (u->size != w->size)
        return err_set(e, -FAULT_CORRUPT, "http: %s/%s: %" PRIu64 " of %" PRIu64 " bytes were sent", base->store->base,
                       base->object->key, u->size, w->size);
    if (!u->client.upload.token)
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
    upload_flight_fail(&u->flight, err_set(&aborted, -ECANCELED, "http: the upload was aborted"), &aborted);
    upload_pool_drain(u->flight.pool); /* a part that arrives after the abort would stay */
    gateway_client_cancel(&u->client);
}

static void free_upload(struct upload *base)
{
    struct direct_upload *u = (struct direct_upload *)base;

    if (u->stream)
        u->stream->way->free(u->stream);
    upload_flight_done(&u->flight, NULL);
    for (size_t i = 0; i < u->capacity; i++)
        free(u->etags[i]);
    free(u->etags);
    free(u->sizes);
    free(u->client.upload.token);
    free(u);
}

/* --- the beginning ------------------------------------------------------------------------------------------------ */

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
    struct s3_part_etag ignored;
    int r;

    if (past->count > GATEWAY_PARTS_MAX || (r = direct_upload_make_room(u, past->count, e)) < 0)
        return err_set(e, -FAULT_GONE, "http: the journal has more parts than there can be");
    for (unsigned i = 0; i < past->count; i++) {
        if (s3_part_etag_parse(past->etags[i], &ignored) < 0)
            return err_set(e, -FAULT_GONE, "http: the journal is of no use: part %u has no ETag", i + 1);
        if ((r = direct_upload_note_part(u, i + 1, past->sizes[i], past->etags[i], e)) < 0)
            return r;
        u->size += past->sizes[i];
    }
    u->count = past->count;
    if (u->count > 1 && u->sizes[u->count - 1] == 0) /* an empty last one was not sent */
        u->count--;
    return gateway_client_open(&u->client, past->token, e);
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
    u->client = (struct gateway_client){.store = s,
                                        .key = start->object->key,
                                        .content_type = start->object->content_type,
                                        .events = {.ctx = u, .waiting = say_waiting}};
    u->flight = (struct upload_flight){.ops = &DIRECT_UPLOAD_FLIGHT, .ctx = u, .events = start->events};
    r = upload_flight_init(&u->flight, s->uploads) < 0 ? err_set(e, -ENOMEM, "out of memory") : 0;
    if (r == 0 && start->past)
        r = take_up(u, start->past, e);
    if (r < 0) {
        free_upload(&u->base);
        return r;
    }
    *ret = &u->base;
    return 0;
}
