/* SPDX-License-Identifier: Apache-2.0
 *
 * How fast something grows that is known only to within some bytes: what a JVM has beside its heap is its cgroup's
 * memory less what its counters say, and those lag behind. Over ten seconds the error matters little; a rise within
 * less is believed once it is larger than the error can be. Pure.
 */
#pragma once

#include <stdint.h>

enum { NOISY_GROWTH_POINTS = 20 };

struct noisy_growth {
    struct {
        uint64_t at_ms;
        int64_t bytes;
    } point[NOISY_GROWTH_POINTS]; /* a ring */
    unsigned newest, count;
};

/* In the order of time. Points closer than half a second are not kept. */
void noisy_growth_add(struct noisy_growth *s, uint64_t at_ms, int64_t bytes);

/* Bytes a second. quick: its speed just now, as far as it can be told; error: how far bytes may be from the truth. */
double noisy_growth_speed(const struct noisy_growth *s, uint64_t at_ms, int64_t bytes, double quick, uint64_t error);
