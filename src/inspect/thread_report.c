/* SPDX-License-Identifier: Apache-2.0
 *
 * Order of the analysis.
 */
#include "inspect/thread_report.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"

enum { BUSY_MS = 1, BUSY_PERCENT = 5 }; /* less is nothing */

static int by_cpu(const void *a, const void *b, void *ctx)
{
    const struct thread_comparison *c = ctx;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    if (c->cpu_ms[x] < c->cpu_ms[y] || c->cpu_ms[x] > c->cpu_ms[y])
        return c->cpu_ms[x] < c->cpu_ms[y] ? 1 : -1;
    return x < y ? -1 : x > y;
}

static int find_busiest(struct thread_report *r, const struct thread_dump *d)
{
    r->busiest = malloc((d->thread_count + 1) * sizeof(*r->busiest));
    if (!r->busiest)
        return -ENOMEM;
    for (uint32_t i = 0; i < d->thread_count; i++)
        if (r->comparison.cpu_ms[i] >= BUSY_MS)
            r->busiest[r->busy_count++] = i;
    qsort_r(r->busiest, r->busy_count, sizeof(*r->busiest), by_cpu, &r->comparison);
    return 0;
}

/* A thread that waits for work stands still rightly; one that spins has its place among the busiest. */
static int find_unmoved(struct thread_report *r, const struct thread_dump *d)
{
    const struct thread_comparison *c = &r->comparison;
    CLEANUP_FREE bool *only = calloc(d->thread_count + 1, sizeof(*only));

    if (!only)
        return -ENOMEM;
    for (size_t i = 0; i < d->thread_count; i++)
        only[i] = c->same_stack[i] && !(c->span_ms[i] > 0 && c->cpu_ms[i] * 100 > c->span_ms[i] * BUSY_PERCENT) &&
                  thread_activity_of(&r->dumps, d, &d->thread[i]) < THREAD_IDLE;
    return thread_stacks_find(&r->dumps, d, only, &r->unmoved);
}

/* Takes the dumps. */
static int make(struct thread_report *ret, const struct thread_dumps *dumps, struct err *e)
{
    struct thread_report r = {.dumps = *dumps};
    const struct thread_dump *d = &r.dumps.dump[r.dumps.count - 1];
    int result = thread_waits_find(d, &r.waits);

    if (result == 0)
        result = thread_pools_find(&r.dumps, d, NULL, &r.pools);
    if (result == 0)
        result = thread_stacks_find(&r.dumps, d, NULL, &r.stacks);
    if (result == 0)
        result = thread_comparison_make(&r.dumps, &r.comparison);
    if (result == 0)
        result = find_busiest(&r, d);
    if (result == 0)
        result = find_unmoved(&r, d);
    if (result < 0) {
        thread_report_done(&r);
        return err_set(e, result, "out of memory");
    }
    for (size_t i = 0; i < d->thread_count; i++)
        r.doing[thread_activity_of(&r.dumps, d, &d->thread[i])]++;
    *ret = r;
    return 0;
}

int thread_report_make(struct thread_report *ret, const void *data, size_t size, struct err *e)
{
    struct thread_dumps dumps;
    int r = thread_dumps_parse(data, size, &dumps, e);

    assert(ret);
    return r < 0 ? r : make(ret, &dumps, e);
}

int thread_report_compare(struct thread_report *ret, const void *const data[2], const size_t size[2], struct err *e)
{
    struct thread_dumps dumps;
    int r = thread_dumps_parse_two(data, size, &dumps, e);

    assert(ret);
    return r < 0 ? r : make(ret, &dumps, e);
}

void thread_report_done(struct thread_report *r)
{
    free(r->busiest);
    thread_comparison_done(&r->comparison);
    thread_groups_done(&r->unmoved);
    thread_groups_done(&r->stacks);
    thread_groups_done(&r->pools);
    thread_waits_done(&r->waits);
    thread_dumps_done(&r->dumps);
    *r = (struct thread_report){0};
}
