/* SPDX-License-Identifier: Apache-2.0
 *
 * Each thread waits for at most one other: the graph has one edge a thread, so that each walk ends at a thread that
 * waits for none, or in a cycle.
 */
#include "threads/thread_waits.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/text.h"

enum { COUNT_MAX = THREADS_MAX };

bool thread_waits_is_lock(const char *class_name)
{
    const char *name = strrchr(class_name, '.');
    const char *slash = strrchr(class_name, '/');

    name = name ? name + 1 : slash ? slash + 1 : class_name;
    return text_starts(name, "ReentrantLock") || text_starts(name, "ReentrantReadWriteLock") ||
           text_starts(name, "StampedLock");
}

static bool wants_lock(const struct thread_dump *d, const struct dumped_thread *t)
{
    if (t->lock == THREAD_NONE)
        return false;
    return t->wait == THREAD_ENTERS || (t->wait == THREAD_PARKS && (d->lock[t->lock].owner != THREAD_NONE ||
                                                                    thread_waits_is_lock(d->lock[t->lock].class_name)));
}

static void find_blockers(const struct thread_dump *d, uint32_t *blocker)
{
    for (uint32_t i = 0; i < d->thread_count; i++) {
        const struct dumped_thread *t = &d->thread[i];

        blocker[i] = wants_lock(d, t) && d->lock[t->lock].owner != i ? d->lock[t->lock].owner : THREAD_NONE;
    }
}

static int add_deadlock(struct thread_waits *w, uint32_t first, size_t *capacity)
{
    struct thread_deadlock found = {0};
    uint32_t i = first;

    do {
        found.count++;
        i = w->blocker[i];
    } while (i != first);
    if (array_reserve(&w->deadlock, w->deadlock_count + 1, capacity, sizeof(*w->deadlock), COUNT_MAX) < 0 ||
        !(found.thread = malloc(found.count * sizeof(*found.thread))))
        return -ENOMEM;
    for (uint32_t n = 0; n < found.count; n++, i = w->blocker[i])
        found.thread[n] = i;
    w->deadlock[w->deadlock_count++] = found;
    return 0;
}

/* end[i]: the thread at the end of i's walk, with the top bit set and the number of a deadlock if it ends in one.
 * Walks are marked by their beginning while they last, so that one that meets itself is a cycle. */
#define IN_DEADLOCK (1u << 31)

static int find_deadlocks(const struct thread_dump *d, struct thread_waits *w, uint32_t *end)
{
    CLEANUP_FREE uint32_t *walk = malloc((d->thread_count + 1) * sizeof(*walk));
    size_t capacity = 0;

    if (!walk)
        return -ENOMEM;
    for (uint32_t i = 0; i < d->thread_count; i++)
        walk[i] = end[i] = THREAD_NONE;
    for (uint32_t i = 0; i < d->thread_count; i++) {
        uint32_t at = i, last = i, result;

        for (; at != THREAD_NONE && walk[at] == THREAD_NONE; last = at, at = w->blocker[at])
            walk[at] = i;
        if (at == THREAD_NONE) {
            result = last;
        } else if (walk[at] == i && end[at] == THREAD_NONE) {
            result = IN_DEADLOCK | (uint32_t)w->deadlock_count;
            if (add_deadlock(w, at, &capacity) < 0)
                return -ENOMEM;
        } else {
            result = end[at];
        }
        for (at = i; at != THREAD_NONE && end[at] == THREAD_NONE; at = w->blocker[at])
            end[at] = result;
    }
    if (!w->deadlock)
        return 0;
    for (uint32_t i = 0; i < d->thread_count; i++)
        if (end[i] & IN_DEADLOCK)
            w->deadlock[end[i] & ~IN_DEADLOCK].behind++;
    for (size_t i = 0; i < w->deadlock_count; i++)
        w->deadlock[i].behind -= w->deadlock[i].count;
    return 0;
}

/* The lock that the last waiting thread of the walk waits for, of each thread; THREAD_NONE: it waits for none, or the
 * walk ends in a deadlock. */
static uint32_t root_lock(const struct thread_dump *d, const struct thread_waits *w, const uint32_t *end,
                          uint32_t *root, uint32_t thread)
{
    uint32_t last = thread, lock;

    if (end[thread] & IN_DEADLOCK || !wants_lock(d, &d->thread[thread]))
        return THREAD_NONE;
    while (root[last] == THREAD_NONE && w->blocker[last] != THREAD_NONE && wants_lock(d, &d->thread[w->blocker[last]]))
        last = w->blocker[last];
    lock = root[last] != THREAD_NONE ? root[last] : d->thread[last].lock;
    for (; thread != last; thread = w->blocker[thread])
        root[thread] = lock;
    return root[last] = lock;
}

static int by_length(const void *a, const void *b)
{
    const struct thread_queue *x = a, *y = b;

    if (x->all != y->all)
        return x->all < y->all ? 1 : -1;
    return x->first < y->first ? -1 : x->first > y->first;
}

static int find_queues(const struct thread_dump *d, struct thread_waits *w, const uint32_t *end)
{
    CLEANUP_FREE uint32_t *root = malloc((d->thread_count + 1) * sizeof(*root));
    CLEANUP_FREE struct thread_queue *of_lock = calloc(d->lock_count + 1, sizeof(*of_lock));
    size_t count = 0;

    if (!root || !of_lock)
        return -ENOMEM;
    for (size_t i = 0; i < d->thread_count; i++)
        root[i] = THREAD_NONE;
    for (uint32_t i = 0; i < d->thread_count; i++) {
        uint32_t lock = root_lock(d, w, end, root, i);
        struct thread_queue *q = lock == THREAD_NONE ? NULL : &of_lock[lock];

        if (!q)
            continue;
        if (q->all++ == 0)
            *q = (struct thread_queue){lock, d->lock[lock].owner, 0, 1, i};
        if (d->thread[i].lock == lock && q->direct++ == 0)
            q->first = i;
    }
    for (size_t i = 0; i < d->lock_count; i++)
        if (of_lock[i].all)
            of_lock[count++] = of_lock[i];
    qsort(of_lock, count, sizeof(*of_lock), by_length);
    w->queue = TAKE_PTR(of_lock);
    w->queue_count = count;
    return 0;
}

int thread_waits_find(const struct thread_dump *d, struct thread_waits *ret)
{
    struct thread_waits w = {0};
    CLEANUP_FREE uint32_t *end = malloc((d->thread_count + 1) * sizeof(*end));
    int r = -ENOMEM;

    assert(d && ret);
    w.blocker = malloc((d->thread_count + 1) * sizeof(*w.blocker));
    if (end && w.blocker) {
        find_blockers(d, w.blocker);
        r = find_deadlocks(d, &w, end);
    }
    if (r == 0)
        r = find_queues(d, &w, end);
    if (r < 0) {
        thread_waits_done(&w);
        return r;
    }
    *ret = w;
    return 0;
}

void thread_waits_done(struct thread_waits *w)
{
    for (size_t i = 0; i < w->deadlock_count; i++)
        free(w->deadlock[i].thread);
    free(w->deadlock);
    free(w->queue);
    free(w->blocker);
    *w = (struct thread_waits){0};
}
