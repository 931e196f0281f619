/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. A JVM's collector and its heap, from the counters (JDK 8 to 25, all collectors). The age of "used"
 * depends on the collector: some update it every 50 ms, others at the end of a collection only.
 */
#pragma once

#include "hotspot/hsperf.h"

enum { JVMHEAP_SPACES = 6, JVMHEAP_EDEN = 0, JVMHEAP_OLD = 3, JVMHEAP_COLLECTIONS = 2 };

struct jvmheap {
    const char *collector; /* "G1", "Serial" … as the -XX:+UseNAMEGC has it; NULL unknown. Static */
    int64_t used, max;     /* bytes; -1 unknown */
    bool collecting;       /* right now */
    /* Ticks at the end of the last collection: of the young generation, and of the whole heap; 0: none yet. */
    int64_t collected[JVMHEAP_COLLECTIONS];
    bool had_filled; /* the last collection was caused by a full space; only if placed */
    /* Heap bytes in memory now, by the kernel's count (jvmheap_in_memory); exact: it is known. */
    bool exact;
    int64_t in_memory;
    /* Eden, survivors, old. placed: each has a place of its own in memory: what moves from one to another then needs
     * memory there, and the first one keeps its own, up to what is committed to it (given back beyond that). */
    bool placed;
    struct {
        int64_t used, committed; /* bytes; 0 unknown */
    } space[JVMHEAP_SPACES];
};

/* What makes no sense is unknown. */
void jvmheap_read(const struct hsperf *h, struct jvmheap *ret);

/* Whether the heap is a file in memory (ZGC's, whose counters say nothing between two collections): then the kernel
 * knows how much of it is there, and jvmheap_in_memory takes its word. */
bool jvmheap_is_shared(const struct jvmheap *heap);
void jvmheap_in_memory(struct jvmheap *heap, uint64_t shared);
