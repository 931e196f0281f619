/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether to try again after a failure, and when: by what the fault says of itself (base/fault.h), with a backoff, up
 * to a limit in time. Pure but for chance: the caller has the clock, waits, and logs.
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
    struct retry_pace slowly; /* after any other; zeros: it is not tried again */
    uint64_t give_up_ms;      /* after retry_state.since_ms; 0: never */
    bool once;                /* the first failure is the last */
};

/* Of one thing that is tried; zeroed at first. */
struct retry_state {
    struct backoff backoff;
    uint64_t since_ms; /* monotonic, from when give_up_ms counts: set by the caller, or else at the first failure */
    int last;          /* the last failure; 0: none, or a success since */
};

enum retry_verdict {
    RETRY_WAIT,          /* try again after delay_ms */
    RETRY_GIVE_UP_ONCE,  /* the policy allows one try */
    RETRY_GIVE_UP_FAULT, /* another try does not help */
    RETRY_GIVE_UP_TIME   /* the time is over, or the store asks for more patience than there is time */
};

struct retry_decision {
    enum retry_verdict verdict;
    uint64_t delay_ms; /* with RETRY_WAIT. The last try is at the end of the time, not before */
    bool fresh;        /* another fault than the last time: worth a line in the log */
};

/* After a failure. result: negative, of any function here; retry_after_ms: what the store asked for, 0 without. */
struct retry_decision retry_decide(struct retry_state *s, const struct retry_policy *p, int result,
                                   uint64_t retry_after_ms, uint64_t now_ms);

/* After a success: the next failure is a first one. */
void retry_succeeded(struct retry_state *s);
