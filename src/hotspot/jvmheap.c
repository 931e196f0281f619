/* SPDX-License-Identifier: Apache-2.0
 *
 * Each collector has generations and spaces of its own (gcPolicyCounters, generationCounters, and the monitoring
 * support of each).
 */
#include "hotspot/jvmheap.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/text.h"

enum { GENERATIONS = 2, COLLECTORS = 4, SPACES = JVMHEAP_SPACES / GENERATIONS, NAME_SIZE = 64, PAGE = 4096 };

/* By the beginning of a counter's text; the first match counts. */
static const struct {
    const char *counter, *begins, *collector;
} SIGNS[] = {
    {"sun.gc.policy.name", "GarbageFirst", "G1"},
    {"sun.gc.policy.name", "Copy:", "Serial"},
    {"sun.gc.policy.name", "ParScav:", "Parallel"},
    {"sun.gc.policy.name", "ParNew:", "ConcMarkSweep"}, /* up to JDK 13 */
    {"sun.gc.collector.0.name", "Shenandoah", "Shenandoah"},
    {"sun.gc.collector.2.name", "Z", "Z"}, /* "Z concurrent cycle pauses", "ZGC major collection pauses" */
    {"sun.gc.collector.0.name", "Z", "Z"}, /* JDK 11 to 16 */
    {"sun.gc.generation.1.name", "Heap", "Epsilon"},
};

static const char *find_collector(const struct hsperf *h)
{
    char text[NAME_SIZE];

    for (size_t i = 0; i < ARRAY_SIZE(SIGNS); i++)
        if (hsperf_string(h, SIGNS[i].counter, text, sizeof(text)) && text_starts(text, SIGNS[i].begins))
            return SIGNS[i].collector;
    return NULL;
}

/* The sum of all spaces. A JVM that has not counted yet reports 0. */
static int64_t find_used(const struct hsperf *h, struct jvmheap *ret)
{
    char name[NAME_SIZE];
    int64_t sum = 0, n;

    for (unsigned g = 0; g < GENERATIONS; g++)
        for (unsigned s = 0; s < SPACES; s++) {
            snprintf(name, sizeof(name), "sun.gc.generation.%u.space.%u.used", g, s);
            if (!hsperf_long(h, name, &n))
                continue;
            if (n < 0 || __builtin_add_overflow(sum, n, &sum))
                return -1;
            ret->space[g * SPACES + s].used = n;
        }
    return sum > 0 ? sum : -1;
}

static void find_committed(const struct hsperf *h, struct jvmheap *ret)
{
    char name[NAME_SIZE];
    int64_t n;

    for (unsigned i = 0; i < JVMHEAP_SPACES; i++) {
        snprintf(name, sizeof(name), "sun.gc.generation.%u.space.%u.capacity", i / SPACES, i % SPACES);
        if (hsperf_long(h, name, &n) && n > 0)
            ret->space[i].committed = n;
    }
}

static bool has_places(const char *collector)
{
    return text_eq(collector, "Serial") || text_eq(collector, "Parallel") || text_eq(collector, "ConcMarkSweep");
}

/* Generations with fixed places in the heap each have a share of it; any other may grow to the whole heap. */
static int64_t find_max(const struct hsperf *h, bool shares)
{
    int64_t max = 0, n;
    char name[NAME_SIZE];

    for (unsigned g = 0; g < GENERATIONS; g++) {
        snprintf(name, sizeof(name), "sun.gc.generation.%u.maxCapacity", g);
        if (!hsperf_long(h, name, &n))
            continue;
        if (n < 0 || (shares && __builtin_add_overflow(max, n, &max)))
            return -1;
        if (!shares && n > max)
            max = n;
    }
    /* G1 adds a few bytes to each of its sizes, so that jstat never divides by 0 (up to JDK 22). */
    max -= max % PAGE;
    return max > 0 ? max : -1;
}

static void find_collections(const struct hsperf *h, struct jvmheap *ret)
{
    char name[NAME_SIZE], cause[NAME_SIZE];
    int64_t began, ended;

    for (unsigned i = 0; i < COLLECTORS; i++) {
        int64_t *last = &ret->collected[i == 0 ? 0 : 1];

        snprintf(name, sizeof(name), "sun.gc.collector.%u.lastEntryTime", i);
        if (!hsperf_long(h, name, &began))
            continue;
        snprintf(name, sizeof(name), "sun.gc.collector.%u.lastExitTime", i);
        if (!hsperf_long(h, name, &ended))
            continue;
        ret->collecting |= began > ended;
        *last = ended > *last ? ended : *last;
    }
    /* "Ergonomics": the collector expected the space to fill. */
    ret->had_filled = ret->placed && hsperf_string(h, "sun.gc.lastCause", cause, sizeof(cause)) &&
                      (text_eq(cause, "Allocation Failure") || text_eq(cause, "Ergonomics"));
}

/* Its "collections" are concurrent phases, during which the application runs. */
static bool is_concurrent(const char *collector)
{
    return collector && text_eq(collector, "Shenandoah");
}

void jvmheap_read(const struct hsperf *h, struct jvmheap *ret)
{
    const char *collector = find_collector(h);

    *ret = (struct jvmheap){.collector = collector, .placed = has_places(collector)};
    ret->used = find_used(h, ret);
    find_committed(h, ret);
    if (!is_concurrent(collector))
        find_collections(h, ret);
    ret->max = find_max(h, ret->placed);
}

bool jvmheap_is_shared(const struct jvmheap *heap)
{
    return heap->collector && text_eq(heap->collector, "Z") && heap->max > 0;
}

/* shared may include other shmem files, and lacks a heap in hugetlb pages. */
void jvmheap_in_memory(struct jvmheap *heap, uint64_t shared)
{
    heap->in_memory = shared < (uint64_t)heap->max ? (int64_t)shared : heap->max;
    heap->used = heap->in_memory > heap->used ? heap->in_memory : heap->used;
    heap->exact = true;
}
