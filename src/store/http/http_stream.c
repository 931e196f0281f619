/* SPDX-License-Identifier: Apache-2.0
 *
 * An object on its way to a file server that knows no resumable uploads. One part is all there is: a PUT that can be
 * sent again. More: a thread streams them into one chunked PUT while they come; what was sent is gone, so after trouble
 * the caller begins anew. No more parts wait here than `uploads`.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/thread.h"
#include "store/http/http_store.h"

enum { STACK_SIZE = 512 * 1024 };

DEFINE_CLEANUP(struct http *, http_free)

struct stream {
    struct upload base;
    char *key;     /* to PUT to: the object's, or a temporary one */
    uint64_t size; /* taken from the caller so far */

    /* the stream */
    pthread_t thread;
    bool running;
    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t changed;
    struct part **queue; /* a ring */
    unsigned capacity, first, count;
    bool ended;      /* no more parts will come */
    bool broken_off; /* aborted by its owner */
    bool finished;   /* the thread has ended and the queue is empty: result and err are final */
    int result;
    struct err err;

    /* used by the thread alone */
    size_t sent;   /* bytes of the first part */
    bool all_sent; /* the end was sent too */

    struct digest_field stored; /* what the server says it has stored, once nothing runs any more */
};

/* The first part has been dealt with; the lock is held, but not during the owner's callback. */
static void give_back_first(struct stream *u, const char *etag)
{
    struct part *part = u->queue[u->first];

    u->first = (u->first + 1) % u->capacity;
    u->count--;
    u->sent = 0;
    pthread_cond_broadcast(&u->changed);
    pthread_mutex_unlock(&u->lock);
    u->base.events->done(u->base.events->ctx, part, etag);
    pthread_mutex_lock(&u->lock);
}

/* The body, for http_perform: waits for parts. */
static ssize_t next_bytes(void *ctx, void *data, size_t size)
{
    struct stream *u = ctx;
    ssize_t n = 0;

    pthread_mutex_lock(&u->lock);
    while (n == 0) {
        while (u->count == 0 && !u->ended && !u->broken_off)
            pthread_cond_wait(&u->changed, &u->lock);
        if (u->broken_off) {
            n = -FAULT_LATER;
        } else if (u->count == 0) {
            u->all_sent = true;
            break;
        } else {
            const struct part *part = u->queue[u->first];
            size_t left = part->size - u->sent, some = left < size ? left : size;

            if (some > 0)
                memcpy(data, part->data + u->sent, some);
            u->sent += some;
            if (u->sent == part->size)
                give_back_first(u, "");
            n = (ssize_t)some;
        }
    }
    pthread_mutex_unlock(&u->lock);
    return n;
}

static int put_stream(struct stream *u, struct err *e)
{
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    CLEANUP(http_free_ptr) struct http *http = NULL;
    CLEANUP_FREE char *url = http_store_url(u->base.store, u->key);
    struct http_request request;
    int r = http_new(&u->base.store->options, &http, e);

    if (r == 0)
        r = http_store_request(u->base.store, "PUT", url, &request, e);
    if (r < 0)
        return r;
    http_add_header(&request, "Content-Type", u->base.object->content_type);
    request.read = next_bytes;
    request.ctx = u;
    r = http_perform(http, &request, &answer, e);
    if (r < 0)
        return r;
    if (!http_store_ok(&answer))
        return http_put_fail(u->base.store, &request, &answer, e);
    http_store_digest(&answer, &u->stored);
    if (!u->all_sent)
        return err_set(e, -FAULT_REFUSED, "http: the server was content with a part of %s", url);
    return 0;
}

static void *run(void *ctx)
{
    struct stream *u = ctx;
    struct err e = {0};
    int r = put_stream(u, &e);

    pthread_mutex_lock(&u->lock);
    while (u->count > 0)
        give_back_first(u, NULL);
    u->result = r;
    u->err = e;
    u->finished = true;
    pthread_cond_broadcast(&u->changed);
    pthread_mutex_unlock(&u->lock);
    return NULL;
}

