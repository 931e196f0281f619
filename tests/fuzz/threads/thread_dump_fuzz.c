/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as thread dumps: all numbers are inside their arrays, and who waits for whom has an end.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>

#include "threads/thread_activity.h"
#include "threads/thread_dump.h"
#include "threads/thread_waits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct thread_dumps *all, const struct thread_dump *d)
{
    struct thread_waits w;
    size_t waiting = 0;

    for (size_t i = 0; i < d->thread_count; i++) {
        const struct dumped_thread *t = &d->thread[i];

        assert(t->name && t->state < THREAD_STATES);
        assert((size_t)t->frame + t->frame_count <= d->frame_count);
        assert((size_t)t->held + t->held_count <= d->held_count);
        assert(t->lock == THREAD_NONE || t->lock < d->lock_count);
        assert(thread_activity_of(all, d, t) < THREAD_ACTIVITIES);
        assert(!t->frame_count || thread_where(all, d, t));
    }
    for (size_t i = 0; i < d->lock_count; i++)
        assert(d->lock[i].owner == THREAD_NONE || d->lock[i].owner < d->thread_count);
    for (size_t i = 0; i < d->held_count; i++)
        assert(d->held[i].lock < d->lock_count);
    assert(thread_waits_find(d, &w) == 0);
    for (size_t i = 0; i < w.queue_count; i++) {
        assert(w.queue[i].direct > 0 && w.queue[i].all >= w.queue[i].direct);
        waiting += w.queue[i].all;
    }
    for (size_t i = 0; i < w.deadlock_count; i++) {
        assert(w.deadlock[i].count > 1);
        for (uint32_t n = 0; n < w.deadlock[i].count; n++)
            assert(w.blocker[w.deadlock[i].thread[n]] == w.deadlock[i].thread[(n + 1) % w.deadlock[i].count]);
        waiting += w.deadlock[i].count + w.deadlock[i].behind;
    }
    assert(waiting <= d->thread_count);
    thread_waits_done(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct thread_dumps d;
    struct err e;

    thread_dumps_probe(data, size);
    if (thread_dumps_parse(data, size, &d, &e) < 0)
        return 0;
    assert(d.count > 0);
    for (size_t i = 0; i < d.count; i++)
        check(&d, &d.dump[i]);
    thread_dumps_done(&d);
    return 0;
}
