/* SPDX-License-Identifier: Apache-2.0
 *
 * Failed attempts: the claim is dropped, given up, or tried again after a delay; a failing store delays all claims.
 */
#include <errno.h>

#include "base/log.h"
#include "ship/spool.h"
#include "watch/worker_pool_internal.h"

static const struct retry_policy PACE = {.soon = {1000, 60 * 1000}, .slowly = {60 * 1000, 300 * 1000}};

/* Faults of the store: they affect all claims alike. */
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
    case FAULT_NO_PROCESS: /* not of the store, but affects all claims alike, too */
        return true;
    default:
        return false;
    }
}

static void log_failure(const struct item *i, int code, const char *reason, uint64_t delay_ms)
{
    log_event(EVENT_FAILED, LOG_STR("path", i->claim->path), LOG_STR("fault", fault_find(code)->name),
              LOG_STR("error", reason), LOG_UINT("retry_in_s", (delay_ms + 999) / 1000));
}

/* The store fails: no claim is started for a while. Returns the time when the next may be. */
static uint64_t hold_all(struct pool *p, const struct item *i, const struct pool_failure *f)
{
    uint64_t now = pool_now(p);
    struct retry_decision d = retry_decide(&p->hold, &PACE, f->code, f->retry_after_ms, now);

    p->hold_until_ms = now + d.delay_ms;
    p->store_ok_until_ms = 0;
    if (d.fresh)
        log_failure(i, f->code, f->reason, d.delay_ms);
    return p->hold_until_ms;
}

/* Gives the claim up, or delays it: alone, or with all others if the fault affects all of them. */
static void retry(struct pool *p, struct item *i, const struct pool_failure *f)
{
    struct retry_policy policy = PACE;
    uint64_t now = pool_now(p);
    struct retry_decision d;

    policy.tries_most = p->config.once ? 1 : 0;
    policy.give_up_ms = p->config.plan->give_up_ms;
    d = retry_decide(&i->retry, &policy, f->code, f->retry_after_ms, now);
    if (d.verdict != RETRY_WAIT) {
        log_event(EVENT_GAVE_UP, LOG_STR("path", i->claim->path), LOG_STR("fault", fault_find(f->code)->name),
                  LOG_STR("error", f->reason));
        pool_end_item(p, i, POOL_FAILED);
        return;
    }
    if (is_store_fault(f->code)) {
        i->due_ms = hold_all(p, i, f);
        return;
    }
    i->due_ms = now + d.delay_ms;
    if (d.fresh)
        log_failure(i, f->code, f->reason, d.delay_ms);
}

void pool_attempt_failed(struct pool *p, struct item *i, const struct pool_failure *f)
{
    if (i->slot)
        worker_slot_idle(i->slot);
    i->slot = NULL;
    p->retain_due_ms = 0;
    if (f->code == -ENOENT || (i->claim->in_place && f->code == -FAULT_CHANGED)) {
        /* The file was removed, or was written to in place: the watcher finds it again. */
        if (i->claim->spool)
            spool_drop(i->claim->spool, i->claim);
        pool_end_item(p, i, POOL_DROPPED);
        return;
    }
    if (item_is_followed(i)) {
        /* The file is found again when it is closed. */
        if (is_store_fault(f->code))
            hold_all(p, i, f);
        pool_end_item(p, i, POOL_DROPPED);
        return;
    }
    retry(p, i, f);
}
