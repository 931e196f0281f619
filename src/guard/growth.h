/* SPDX-License-Identifier: Apache-2.0
 *
 * How fast a number of bytes grows, from samples at any intervals; and when to sample next. Pure: the caller passes the
 * time.
 *
 * growth_speed covers the last second (or the last four spans if samples are rare), cut into spans of at least 1/8
 * s. The fastest and the slowest span are left out, so that a single jump or a single large free makes no trend.
 * growth_latest is the last span alone: it decides when to sample again, where an error costs one extra sample.
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
    uint64_t at_ms; /* the newest sample, which may not end a span yet */
    int64_t bytes;
};

/* Start zeroed. Samples that are not newer than the last are dropped. */
void growth_add(struct growth *g, uint64_t at_ms, int64_t bytes);

double growth_speed(const struct growth *g);  /* bytes a second; below 0: it shrinks; 0 until it is known */
double growth_latest(const struct growth *g); /* the same for the last span alone */

enum { PACE_MIN_MS = 5, PACE_MAX_MS = 1000 };

/* When to sample again, in ms: a quarter of the time until the next mark at the present speed. room: bytes left
 * below the limit; next: bytes to the nearest threshold of a condition (UINT64_MAX: none; 0: it is passed); both
 * UINT64_MAX without a limit. Near the limit a process that was quiet may suddenly allocate PACE_LEAP a second, or a
 * quarter of a small limit. */
#define PACE_LEAP (64.0 * 1024 * 1024)
unsigned pace_ms(uint64_t limit, uint64_t room, uint64_t next, double latest);

/* Time to the limit, ms; UINT64_MAX if it does not grow. */
uint64_t growth_time_to(uint64_t room, double speed);
