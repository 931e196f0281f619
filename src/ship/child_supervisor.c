/* SPDX-License-Identifier: Apache-2.0
 *
 * A child and a timer: for its next start, or for its SIGKILL when it does not end.
 */
#include "ship/child_supervisor.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

static void log_armer_died(const char *reason, uint64_t retry_in_ms)
{
    log_event(EVENT_ARM_DIED, LOG_STR("error", reason), LOG_UINT("retry_in_s", retry_in_ms / 1000));
}

static void log_notifier_died(const char *reason, uint64_t retry_in_ms)
{
    log_event(EVENT_NOTIFIER_DIED, LOG_STR("error", reason), LOG_UINT("retry_in_s", retry_in_ms / 1000));
}

static void log_storecheck_died(const char *reason, uint64_t retry_in_ms)
{
    log_event(EVENT_STORE_FAILED, LOG_STR("fault", "not-asked"), LOG_STR("error", reason),
              LOG_UINT("retry_in_s", retry_in_ms / 1000));
}

const struct child_supervisor_kind CHILD_SUPERVISOR_ARMER = {
    .first_ms = 1000, .most_ms = 300 * 1000, .long_ms = 60 * 1000, .patience_ms = 5000, .log_died = log_armer_died};
const struct child_supervisor_kind CHILD_SUPERVISOR_NOTIFIER = {
    .first_ms = 1000, .most_ms = 300 * 1000, .long_ms = 60 * 1000, .patience_ms = 10000, .log_died = log_notifier_died};
const struct child_supervisor_kind CHILD_SUPERVISOR_STORECHECK = {
    .first_ms = 5 * 1000, .most_ms = 300 * 1000, .patience_ms = 2000, .log_died = log_storecheck_died};

static void start_child(struct child_supervisor *k);

static void on_time(uv_timer_t *timer)
{
    struct child_supervisor *k = timer->data;

    if (k->closing)
        child_kill(&k->child);
    else
        start_child(k);
    if (!k->closing && k->restarted && child_is_up(&k->child))
        k->restarted(k->ctx);
}

static void on_message(void *ctx, const struct wire *w)
{
    struct child_supervisor *k = ctx;

    if (w->type == WIRE_FACTS && k->facts)
        k->facts(k->ctx, w->text);
    k->done = w->type == WIRE_CHECKED;
}

/* A process that ended soon after its start is started again later. */
static void again_later(struct child_supervisor *k, const char *reason)
{
    uint64_t delay;

    if (k->kind->long_ms && clock_mono_ms() - k->started_ms > k->kind->long_ms)
        k->backoff.tries = 0;
    delay = backoff_next(&k->backoff, 0);
    k->kind->log_died(reason, delay);
    uv_update_time(k->child.loop);
    uv_timer_start(&k->timer, on_time, delay, 0);
}

static void on_ended(void *ctx, const char *reason)
{
    struct child_supervisor *k = ctx;

    if (!k->closing && !k->done)
        again_later(k, reason);
}

static void on_closed(void *ctx)
{
    struct child_supervisor *k = ctx;

    if (k->closing)
        uv_close((uv_handle_t *)&k->timer, NULL);
}

static void start_child(struct child_supervisor *k)
{
    int r = child_may_start(&k->child) ? 0 : -EBUSY; /* killed, but not ended yet */

    k->started_ms = clock_mono_ms();
    if (r == 0)
        r = child_start(&k->child, k->args);
    if (r < 0)
        again_later(k, strerror(-r));
}

void child_supervisor_start(struct child_supervisor *k, const struct child_supervisor_kind *kind, uv_loop_t *loop,
                            char *const *args)
{
    assert(kind && loop && args && args[0]);
    *k = (struct child_supervisor){
        .child = {.loop = loop, .ctx = k, .message = on_message, .ended = on_ended, .closed = on_closed},
        .kind = kind,
        .backoff = {.first_ms = kind->first_ms, .most_ms = kind->most_ms},
        .args = args,
    };
    child_init(&k->child);
    uv_timer_init(loop, &k->timer);
    k->timer.data = k;
    start_child(k);
}

/* The process reads the end of its channel, and ends. */
void child_supervisor_close(struct child_supervisor *k)
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
    uv_timer_start(&k->timer, on_time, k->kind->patience_ms, 0);
}
