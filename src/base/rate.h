/* SPDX-License-Identifier: Apache-2.0
 *
 * A rate limit such as "3/day": at most that many events in any period of that length.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

enum { RATE_COUNT_MAX = 100, RATE_TEXT_MAX = 40 };

struct rate {
    unsigned count; /* 0: no limit */
    uint64_t per_ms;
};

/* "3/day", "1/hour", "5/12h", "none". -FAULT_USAGE: anything else, more than RATE_COUNT_MAX, never at all ("0/day"). */
int rate_parse(const char *text, struct rate *ret, struct err *e);

/* Prints "3/day" into out[RATE_TEXT_MAX], which rate_parse can read back; returns out. */
const char *rate_print(const struct rate *r, char *out);
