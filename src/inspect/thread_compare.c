/* SPDX-License-Identifier: Apache-2.0
 *
 * Each earlier dump is sorted by identity and searched for the threads of the last.
 */
#include "inspect/thread_compare.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct place {
    const struct dumped_thread *thread;
};

/* Names are texts that are kept once: equal ones have one address. */
static int by_identity(const void *a, const void *b)
{
    const struct dumped_thread *x = ((const struct place *)a)->thread, *y = ((const struct place *)b)->thread;

    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    if (x->native_id != y->native_id && !x->id)
        return x->native_id < y->native_id ? -1 : 1;
    if (x->name != y->name)
        return (uintptr_t)x->name < (uintptr_t)y->name ? -1 : 1;
    return 0;
}

static struct place *sorted(const struct thread_dump *d)
{
    struct place *index = malloc((d->thread_count + 1) * sizeof(*index));

    for (size_t i = 0; index && i < d->thread_count; i++)
        index[i].thread = &d->thread[i];
    if (index)
        qsort(index, d->thread_count, sizeof(*index), by_identity);
    return index;
}

static bool same_frames(const struct thread_dump *a, const struct dumped_thread *x, const struct thread_dump *b,
                        const struct dumped_thread *y)
{
    return x->frame_count == y->frame_count && (x->frame_count == 0 || memcmp(a->frame + x->frame, b->frame + y->frame,
                                                                              x->frame_count * sizeof(*a->frame)) == 0);
}

static void compare_thread(struct thread_comparison *c, uint32_t i, const struct dumped_thread *now,
                           const struct dumped_thread *then)
{
    if (now->cpu_ms >= 0 && then->cpu_ms >= 0 && now->cpu_ms >= then->cpu_ms)
        c->cpu_ms[i] = now->cpu_ms - then->cpu_ms;
    if (now->elapsed_ms >= 0 && then->elapsed_ms >= 0 && now->elapsed_ms >= then->elapsed_ms)
        c->span_ms[i] = now->elapsed_ms - then->elapsed_ms;
    if (c->span_ms[i] > c->ms)
        c->ms = c->span_ms[i];
}

/* first: the first dump of all, which CPU is counted from. */
static int compare_dump(struct thread_comparison *c, const struct thread_dump *last, const struct thread_dump *earlier,
                        bool first)
{
    CLEANUP_FREE struct place *index = sorted(earlier);
    uint32_t found = 0, threads = 0;

    if (!index)
        return -ENOMEM;
    for (uint32_t i = 0; i < last->thread_count; i++) {
        const struct place now = {&last->thread[i]},
                           *at = bsearch(&now, index, earlier->thread_count, sizeof(*index), by_identity);

        if (!at) {
            c->same_stack[i] = false;
            c->started += first && !now.thread->internal;
            continue;
        }
        c->same_stack[i] &= same_frames(last, now.thread, earlier, at->thread);
        found += !at->thread->internal;
        if (first)
            compare_thread(c, i, now.thread, at->thread);
    }
    for (size_t i = 0; i < earlier->thread_count; i++)
        threads += !earlier->thread[i].internal;
    if (first)
        c->ended = threads > found ? threads - found : 0;
    return 0;
}

int thread_comparison_make(const struct thread_dumps *all, struct thread_comparison *ret)
{
    struct thread_comparison c = {.dumps = all->count, .ms = -1};
    const struct thread_dump *last;
    int r = 0;

    assert(all->count > 0 && ret);
    last = &all->dump[all->count - 1];
    c.same_stack = malloc(last->thread_count + 1);
    c.cpu_ms = malloc((last->thread_count + 1) * sizeof(*c.cpu_ms));
    c.span_ms = malloc((last->thread_count + 1) * sizeof(*c.span_ms));
    if (!c.same_stack || !c.cpu_ms || !c.span_ms)
        r = -ENOMEM;
    for (size_t i = 0; r == 0 && i < last->thread_count; i++) {
        c.same_stack[i] = all->count > 1;
        c.cpu_ms[i] = last->thread[i].cpu_ms;
        c.span_ms[i] = last->thread[i].elapsed_ms;
    }
    for (size_t i = 0; r == 0 && i + 1 < all->count; i++)
        r = compare_dump(&c, last, &all->dump[i], i == 0);
    if (r < 0) {
        thread_comparison_done(&c);
        return r;
    }
    for (size_t i = 0; i < last->thread_count; i++)
        c.same += c.same_stack[i] && !last->thread[i].internal;
    *ret = c;
    return 0;
}

void thread_comparison_done(struct thread_comparison *c)
{
    free(c->same_stack);
    free(c->cpu_ms);
    free(c->span_ms);
    *c = (struct thread_comparison){0};
}
