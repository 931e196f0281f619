/* SPDX-License-Identifier: Apache-2.0
 *
 * The JVM is the largest process of the cgroup, if that has counters.
 */
#include "guard/target_jvm.h"

#include <stdio.h>
#include <unistd.h>

#include "hotspot/heapdump.h"

enum {
    AGAIN_MS = 5000,     /* no JVM was found: one may be starting */
    NONE_MS = 60000,     /* where the same process was no JVM before */
    GC_WINDOW_MS = 5000, /* the window over which collection time is measured */
    COLLECTORS = 4
};

static const char NONE[] = "no JVM with counters";

void target_jvm_done(struct target_jvm *j)
{
    proc_done(&j->proc);
    if (j->fd >= 0)
        close(j->fd);
    counters_done(&j->counters);
    *j = TARGET_JVM_NONE;
}

bool target_jvm_wants_pid(struct target_jvm *j, uint64_t now_ms)
{
    if (j->pid && !proc_is_alive(&j->proc))
        target_jvm_done(j);
    return !j->pid && now_ms >= j->again_at_ms;
}

void target_jvm_try(struct target_jvm *j, pid_t pid, uint64_t now_ms)
{
    struct err ignored;

    j->again_at_ms = now_ms + (pid == j->none ? NONE_MS : AGAIN_MS);
    j->none = pid;
    if (pid == 0 || proc_open("/proc", pid, &j->proc) < 0)
        return;
    if ((j->fd = counters_open(&j->proc, &ignored)) < 0) {
        proc_done(&j->proc);
        return;
    }
    j->pid = pid;
}

static struct reading_value share(const struct hsperf *h, const char *used_name, const char *max_name)
{
    int64_t used, max;

    if (!hsperf_long(h, used_name, &used) || !hsperf_long(h, max_name, &max) || used < 0 || max <= 0 || used > max)
        return reading_unknown("the JVM's counters do not have it");
    return reading_known((int64_t)((double)used / (double)max * READING_WHOLE));
}

/* Time in collections, summed over all collectors, since the end of the last window. */
static void count_gc(struct target_jvm *j, uint64_t now_ms)
{
    int64_t ticks = 0, one, hertz;
    char name[64];

    if (j->gc_at_ms && now_ms - j->gc_at_ms < GC_WINDOW_MS)
        return;
    if (!hsperf_long(&j->counters.perf, "sun.os.hrt.frequency", &hertz) || hertz <= 0)
        return;
    for (int i = 0; i < COLLECTORS; i++) {
        snprintf(name, sizeof(name), "sun.gc.collector.%d.time", i);
        if (hsperf_long(&j->counters.perf, name, &one) && one > 0 && one < INT64_MAX / COLLECTORS)
            ticks += one;
    }
    if (j->gc_at_ms && ticks >= j->gc_ticks) {
        double seconds = (double)(ticks - j->gc_ticks) / (double)hertz;
        double part = seconds * 1000 / (double)(now_ms - j->gc_at_ms);

        j->gc = reading_known((int64_t)((part < 1 ? part : 1) * READING_WHOLE));
    }
    j->gc_ticks = ticks;
    j->gc_at_ms = now_ms;
}

/* False: there is no JVM, or its counters lack the heap. */
static bool read_heap(struct target_jvm *j, struct memcg *m, uint64_t now_ms, struct jvmheap *heap, struct reading *r)
{
    struct err ignored;
    uint64_t shared;

    if (!j->pid || counters_load(&j->proc, j->fd, &j->counters, &ignored) < 0)
        return false;
    jvmheap_read(&j->counters.perf, heap);
    if (jvmheap_is_shared(heap) && memcg_shared(m, now_ms, &shared) == 0)
        jvmheap_in_memory(heap, shared);
    count_gc(j, now_ms);
    r->gc = j->gc;
    r->heap = share(&j->counters.perf, "sun.gc.generation.1.space.0.used", "sun.gc.generation.1.space.0.maxCapacity");
    return heap->used >= 0 && heap->max > 0;
}

void target_jvm_read(struct target_jvm *j, struct memcg *m, uint64_t dump_rate, uint64_t now_ms, struct reading *r)
{
    struct jvmheap heap;

    r->dump_ms = r->heap = r->gc = r->heap_left = r->growth_native = reading_unknown(NONE);
    if (!read_heap(j, m, now_ms, &heap, r)) {
        native_growth_forget(&j->native);
        return;
    }
    r->dump_ms = reading_dump_ms(heapdump_estimate((uint64_t)heap.used), dump_rate);
    if (!r->firm.known)
        return;
    native_growth_add(&j->native, &heap, r->firm.value, now_ms);
    r->heap_left = reading_known(native_growth_heap_left(&j->native, r->firm.value));
    r->growth_native = reading_known(j->native.speed);
}

void target_jvm_skip(struct target_jvm *j, struct reading *r)
{
    r->dump_ms = r->heap = r->gc = r->heap_left = r->growth_native = reading_unknown(NONE);
    native_growth_forget(&j->native);
}
