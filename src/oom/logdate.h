/* SPDX-License-Identifier: Apache-2.0
 *
 * Dates as logs have them: ISO 8601 in its many hands, syslog's, dmesg -T's, journalctl's. Foreign bytes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct logdate {
    int64_t wall_ns; /* since 1970, as if the date were UTC unless it is zoned */
    bool zoned;
    bool yearless; /* syslog's: wall_ns is of 1972 */
};

/* Each: whether there is one, which *at moves behind; both are untouched if not. The second: seconds since 1970 with a
 * fraction and a blank behind it. */
bool logdate_take(const char **at, struct logdate *ret);
bool logdate_take_unix(const char **at, struct logdate *ret);

/* Parts of them: a month's name, from 0; least to most digits and no more; ".123456" or ",123" in nanoseconds, 0
 * without. */
bool logdate_month(const char **at, int *ret);
bool logdate_digits(const char **at, int least, int most, int *ret);
long logdate_fraction(const char **at);
