/* SPDX-License-Identifier: Apache-2.0
 *
 * Native memory is the cgroup's memory without the part of the heap that has ever been in use.
 */
#include "guard/native_growth.h"

#include <string.h>

enum { ENDED_MAX_MS = 1000, PAUSE_MAX_MS = 10000, HEAP_PARTS = 8, NATIVE_GROWTH_LEAST = 32 << 20 };

/* A collector uses memory while it moves objects, but the counters change only when the collection ends: until then
 * the heap's growth looks like native growth. A collection that ended since the last poll is not trusted yet either:
 * it may have begun after the cgroup's memory was read. Wait for one long collection, as its JVM stands still; do
 * not wait for a series of them. */
static bool is_moving(struct native_growth *b, bool collecting, bool collected, uint64_t now_ms)
{
    if (!collecting && !collected)
        return false;
    if (!b->moving) {
        b->moving_ms = now_ms;
        b->ended_ms = 0;
    }
    if (collected && !b->ended_ms)
        b->ended_ms = now_ms;
    return b->ended_ms ? now_ms - b->ended_ms < ENDED_MAX_MS : now_ms - b->moving_ms < PAUSE_MAX_MS;
}

/* Whether a collection ended since the last poll. Spaces that it found full may be empty by now; its cause may be
 * published a moment after its end. */
static bool note_collections(struct native_growth *b, const struct jvmheap *heap)
{
    bool any = false;

    for (unsigned i = 0; i < JVMHEAP_COLLECTIONS; i++) {
        bool one = heap->collected[i] != b->collected[i];

        b->ended[i] |= one;
        b->had_filled[i] |= b->ended[i] && heap->had_filled;
        b->collected[i] = heap->collected[i];
        any |= one;
    }
    return any;
}

static int64_t add(int64_t sum, int64_t n)
{
    return __builtin_add_overflow(sum, n, &sum) ? INT64_MAX : sum;
}

static void fill(struct native_growth *b, const struct jvmheap *heap, unsigned space)
{
    if (heap->space[space].committed > b->peak[space])
        b->peak[space] = heap->space[space].committed;
}

/* Memory that was in use once stays resident as long as it is committed. */
static int64_t count_peaks(struct native_growth *b, const struct jvmheap *heap)
{
    int64_t sum = 0;

    if (b->had_filled[0] || b->had_filled[1])
        fill(b, heap, JVMHEAP_EDEN);
    if (b->had_filled[1])
        fill(b, heap, JVMHEAP_OLD);
    for (unsigned i = 0; i < JVMHEAP_SPACES; i++) {
        int64_t *peak = &b->peak[i];

        *peak = heap->space[i].used > *peak ? heap->space[i].used : *peak;
        if (heap->space[i].committed && *peak > heap->space[i].committed)
            *peak = heap->space[i].committed;
        sum = add(sum, *peak);
    }
    return sum;
}

/* Without fixed addresses for spaces, regions are used in any order: before the first poll all that is committed may
 * have become resident, limited by what the cgroup holds. */
static int64_t count_anywhere(const struct native_growth *b, const struct jvmheap *heap, int64_t committed, int64_t own)
{
    int64_t before = b->touched;

    if (b->own == 0)
        before = committed > 0 && own > NATIVE_GROWTH_LEAST ? own - NATIVE_GROWTH_LEAST : 0;
    return heap->used > before ? heap->used : before;
}

/* Some collectors return memory some time after they say so: the heap has lost at most what the cgroup has lost. */
static int64_t least_touched(const struct native_growth *b, int64_t own)
{
    int64_t missing = own < b->own ? b->own - own : 0;

    return b->watched ? b->touched - missing : 0;
}

/* Memory that the cgroup lost during a gap in polling belonged to the heap. The heap never holds more than the
 * cgroup. */
static int64_t most_touched(const struct native_growth *b, const struct jvmheap *heap, int64_t own)
{
    int64_t most = b->touched - (b->own - own);

    if (b->watched || own >= b->own)
        return own;
    most = most > heap->used ? most : heap->used;
    return most < own ? most : own;
}

static void lower_peaks(struct native_growth *b, int64_t sum, int64_t most)
{
    for (unsigned i = 0; i < JVMHEAP_SPACES; i++)
        b->peak[i] = (int64_t)((double)b->peak[i] / (double)sum * (double)most);
}

static int64_t count_touched(struct native_growth *b, const struct jvmheap *heap, int64_t own)
{
    int64_t committed = 0, sum, least = least_touched(b, own), most = most_touched(b, heap, own);

    if (heap->exact)
        return heap->in_memory;
    for (unsigned i = 0; i < JVMHEAP_SPACES; i++)
        committed = add(committed, heap->space[i].committed);
    sum = heap->placed ? count_peaks(b, heap) : count_anywhere(b, heap, committed, own);
    if (committed > 0 && sum > committed)
        sum = committed;
    if (sum < least)
        sum = least;
    if (sum > most) {
        lower_peaks(b, sum, most);
        sum = most;
    }
    return sum < heap->max ? sum : heap->max;
}

/* How wrong the result may be: the collector's own memory and memory that it used and has not published yet are a
 * fraction of the heap, and more of the heap may be resident than was ever seen in use. */
static uint64_t error_of(const struct native_growth *b, const struct jvmheap *heap)
{
    int64_t part = heap->max / HEAP_PARTS;

    return (uint64_t)(heap->exact ? part : part + (b->left < part ? b->left : part));
}

void native_growth_add(struct native_growth *b, const struct jvmheap *heap, int64_t own, uint64_t now_ms)
{
    int64_t bytes;

    b->moving = !heap->exact && is_moving(b, heap->collecting, note_collections(b, heap), now_ms);
    if (b->moving)
        return;
    b->touched = count_touched(b, heap, own);
    memset(b->had_filled, 0, sizeof(b->had_filled));
    memset(b->ended, 0, sizeof(b->ended));
    b->watched = true;
    b->own = own;
    b->left = heap->max - b->touched;
    bytes = own - b->touched;
    growth_add(&b->growth, now_ms, bytes);
    noisy_growth_add(&b->noisy, now_ms, bytes);
    b->speed = (int64_t)noisy_growth_speed(&b->noisy, now_ms, bytes, growth_speed(&b->growth), error_of(b, heap));
}

void native_growth_forget(struct native_growth *b)
{
    b->watched = false;
    b->growth = (struct growth){0};
    b->noisy = (struct noisy_growth){0};
    b->moving = false;
    b->speed = 0;
}

/* Whatever the cgroup gained since the counters were last trusted may be the heap's. */
int64_t native_growth_heap_left(const struct native_growth *b, int64_t own)
{
    int64_t taken = own > b->own ? own - b->own : 0;

    return b->left > taken ? b->left - taken : 0;
}
