/* SPDX-License-Identifier: Apache-2.0
 *
 * How long to wait before trying again: exponential with full jitter, never shorter than what the store asked for.
 */
#pragma once

#include <stdint.h>

struct backoff {
    uint32_t first_ms; /* the first delay's ceiling */
    uint32_t most_ms;  /* the ceiling that doubling stops at */
    unsigned tries;    /* so far; set to 0 after a success */
};

/* The next delay in ms, in [ceiling/2, ceiling] or retry_after_ms if that is longer; counts the try.
 * A Retry-After beyond an hour is cut to an hour: it may be a joke, or a clock. */
uint64_t backoff_next(struct backoff *b, uint64_t retry_after_ms);
