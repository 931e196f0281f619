/* SPDX-License-Identifier: Apache-2.0
 *
 * Clocks and dates. Deadlines and delays use the monotonic clock, because the wall clock jumps; times in texts are UTC.
 */
#pragma once

#include <stdint.h>

enum { CLOCK_TEXT_MAX = 40 };

uint64_t clock_mono_ms(void);
uint64_t clock_mono_us(void);
int64_t clock_wall_ns(void); /* since 1970 */
void clock_sleep_ms(uint64_t ms);

/* From now to a point of clock_mono_ms(); 0 once it has passed. */
uint64_t clock_left_ms(uint64_t until_ms);

/* "2026-11-21T01:56:05.123Z" into out[CLOCK_TEXT_MAX]; returns out. */
const char *clock_format(int64_t wall_ns, char *out);

/* "20261121T015605Z": sorts, and is safe in a key (ISO 8601 basic format; also SigV4's). */
const char *clock_format_basic(int64_t wall_ns, char *out);

/* "Sat, 21 Nov 2026 01:56:05 GMT" (RFC 9110, 5.6.7). */
const char *clock_format_http(int64_t wall_ns, char *out);

/* The first form, fraction optional. 0 or -EINVAL. */
int clock_parse(const char *text, int64_t *ret_wall_ns);

/* An HTTP date (RFC 9110, 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT"). 0 or -EINVAL. */
int clock_parse_http(const char *text, int64_t *ret_wall_ns);
