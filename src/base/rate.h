/* SPDX-License-Identifier: Apache-2.0
 *
 * "3/day": how often something may happen at most, in any stretch of time that long.
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

/* "3/day" into out[RATE_TEXT_MAX], which rate_parse makes the same of; returns out. */
const char *rate_print(const struct rate *r, char *out);