static int stream_part(struct stream *u, struct part *p, struct err *e)
{
    bool taken = false;
    int r = 0;

    if (!u->running) {
        r = thread_start(&u->thread, STACK_SIZE, run, u);
        if (r < 0)
            err_set(e, r, "cannot start a thread: %s", strerror(-r));
        u->running = r == 0;
    }
    pthread_mutex_lock(&u->lock);
    while (r == 0 && u->count == u->capacity && !u->finished)
        pthread_cond_wait(&u->changed, &u->lock);
    if (r == 0 && u->finished) {
        r = u->result < 0 ? u->result : -FAULT_REFUSED;
        *e = u->err;
    } else if (r == 0) {
        u->queue[(u->first + u->count++) % u->capacity] = p;
        taken = true;
        u->ended = p->last;
        pthread_cond_broadcast(&u->changed);
    }
    pthread_mutex_unlock(&u->lock);
    if (!taken)
        u->base.events->done(u->base.events->ctx, p, NULL);
    return r;
}

static int stream_write(struct upload *base, struct part *p, struct err *e)
{
    struct stream *u = (struct stream *)base;
    int r;

    u->size += p->size;
    if (p->number != 1 || !p->last)
        return stream_part(u, p, e);
    r = http_put_data(u->base.store, &(struct small_object){u->key, u->base.object->content_type, p->data, p->size},
                      u->base.events, e);
    u->stored = u->base.store->stored;
    u->base.events->done(u->base.events->ctx, p, r < 0 ? NULL : "");
    return r;
}

/* A server that reports the digest of what it stored has verified it: it need not be read back, nor be readable. */
static bool is_confirmed(const struct stream *u, const struct whole *w)
{
    unsigned char sha256[DIGEST_SHA256_SIZE];

    return u->stored.has_sha256 && text_eq(u->key, u->base.object->key) &&
           text_unhex(w->sha256, sha256, sizeof(sha256)) == 0 && memcmp(sha256, u->stored.sha256, sizeof(sha256)) == 0;
}

static void join(struct stream *u, bool *reason)
{
    pthread_mutex_lock(&u->lock);
    *reason = true;
    pthread_cond_broadcast(&u->changed);
    pthread_mutex_unlock(&u->lock);
    if (u->running)
        pthread_join(u->thread, NULL);
    u->running = false;
}

static int stream_commit(struct upload *base, const struct whole *w, struct err *e)
{
    struct stream *u = (struct stream *)base;

    join(u, &u->ended);
    if (u->result < 0) {
        *e = u->err;
        return u->result;
    }
    if (u->size != w->size)
        return err_set(e, -FAULT_CORRUPT, "http: %s/%s: %" PRIu64 " of %" PRIu64 " bytes were sent",
                       u->base.store->base, u->key, u->size, w->size);
    u->base.confirmed = is_confirmed(u, w);
    return http_put_finish(u->base.store,
                           &(struct http_move){.from = u->key, .to = u->base.object->key, .size = w->size},
                           u->base.events, e);
}

static void stream_abort(struct upload *base)
{
    struct stream *u = (struct stream *)base;
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    CLEANUP_FREE char *url = http_store_url(u->base.store, u->key);
    struct http_request request;
    struct err ignored;

    join(u, &u->broken_off);
    if (u->base.store->move == MOVE_OFFERED &&
        http_store_request(u->base.store, "DELETE", url, &request, &ignored) == 0)
        (void)http_perform(u->base.store->http, &request, &answer, &ignored);
}

static void stream_free(struct upload *base)
{
    struct stream *u = (struct stream *)base;

    join(u, &u->broken_off);
    pthread_cond_destroy(&u->changed);
    pthread_mutex_destroy(&u->lock);
    free(u->queue);
    free(u->key);
    free(u);
}

static const struct upload_way WAY = {stream_write, stream_commit, stream_abort, stream_free};

int http_upload_stream_new(struct http_store *s, const struct upload_start *start, struct upload **ret, struct err *e)
{
    struct stream *u;
    int r;

    assert(s->uploads > 0);
    if (start->past)
        return err_set(e, -FAULT_GONE, "http: an upload to a file server cannot go on, it begins anew");
    u = calloc(1, sizeof(*u));
    if (!u)
        return err_set(e, -ENOMEM, "out of memory");
    u->base = (struct upload){.way = &WAY, .store = s, .object = start->object, .events = start->events};
    u->capacity = s->uploads;
    pthread_mutex_init(&u->lock, NULL);
    pthread_cond_init(&u->changed, NULL);
    u->queue = calloc(u->capacity, sizeof(struct part *));
    r = u->queue ? http_put_prepare(s, start->object, start->events, &u->key, e) : err_set(e, -ENOMEM, "out of memory");
    if (r < 0) {
        stream_free(&u->base);
        return r;
    }
    *ret = &u->base;
    return 0;
}
