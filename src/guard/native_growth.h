/* SPDX-License-Identifier: Apache-2.0
 *
 * A cgroup with a JVM in it: how much of its memory belongs to the heap, how far the heap can still grow, and how
 * fast the memory outside the heap (native memory) grows. The JVM's counters lag behind the cgroup's, and during a
 * collection they do not show what the collector moves. Pure.
 */
#pragma once

#include "guard/growth.h"
#include "guard/noisy_growth.h"
#include "hotspot/jvmheap.h"

struct native_growth {
    int64_t touched; /* bytes of the heap that are in memory; the JVM does not give them back */
    int64_t peak[JVMHEAP_SPACES];
    struct growth growth;
    struct noisy_growth noisy;
    int64_t collected[JVMHEAP_COLLECTIONS]; /* end times of the last collections that were seen */
    bool ended[JVMHEAP_COLLECTIONS], had_filled[JVMHEAP_COLLECTIONS]; /* since the counters were last trusted */
    bool moving;                  /* a collection is under way, the counters cannot be trusted: poll again soon */
    uint64_t moving_ms, ended_ms; /* since when, and when the first collection ended meanwhile; 0: none */
    int64_t own, left, speed;     /* values when the counters were last trusted; own 0: never */
    bool watched;                 /* polled without a gap; after a gap the heap may have given memory back */
};

/* own: bytes of the cgroup's memory, read just before the counters. Call in the order of time. */
void native_growth_add(struct native_growth *b, const struct jvmheap *heap, int64_t own, uint64_t now_ms);

/* Polling pauses: forget the trend. */
void native_growth_forget(struct native_growth *b);

/* Bytes by which the heap can still grow in memory. own: bytes of the cgroup's memory now. */
int64_t native_growth_heap_left(const struct native_growth *b, int64_t own);
