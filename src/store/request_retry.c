/* SPDX-License-Identifier: Apache-2.0 */
#include "store/request_retry.h"

#include <assert.h>

#include "base/clock.h"

static const struct retry_policy POLICY = {.soon = {500, 4000}, .give_up_ms = 10000, .tries_most = 5};

/* Not every fault that passes in minutes passes in seconds: an answer that is no XML will be none at the next try. */
static bool passes_in_seconds(int result)
{
    return result == -FAULT_BUSY || result == -FAULT_UNREACHABLE || result == -FAULT_STALLED ||
           result == -FAULT_CORRUPT;
}

bool request_retry(struct retry_state *state, int result, const struct err *e, uint64_t *ret_delay_ms)
{
    struct retry_decision d;

    assert(result < 0 && e);
    if (!passes_in_seconds(result))
        return false;
    d = retry_decide(state, &POLICY, result, e->retry_after_ms, clock_mono_ms());
    if (d.verdict != RETRY_WAIT)
        return false;
    *ret_delay_ms = d.delay_ms;
    return true;
}

int request_retry_wait(struct retry_state *state, const struct request_patience *patience, int result,
                       const struct err *e)
{
    uint64_t delay_ms;

    if (!request_retry(state, result, e, &delay_ms))
        return result;
    if (patience)
        return patience->wait(patience->ctx, e, delay_ms) < 0 ? result : 0;
    clock_sleep_ms(delay_ms);
    return 0;
}
