/* SPDX-License-Identifier: Apache-2.0
 *
 * Parts on the pool's threads.
 */
#include "store/http/direct_upload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "store/http/direct_part.h"

int direct_upload_wait(void *pool, uint64_t delay_ms)
{
    return upload_pool_wait(pool, delay_ms);
}

int direct_upload_fail(struct direct_upload *u, int result, const struct err *e)
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

int direct_upload_failure(struct direct_upload *u, struct err *e)
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

void direct_upload_give_back(struct direct_upload *u, struct part *p, const char *etag)
{
    pthread_mutex_lock(&u->events_lock);
    u->base.events->done(u->base.events->ctx, p, etag);
    pthread_mutex_unlock(&u->events_lock);
}

int direct_upload_note_part(struct direct_upload *u, unsigned number, uint64_t size, const char *etag, struct err *e)
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

int direct_upload_make_room(struct direct_upload *u, unsigned count, struct err *e)
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
    struct direct_part t = {
        .client = &u->client, .http = h, .part = p, .patient = true, .wait = direct_upload_wait, .wait_ctx = u->pool};
    struct s3_part_etag etag;
    int r = direct_part_send(&t, &etag, e);

    return r < 0 ? r : direct_upload_note_part(u, p->number, p->size, s3_part_etag_format(&etag, text), e);
}

static void work(void *ctx, void **connection, struct part *p)
{
    struct direct_upload *u = ctx;
    struct http *h = *connection;
    char text[S3_PART_ETAG_MAX];
    struct err e = {0};
    int r = 0;

    if (upload_pool_stopped(u->pool)) {
        direct_upload_give_back(u, p, NULL);
        return;
    }
    if (!h && (r = http_new(&u->base.store->options, &h, &e)) == 0)
        *connection = h;
    if (r == 0)
        r = store_part(u, h, p, text, &e);
    if (r < 0)
        direct_upload_fail(u, r, &e);
    direct_upload_give_back(u, p, r < 0 ? NULL : text);
}

static void close_connection(void *connection)
{
    http_free(connection);
}

const struct upload_pool_ops DIRECT_UPLOAD_POOL = {.work = work, .close = close_connection};
