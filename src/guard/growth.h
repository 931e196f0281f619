/* SPDX-License-Identifier: Apache-2.0
 *
 * How fast a number of bytes grows, from readings at any intervals; and when to read it next. Pure: time comes in.
 *
 * The speed is that of the last second (or of the last four spans, where readings are seldom), cut into spans of 1/8 s
 * at least: the fastest and the slowest are left out, so that one leap, or one thing freed, is no trend. What is new
 * (latest) is the last span alone: for deciding when to look again, where an error costs a look.
 */
#pragma once

#include <stdint.h>

enum { GROWTH_POINTS = 12 };

struct growth {
    struct {
        uint64_t at_ms;
        int64_t bytes;
    } point[GROWTH_POINTS]; /* a ring: spans between them */
    unsigned count, newest;
    uint64_t at_ms; /* the newest reading, which may not end a span yet */
    int64_t bytes;
};

/* Start with zeroes. Readings that don't go on in time are left out. */
void growth_add(struct growth *g, uint64_t at_ms, int64_t bytes);

double growth_speed(const struct growth *g);  /* bytes a second; below 0: it shrinks; 0 as long as it can't be known */
double growth_latest(const struct growth *g); /* the same of the last span alone */

enum { PACE_MIN_MS = 5, PACE_MAX_MS = 1000 };

/* When to read again, ms: a quarter of the time to what comes next at the present speed. Room is what is left up to the
 * limit (both UINT64_MAX without one), next the way to the nearest threshold that somebody waits for (UINT64_MAX: none;
 * 0: it is passed). Near the limit nobody can rely on a quiet process staying so: it may begin to take PACE_LEAP a
 * second, or a quarter of a small limit. */
#define PACE_LEAP (64.0 * 1024 * 1024)
unsigned pace_ms(uint64_t limit, uint64_t room, uint64_t next, double latest);

/* Time to the limit, ms: UINT64_MAX if it doesn't grow. */
uint64_t growth_time_to(uint64_t room, double speed);
