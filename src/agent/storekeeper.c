/* SPDX-License-Identifier: Apache-2.0
 *
 * A child and a timer. The child says by a message that it ends because all is well.
 */
#include "agent/storekeeper.h"

#include <string.h>

#include "base/log.h"

enum { FIRST_MS = 5 * 1000, MOST_MS = 5 * 60 * 1000, PATIENCE_MS = 2000 };

static void start_child(struct storekeeper *k);

static void on_time(uv_timer_t *timer)
{
    struct storekeeper *k = timer->data;

    if (k->closing)
        child_kill(&k->child);
    else
        start_child(k);
}

static void on_message(void *ctx, const struct wire *w)
{
    struct storekeeper *k = ctx;

    k->done = w->type == WIRE_CHECKED;
}

static void again_later(struct storekeeper *k, const char *story)
{
    uint64_t delay_ms = backoff_next(&k->backoff, 0);

    log_event(EVENT_STORE_FAILED, LOG_STR("fault", "not-asked"), LOG_STR("error", story),
              LOG_UINT("retry_in_s", delay_ms / 1000));
    uv_update_time(k->child.loop);
    uv_timer_start(&k->timer, on_time, delay_ms, 0);
}

static void on_ended(void *ctx, const char *story)
{
    struct storekeeper *k = ctx;

    if (!k->closing && !k->done)
        again_later(k, story);
}

static void on_closed(void *ctx)
{
    struct storekeeper *k = ctx;

    if (k->closing)
        uv_close((uv_handle_t *)&k->timer, NULL);
}

static void start_child(struct storekeeper *k)
{
    int r = child_start(&k->child, k->args);

    if (r < 0)
        again_later(k, strerror(-r));
}

void storekeeper_start(struct storekeeper *k, uv_loop_t *loop, char *const *args)
{
    *k = (struct storekeeper){
        .child = {.loop = loop, .ctx = k, .message = on_message, .ended = on_ended, .closed = on_closed},
        .backoff = {.first_ms = FIRST_MS, .most_ms = MOST_MS},
        .args = args,
    };
    child_init(&k->child);
    uv_timer_init(loop, &k->timer);
    k->timer.data = k;
    start_child(k);
}

/* It sees the end of its channel, and ends. */
void storekeeper_close(struct storekeeper *k)
{
    if (!k->args || k->closing)
        return;
    k->closing = true;
    uv_timer_stop(&k->timer);
    if (child_may_start(&k->child)) {
        uv_close((uv_handle_t *)&k->timer, NULL);
        return;
    }
    child_end(&k->child);
    uv_update_time(k->child.loop);
    uv_timer_start(&k->timer, on_time, PATIENCE_MS, 0);
}
