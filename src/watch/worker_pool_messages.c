/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages from workers, and their end.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "ship/manifest.h"
#include "ship/report.h"
#include "ship/spool.h"
#include "watch/retain.h"
#include "watch/worker_pool_internal.h"

static void on_shipped(struct pool *p, struct item *i, const struct wire *w)
{
    uint64_t started_ms = i->slot->started_ms;
    CLEANUP(manifest_done) struct manifest m = {0};
    enum pool_outcome outcome = POOL_STORED;
    struct err e = {0};
    int r;

    if (manifest_decode(w->text, strlen(w->text), &m, &e) < 0) {
        log_event(EVENT_WORKER_DIED, LOG_STR("path", i->claim->path), LOG_STR("error", e.msg));
        child_kill(&i->slot->child); /* the worker's end is handled like any other */
        return;
    }
    retry_succeeded(&p->hold);
    p->store_ok_until_ms = pool_now(p) + RETAIN_SPARE_MS;
    i->claim->size = m.size;
    i->claim->mtime_ns = (int64_t)w->b;
    if (i->follow_fd >= 0)
        close(TAKE_FD(i->follow_fd)); /* else its blocks would not be freed */
    if (p->events.stored)
        p->events.stored(p->events.ctx, i->claim, &m);
    r = spool_finish(i->claim->spool, i->claim, p->config.machine, p->config.plan->keep, &e);
    if (r == -FAULT_CHANGED) {
        pool_attempt_failed(p, i, &(struct pool_failure){.code = r, .reason = e.msg});
        return;
    }
    if (r < 0) {
        log_event(EVENT_FAILED, LOG_STR("path", i->claim->path), LOG_STR("fault", "not-erased"),
                  LOG_STR("error", e.msg));
        outcome = POOL_FAILED;
    }
    /* Last: a reader of this event may rely on the room being free. */
    report_shipped(p->config.plan, &m, w->a != 0, (double)(pool_now(p) - started_ms) / 1000);
    pool_end_item(p, i, outcome);
}

void pool_on_message(void *ctx, const struct wire *w)
{
    struct worker_slot *s = ctx;
    struct pool *p = s->pool;
    struct item *i = s->item;

    if (!i && w->type != WIRE_SWEPT)
        return;
    worker_slot_message(s, pool_now(p) + (w->type == WIRE_WAITING ? w->a : 0));
    switch (w->type) {
    case WIRE_SHIPPED:
        on_shipped(p, i, w);
        break;
    case WIRE_FAILED:
        pool_attempt_failed(p, i, &(struct pool_failure){w->code < 0 ? w->code : -EIO, w->text, w->a});
        break;
    case WIRE_SWEPT:
        s->sweeping = false;
        if (w->a > 0)
            log_event(EVENT_ABORTED_UPLOAD, LOG_UINT("count", w->a));
        break;
    case WIRE_FACTS:
        pool_set_facts(p, w->text);
        break;
    case WIRE_PROGRESS:
        p->store_ok_until_ms = pool_now(p) + RETAIN_SPARE_MS;
        s->finishing = w->a >= i->claim->size && !item_is_followed(i);
        break;
    case WIRE_RESUMED:
        log_event(EVENT_RESUMED, LOG_STR("id", i->claim->id), LOG_STR("path", i->claim->path),
                  LOG_UINT("stored", w->a));
        break;
    case WIRE_STATE_LOST:
        log_event(EVENT_STATE_LOST, LOG_STR("path", i->claim->path), LOG_STR("error", w->text));
        break;
    case WIRE_UNVERIFIED:
        if (!p->unverified_logged)
            log_event(EVENT_STORED_UNVERIFIED, LOG_STR("path", i->claim->path), LOG_STR("error", w->text));
        p->unverified_logged = true;
        break;
    case WIRE_UNANALYSED:
        log_event(EVENT_NOT_ANALYSED, LOG_STR("path", i->claim->path), LOG_STR("error", w->text));
        break;
    case WIRE_UNDIGESTED:
        log_event(EVENT_NO_DIGEST, LOG_STR("path", i->claim->path), LOG_STR("error", w->text));
        break;
    case WIRE_WAITING:
        if (w->a == 0) {
            log_event(EVENT_STORE_DETOUR, LOG_STR("path", i->claim->path), LOG_STR("error", w->text));
            break;
        }
        p->store_ok_until_ms = 0;
        if (!i->waiting_logged && i->retry.last == 0)
            log_event(EVENT_FAILED, LOG_STR("path", i->claim->path), LOG_STR("fault", "passing"),
                      LOG_STR("error", w->text), LOG_UINT("retry_in_s", (w->a + 999) / 1000));
        i->waiting_logged = true;
        break;
    default:
        break;
    }
    pool_schedule(p);
}

void pool_on_worker_ended(void *ctx, const char *reason)
{
    struct worker_slot *s = ctx;
    struct pool *p = s->pool;
    struct item *i = s->item;
    bool returning = s->returning;

    worker_slot_idle(s);
    if (!i || p->closing)
        return;
    i->slot = NULL;
    p->retain_due_ms = 0;
    if (returning)
        return; /* it waits again */
    if (i->cancelled) {
        if (access(i->claim->path, F_OK) < 0)
            spool_drop(i->claim->spool, i->claim);
        pool_end_item(p, i, POOL_DROPPED);
        return;
    }
    log_event(EVENT_WORKER_DIED, LOG_STR("path", i->claim->path), LOG_STR("error", reason));
    pool_attempt_failed(p, i, &(struct pool_failure){.code = -EIO, .reason = reason});
}

bool pool_all_closed(const struct pool *p)
{
    for (unsigned n = 0; n < POOL_SLOTS_MAX; n++)
        if (!child_may_start(&p->slots[n].child))
            return false;
    return true;
}

void pool_on_worker_closed(void *ctx)
{
    struct worker_slot *s = ctx;

    worker_slot_closed(s);
    if (s->pool->closing && pool_all_closed(s->pool) && !uv_is_closing((uv_handle_t *)&s->pool->close_timer))
        uv_close((uv_handle_t *)&s->pool->close_timer, NULL);
    pool_schedule(s->pool);
}
