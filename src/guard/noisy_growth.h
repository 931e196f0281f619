/* SPDX-License-Identifier: Apache-2.0
 *
 * The growth rate of a value that is known only within an error: native memory is the cgroup's memory less what the
 * JVM's counters say, and those lag behind. Over ten seconds the error matters little; a shorter rise counts only
 * once it is larger than the error. Pure.
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

/* Call in the order of time. Points closer than half a second are dropped. */
void noisy_growth_add(struct noisy_growth *s, uint64_t at_ms, int64_t bytes);

/* Bytes a second. quick: the present growth rate, as measured; error: by how many bytes the value may be wrong. */
double noisy_growth_speed(const struct noisy_growth *s, uint64_t at_ms, int64_t bytes, double quick, uint64_t error);
