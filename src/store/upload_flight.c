/* SPDX-License-Identifier: Apache-2.0 */
#include "store/upload_flight.h"

#include <assert.h>
#include <errno.h>

static void work(void *ctx, void **connection, struct part *p)
{
    struct upload_flight *f = ctx;
    struct http *h = *connection;
    char etag[UPLOAD_ETAG_MAX];
    struct err e = {0};
    int r = 0;

    if (upload_pool_stopped(f->pool)) {
        upload_flight_give_back(f, p, NULL);
        return;
    }
    if (!h && (r = f->ops->connect(f->ctx, &h, &e)) == 0)
        *connection = h;
    if (r == 0)
        r = f->ops->send(f->ctx, h, p, etag, &e);
    if (r < 0)
        upload_flight_fail(f, r, &e);
    upload_flight_give_back(f, p, r < 0 ? NULL : etag);
}

static void close_connection(void *connection)
{
    http_free(connection);
}

static const struct upload_pool_ops POOL = {.work = work, .close = close_connection};

static int wait_patiently(void *ctx, const struct err *trouble, uint64_t delay_ms)
{
    struct upload_flight *f = ctx;

    if (upload_pool_stopped(f->pool))
        return -ECANCELED;
    upload_flight_waiting(f, trouble, delay_ms);
    return upload_pool_wait(f->pool, delay_ms);
}

int upload_flight_init(struct upload_flight *f, unsigned threads)
{
    assert(f->ops && f->events && f->events->done);
    f->patience = (struct request_patience){.wait = wait_patiently, .ctx = f};
    pthread_mutex_init(&f->lock, NULL);
    pthread_mutex_init(&f->events_lock, NULL);
    return upload_pool_new(threads, &POOL, f, &f->pool) < 0 ? -ENOMEM : 0;
}

void upload_flight_done(struct upload_flight *f, struct part *held)
{
    upload_pool_free(f->pool);
    if (held)
        upload_flight_give_back(f, held, NULL);
    pthread_mutex_destroy(&f->events_lock);
    pthread_mutex_destroy(&f->lock);
}

int upload_flight_result(struct upload_flight *f, struct err *e)
{
    int r;

    pthread_mutex_lock(&f->lock);
    r = f->result;
    if (r < 0 && e)
        *e = f->error;
    pthread_mutex_unlock(&f->lock);
    return r;
}

int upload_flight_fail(struct upload_flight *f, int result, const struct err *e)
{
    pthread_mutex_lock(&f->lock);
    if (f->result == 0) {
        f->result = result;
        f->error = *e;
    }
    pthread_mutex_unlock(&f->lock);
    upload_pool_stop(f->pool);
    return result;
}

int upload_flight_write(struct upload_flight *f, struct part *p, int (*take)(void *ctx, struct part *p, struct err *e),
                        struct err *e)
{
    int r;

    assert(p->number > 0 && (p->data || p->size == 0));
    if ((r = upload_flight_result(f, e)) == 0)
        r = take(f->ctx, p, e);
    if (r == -ECANCELED) /* another part has failed meanwhile: that failure is the cause */
        r = upload_flight_result(f, e);
    else if (r < 0)
        upload_flight_fail(f, r, e);
    if (r < 0)
        upload_flight_give_back(f, p, NULL);
    return r;
}

void upload_flight_give_back(struct upload_flight *f, struct part *p, const char *etag)
{
    pthread_mutex_lock(&f->events_lock);
    f->events->done(f->events->ctx, p, etag);
    pthread_mutex_unlock(&f->events_lock);
}

void upload_flight_token(struct upload_flight *f, const char *token)
{
    pthread_mutex_lock(&f->events_lock);
    if (f->events->token)
        f->events->token(f->events->ctx, token);
    pthread_mutex_unlock(&f->events_lock);
}

void upload_flight_waiting(struct upload_flight *f, const struct err *trouble, uint64_t delay_ms)
{
    pthread_mutex_lock(&f->events_lock);
    if (f->events->waiting)
        f->events->waiting(f->events->ctx, trouble, delay_ms);
    pthread_mutex_unlock(&f->events_lock);
}
