/* SPDX-License-Identifier: Apache-2.0
 *
 * The decision by fault, policy and time left.
 */
#include "base/retry.h"

#include <assert.h>

#include "base/fault.h"

static uint64_t time_left(const struct retry_state *s, const struct retry_policy *p, uint64_t now_ms)
{
    uint64_t spent = now_ms > s->since_ms ? now_ms - s->since_ms : 0;

    if (p->give_up_ms == 0)
        return UINT64_MAX;
    return spent < p->give_up_ms ? p->give_up_ms - spent : 0;
}

static enum retry_verdict verdict_of(const struct retry_state *s, const struct retry_policy *p,
                                     const struct retry_pace *pace, uint64_t left_ms)
{
    if (p->tries_most > 0 && s->backoff.tries >= p->tries_most - 1)
        return RETRY_GIVE_UP_TRIES;
    if (pace->most_ms == 0)
        return RETRY_GIVE_UP_FAULT;
    return left_ms == 0 ? RETRY_GIVE_UP_TIME : RETRY_WAIT;
}

struct retry_decision retry_decide(struct retry_state *s, const struct retry_policy *p, int result,
                                   uint64_t retry_after_ms, uint64_t now_ms)
{
    const struct retry_pace *pace = fault_is_transient(result) ? &p->soon : &p->slowly;
    struct retry_decision d = {.fresh = result != s->last};
    uint64_t left_ms;

    assert(result < 0);
    s->last = result;
    if (s->since_ms == 0)
        s->since_ms = now_ms;
    left_ms = time_left(s, p, now_ms);
    d.verdict = verdict_of(s, p, pace, left_ms);
    if (d.verdict != RETRY_WAIT)
        return d;
    s->backoff.first_ms = pace->first_ms;
    s->backoff.most_ms = pace->most_ms;
    d.delay_ms = backoff_next(&s->backoff, retry_after_ms);
    if (d.delay_ms <= left_ms)
        return d;
    if (retry_after_ms > left_ms)
        d.verdict = RETRY_GIVE_UP_TIME;
    d.delay_ms = left_ms;
    return d;
}

void retry_succeeded(struct retry_state *s)
{
    *s = (struct retry_state){0};
}
