/* SPDX-License-Identifier: Apache-2.0
 *
 * The delay before a retry: exponential with jitter, never shorter than the store's Retry-After.
 */
#pragma once

#include <stdint.h>

struct backoff {
    uint32_t first_ms; /* the first delay's ceiling */
    uint32_t most_ms;  /* the ceiling that doubling stops at */
    unsigned tries;    /* so far; set to 0 after a success */
};

/* The next delay in ms, in [ceiling/2, ceiling] or retry_after_ms if that is longer; counts the try. A Retry-After
 * beyond an hour is cut to an hour: it may be a wrong clock. */
uint64_t backoff_next(struct backoff *b, uint64_t retry_after_ms);
