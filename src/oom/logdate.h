/* SPDX-License-Identifier: Apache-2.0
 *
 * Dates in logs: the variants of ISO 8601, of syslog, dmesg -T and journalctl. Foreign bytes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct logdate {
    int64_t wall_ns; /* since 1970; as if the date were UTC if it is not zoned */
    bool zoned;
    bool yearless; /* in syslog's format: wall_ns is in 1972 */
};

/* Whether *at begins with a date; if so, *at moves behind it, else both are untouched. logdate_take_unix: seconds
 * since 1970 with a fraction, and a blank. */
bool logdate_take(const char **at, struct logdate *ret);
bool logdate_take_unix(const char **at, struct logdate *ret);

/* Parts of dates: a month's name, from 0; between least and most digits; ".123456" or ",123" as nanoseconds, 0 if
 * there is no fraction. */
bool logdate_month(const char **at, int *ret);
bool logdate_digits(const char **at, int least, int most, int *ret);
long logdate_fraction(const char **at);
