/* SPDX-License-Identifier: Apache-2.0
 *
 * Failed attempts: dropped, given up, or put off with a backoff; a failing store holds all claims back.
 */
#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "watch/worker_pool_internal.h"

enum { SOON_FIRST_MS = 1000, SOON_MOST_MS = 60 * 1000, SLOWLY_FIRST_MS = 60 * 1000, SLOWLY_MOST_MS = 300 * 1000 };

/* Faults of the store, not of one file: they meet every claim alike. */
static bool is_store_fault(int result)
{
    switch (-result) {
    case FAULT_DENIED:
    case FAULT_EXPIRED:
    case FAULT_CREDENTIALS:
    case FAULT_NO_BUCKET:
    case FAULT_UNREACHABLE:
    case FAULT_STALLED:
    case FAULT_TLS:
    case FAULT_FULL:
    case FAULT_BUSY:
    case FAULT_NO_PROCESS: /* not the store, but it meets every claim alike, too */
        return true;
    default:
        return false;
    }
}

/* When it is tried again: alone, or with all the others if the fault meets all of them. Says why, once. */
static void put_off(struct pool *p, struct item *i, int code, uint64_t retry_after_ms, const char *reason)
{
    const struct fault_info *fault = fault_find(code);
    bool slowly = fault->retry != RETRY_SOON, store = is_store_fault(code);
    struct backoff *b = store ? &p->hold : &i->backoff;
    int *said = store ? &p->hold_logged : &i->said;
    uint64_t delay;

    b->first_ms = slowly ? SLOWLY_FIRST_MS : SOON_FIRST_MS;
    b->most_ms = slowly ? SLOWLY_MOST_MS : SOON_MOST_MS;
    delay = backoff_next(b, retry_after_ms);
    i->due_ms = clock_mono_ms() + delay;
    if (store) {
        p->hold_until_ms = i->due_ms;
        p->well_ms = 0;
    }
    if (*said != code)
        log_event(EVENT_FAILED, LOG_STR("path", i->claim->path), LOG_STR("fault", fault->name),
                  LOG_STR("error", reason), LOG_UINT("retry_in_s", (delay + 999) / 1000));
    *said = code;
}

static void retry(struct pool *p, struct item *i, int code, uint64_t retry_after_ms, const char *reason)
{
    const struct fault_info *fault = fault_find(code);
    uint64_t now = clock_mono_ms();

    if (p->config.once || (p->config.plan->give_up_ms && i->first_failure_ms &&
                           now - i->first_failure_ms >= p->config.plan->give_up_ms)) {
        log_event(EVENT_GAVE_UP, LOG_STR("path", i->claim->path), LOG_STR("fault", fault->name),
                  LOG_STR("error", reason));
        pool_end_item(p, i, POOL_FAILED);
        return;
    }
    if (!i->first_failure_ms)
        i->first_failure_ms = now;
    put_off(p, i, code, retry_after_ms, reason);
}

void pool_attempt_failed(struct pool *p, struct item *i, int code, uint64_t retry_after_ms, const char *reason)
{
    if (i->slot)
        worker_slot_idle(i->slot);
    i->slot = NULL;
    p->retain_due_ms = 0;
    if (code == -ENOENT || (i->claim->in_place && code == -FAULT_CHANGED)) {
        /* Gone; or written to where it lies: whoever found it looks at it anew. */
        if (i->claim->spool)
            spool_drop(i->claim->spool, i->claim);
        pool_end_item(p, i, POOL_DROPPED);
        return;
    }
    if (item_is_followed(i)) {
        /* Following was a head start: without it the file is found again when it is closed. */
        if (is_store_fault(code))
            put_off(p, i, code, retry_after_ms, reason);
        pool_end_item(p, i, POOL_DROPPED);
        return;
    }
    retry(p, i, code, retry_after_ms, reason);
}
