/* SPDX-License-Identifier: Apache-2.0
 *
 * A cgroup with a JVM in it: how much of its memory is the heap's, how far the heap can still grow, and how fast
 * everything beside it does. Both have to be told apart by counters that lag behind, and that say nothing of what a
 * collector moves until it is done. Pure.
 */
#pragma once

#include "guard/growth.h"
#include "guard/noisy_growth.h"
#include "hotspot/jvmheap.h"

struct native_growth {
    int64_t touched; /* bytes of the heap that are in memory: it is not given back */
    int64_t peak[JVMHEAP_SPACES];
    struct growth growth;
    struct noisy_growth noisy;
    int64_t collected[JVMHEAP_COLLECTIONS];                           /* ends of the last ones that were seen */
    bool ended[JVMHEAP_COLLECTIONS], had_filled[JVMHEAP_COLLECTIONS]; /* since the counters were believed */
    bool moving;                  /* they were not at the last look: look again soon */
    uint64_t moving_ms, ended_ms; /* since when, and the first end of a collection meanwhile; 0: none */
    int64_t own, left, speed;     /* what came of them when they were believed last; own 0: never */
    bool watched;                 /* since the last look; else the heap may have given some back */
};

/* own: bytes of the cgroup's memory, read just before the counters. In the order of time. */
void native_growth_add(struct native_growth *b, const struct jvmheap *heap, int64_t own, uint64_t now_ms);

/* Nobody looks for a while. */
void native_growth_forget(struct native_growth *b);

/* Bytes by which the heap can still grow in memory, while the cgroup has so many. */
int64_t native_growth_heap_left(const struct native_growth *b, int64_t own);
