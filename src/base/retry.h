/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether and when to retry after a failure: by the kind of fault (base/fault.h), with backoff, up to a time limit. The
 * caller provides the clock, waits, and logs.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/backoff.h"

/* The first delay's ceiling, and the one that doubling stops at. */
struct retry_pace {
    uint32_t first_ms, most_ms;
};

struct retry_policy {
    struct retry_pace soon;   /* after a fault that may pass by itself */
    struct retry_pace slowly; /* after any other fault; zeros: no retry */
    uint64_t give_up_ms;      /* after retry_state.since_ms; 0: never */
    unsigned tries_most;      /* 1: the first failure is the last; 0: no limit */
};

/* The state of one retried operation; zeroed at first. */
struct retry_state {
    struct backoff backoff;
    uint64_t since_ms; /* monotonic, from when give_up_ms counts: set by the caller, or else at the first failure */
    int last;          /* result of the last failure; 0: none since the last success */
};

enum retry_verdict {
    RETRY_WAIT,          /* try again after delay_ms */
    RETRY_GIVE_UP_TRIES, /* as many tries as the policy allows have failed */
    RETRY_GIVE_UP_FAULT, /* a retry does not help */
    RETRY_GIVE_UP_TIME   /* the time is over, or Retry-After is longer than the time left */
};

struct retry_decision {
    enum retry_verdict verdict;
    uint64_t delay_ms; /* with RETRY_WAIT. The last try is at the end of the time, not before */
    bool fresh;        /* another fault than the last time: to be logged */
};

/* Called after a failure. result: negative; retry_after_ms: the store's Retry-After, 0: none. */
struct retry_decision retry_decide(struct retry_state *s, const struct retry_policy *p, int result,
                                   uint64_t retry_after_ms, uint64_t now_ms);

/* Called after a success: resets the state. */
void retry_succeeded(struct retry_state *s);
