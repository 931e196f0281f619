/* SPDX-License-Identifier: Apache-2.0
 *
 * A child and a timer, which is either for its next start or for our patience with its end.
 */
#include "agent/armkeeper.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"

enum { FIRST_MS = 1000, MOST_MS = 5 * 60 * 1000, LONG_MS = 60 * 1000, PATIENCE_MS = 5000 };

static void start_child(struct armkeeper *k);

static void on_time(uv_timer_t *timer)
{
    struct armkeeper *k = timer->data;

    if (k->closing)
        child_kill(&k->child);
    else
        start_child(k);
}

static void on_message(void *ctx, const struct wire *w)
{
    (void)ctx;
    (void)w; /* it has nothing to say */
}

/* When it ended too soon after its start, the next start waits. */
static void again_later(struct armkeeper *k, const char *story)
{
    uint64_t delay;

    if (clock_mono_ms() - k->started_ms > LONG_MS)
        k->backoff.tries = 0;
    delay = backoff_next(&k->backoff, 0);
    log_event(EVENT_ARM_DIED, LOG_STR("error", story), LOG_UINT("retry_in_s", delay / 1000));
    uv_update_time(k->child.loop);
    uv_timer_start(&k->timer, on_time, delay, 0);
}

static void on_ended(void *ctx, const char *story)
{
    struct armkeeper *k = ctx;

    if (!k->closing)
        again_later(k, story);
}

static void on_closed(void *ctx)
{
    struct armkeeper *k = ctx;

    if (k->closing)
        uv_close((uv_handle_t *)&k->timer, NULL);
}

static void start_child(struct armkeeper *k)
{
    int r;

    k->started_ms = clock_mono_ms();
    r = child_start(&k->child, k->args);
    if (r < 0)
        again_later(k, strerror(-r));
}

void armkeeper_start(struct armkeeper *k, uv_loop_t *loop, char *const *args)
{
    *k = (struct armkeeper){
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
void armkeeper_close(struct armkeeper *k)
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
