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

int direct_upload_failure(struct direct_upload *u, struct err *e)
{
    int r = upload_flight_result(&u->flight, e);

    if (r < 0 && u->base.store->direct == DIRECT_PROVEN)
        u->base.store->direct = DIRECT_OFFERED; /* the next upload finds out whether it is the way there */
    return r;
}

int direct_upload_note_part(struct direct_upload *u, unsigned number, uint64_t size, const char *etag, struct err *e)
{
    char *copy = strdup(etag);
    int r = copy ? 0 : -ENOMEM;

    pthread_mutex_lock(&u->flight.lock);
    if (r == 0) {
        u->etags[number - 1] = copy;
        u->sizes[number - 1] = size;
    }
    pthread_mutex_unlock(&u->flight.lock);
    return r < 0 ? err_set(e, r, "out of memory") : 0;
}

int direct_upload_make_room(struct direct_upload *u, unsigned count, struct err *e)
{
    size_t before = u->capacity;
    int r;

    pthread_mutex_lock(&u->flight.lock);
    r = array_reserve(&u->sizes, count, &u->sizes_capacity, sizeof(*u->sizes), GATEWAY_PARTS_MAX);
    if (r == 0)
        r = array_reserve(&u->etags, count, &u->capacity, sizeof(*u->etags), GATEWAY_PARTS_MAX);
    if (r == 0 && u->capacity > before)
        memset(u->etags + before, 0, (u->capacity - before) * sizeof(*u->etags));
    pthread_mutex_unlock(&u->flight.lock);
    return r < 0 ? err_set(e, r, "out of memory") : 0;
}

static int connect_again(void *ctx, struct http **ret, struct err *e)
{
    const struct direct_upload *u = ctx;

    return http_new(&u->base.store->options, ret, e);
}

static int send_and_note(void *ctx, struct http *h, const struct part *p, char text[static UPLOAD_ETAG_MAX],
                         struct err *e)
{
    struct direct_upload *u = ctx;
    struct direct_part t = {.client = &u->client,
                            .http = h,
                            .part = p,
                            .patient = true,
                            .wait = direct_upload_wait,
                            .wait_ctx = u->flight.pool};
    struct s3_part_etag etag;
    int r = direct_part_send(&t, &etag, e);

    return r < 0 ? r : direct_upload_note_part(u, p->number, p->size, s3_part_etag_format(&etag, text), e);
}

const struct upload_flight_ops DIRECT_UPLOAD_FLIGHT = {.connect = connect_again, .send = send_and_note};
