/* SPDX-License-Identifier: Apache-2.0
 *
 * Supervises one worker.
 */
#include "watch/worker_slot.h"

#include <assert.h>

#include "linux/process_activity.h"

static uint64_t next_check(const struct worker_slot *s, uint64_t now_ms)
{
    return now_ms + (s->stuck_ms / 4 < WORKER_SLOT_CHECK_MS ? s->stuck_ms / 4 : WORKER_SLOT_CHECK_MS);
}

void worker_slot_begin(struct worker_slot *s, struct item *item, uint64_t now_ms)
{
    assert(!s->item && s->end_ms == 0);
    s->item = item;
    s->started_ms = s->active_ms = now_ms;
    s->check_ms = next_check(s, now_ms);
    s->activity = 0;
    s->finishing = s->returning = false;
}

void worker_slot_idle(struct worker_slot *s)
{
    s->item = NULL;
    s->sweeping = s->finishing = s->returning = false;
}

void worker_slot_message(struct worker_slot *s, uint64_t until_ms)
{
    s->active_ms = until_ms;
}

void worker_slot_end(struct worker_slot *s, bool kill, uint64_t now_ms)
{
    if (kill) {
        child_kill(&s->child);
        s->killed = true;
    } else {
        child_end(&s->child);
    }
    if (!child_may_start(&s->child) && s->end_ms == 0)
        s->end_ms = now_ms + WORKER_SLOT_END_MS;
}

void worker_slot_closed(struct worker_slot *s)
{
    s->end_ms = 0;
    s->killed = s->lost = false;
    worker_slot_idle(s);
}

static void lower(uint64_t *next_ms, uint64_t ms)
{
    if (ms < *next_ms)
        *next_ms = ms;
}

static void check_end(struct worker_slot *s, uint64_t now_ms, uint64_t *ret_next_ms)
{
    if (now_ms >= s->end_ms && s->killed) {
        s->lost = true;
        return;
    }
    if (now_ms >= s->end_ms) {
        child_kill(&s->child);
        s->killed = true;
        s->end_ms = now_ms + WORKER_SLOT_END_MS;
    }
    lower(ret_next_ms, s->end_ms);
}

void worker_slot_due(const struct worker_slot *s, uint64_t *next_ms)
{
    if (s->item && s->end_ms == 0)
        lower(next_ms, s->check_ms);
}

uint64_t worker_slot_check(struct worker_slot *s, uint64_t now_ms, uint64_t *ret_next_ms)
{
    uint64_t activity;

    if (s->end_ms > 0 && !s->lost)
        check_end(s, now_ms, ret_next_ms);
    if (!s->item || s->end_ms > 0)
        return 0;
    if (now_ms >= s->check_ms) {
        s->check_ms = next_check(s, now_ms);
        activity = s->activity + 1; /* without /proc it counts as active */
        if (process_activity_get("/proc", child_pid(&s->child), &activity) < 0 || activity != s->activity) {
            s->activity = activity;
            if (s->active_ms < now_ms)
                s->active_ms = now_ms;
        }
    }
    lower(ret_next_ms, s->check_ms);
    return now_ms > s->active_ms && now_ms - s->active_ms >= s->stuck_ms ? now_ms - s->active_ms : 0;
}
