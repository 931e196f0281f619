/* SPDX-License-Identifier: Apache-2.0
 *
 * Sorted by what makes a group, then cut where it changes.
 */
#include "inspect/thread_groups.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "threads/thread_texts.h"

enum { NAME_MAX_BYTES = THREAD_TEXT_MAX + 8 };

struct order {
    const struct thread_dumps *all;
    const struct thread_dump *d;
    struct thread_texts *names; /* of pools, each once */
    uint32_t *pool;             /* of each thread: a number in names */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

const char *thread_pool_name(const char *name, char *out, size_t size)
{
    const char *end = name + strlen(name), *begin;

    while (end > name && !is_digit(end[-1]))
        end--;
    for (begin = end; begin > name && is_digit(begin[-1]);)
        begin--;
    snprintf(out, size, "%.*s%s%s", (int)(begin - name), name, begin < end ? "#" : "", end);
    return out;
}

static int by_pool(const void *a, const void *b, void *ctx)
{
    const struct order *o = ctx;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    if (o->pool[x] != o->pool[y])
        return o->pool[x] < o->pool[y] ? -1 : 1;
    return x < y ? -1 : x > y;
}

static int compare_stacks(const struct thread_dump *d, uint32_t x, uint32_t y)
{
    const struct dumped_thread *a = &d->thread[x], *b = &d->thread[y];

    if (a->frame_count != b->frame_count)
        return a->frame_count < b->frame_count ? -1 : 1;
    if (a->state != b->state)
        return a->state < b->state ? -1 : 1;
    return a->frame_count ? memcmp(d->frame + a->frame, d->frame + b->frame, a->frame_count * sizeof(*d->frame)) : 0;
}

static int by_stack(const void *a, const void *b, void *ctx)
{
    const struct order *o = ctx;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    int r = compare_stacks(o->d, x, y);

    return r ? r : x < y ? -1 : x > y;
}

static int by_size(const void *a, const void *b)
{
    const struct thread_group *x = a, *y = b;

    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return x->first < y->first ? -1 : x->first > y->first;
}

/* The threads in question, sorted. */
static uint32_t *sorted(const struct order *o, const bool *only, int (*compare)(const void *, const void *, void *),
                        size_t *ret_count)
{
    uint32_t *index = malloc((o->d->thread_count + 1) * sizeof(*index));
    size_t count = 0;

    if (!index)
        return NULL;
    for (uint32_t i = 0; i < o->d->thread_count; i++)
        if (!o->d->thread[i].internal && (!only || only[i]))
            index[count++] = i;
    qsort_r(index, count, sizeof(*index), compare, (void *)o);
    *ret_count = count;
    return index;
}

/* The name of a group of threads whose pools may differ; NULL: they do. */
static char *common_name(const struct order *o, const uint32_t *index, size_t count)
{
    if (count == 1)
        return strdup(o->d->thread[index[0]].name);
    for (size_t i = 1; i < count; i++)
        if (o->pool[index[i]] != o->pool[index[0]])
            return NULL;
    return strdup(thread_texts_all(o->names)[o->pool[index[0]]]);
}

static bool same_group(const struct order *o, uint32_t x, uint32_t y, bool pools)
{
    return pools ? o->pool[x] == o->pool[y] : compare_stacks(o->d, x, y) == 0;
}

static int name_pools(struct order *o)
{
    char name[NAME_MAX_BYTES];

    o->names = thread_texts_new();
    o->pool = malloc((o->d->thread_count + 1) * sizeof(*o->pool));
    if (!o->names || !o->pool)
        return -ENOMEM;
    for (size_t i = 0; i < o->d->thread_count; i++) {
        thread_pool_name(o->d->thread[i].name, name, sizeof(name));
        if ((o->pool[i] = thread_texts_add(o->names, name, strlen(name))) == UINT32_MAX)
            return -ENOMEM;
    }
    return 0;
}

static int cut(const struct order *o, const bool *only, bool pools, struct thread_groups *ret)
{
    size_t count = 0, groups = 0, end;
    CLEANUP_FREE uint32_t *index = sorted(o, only, pools ? by_pool : by_stack, &count);
    struct thread_groups g = {0};

    if (!index || !(g.group = calloc(count + 1, sizeof(*g.group))))
        return -ENOMEM;
    for (size_t i = 0; i < count; i = end) {
        struct thread_group *one = &g.group[groups++];

        for (end = i; end < count && same_group(o, index[i], index[end], pools); end++)
            one->doing[thread_activity_of(o->all, o->d, &o->d->thread[index[end]])]++;
        one->first = index[i];
        one->count = (uint32_t)(end - i);
        one->name = common_name(o, index + i, end - i);
    }
    g.count = groups;
    qsort(g.group, g.count, sizeof(*g.group), by_size);
    *ret = g;
    return 0;
}

static int find(struct order o, const bool *only, bool pools, struct thread_groups *ret)
{
    int r = name_pools(&o);

    if (r == 0)
        r = cut(&o, only, pools, ret);
    thread_texts_free(o.names);
    free(o.pool);
    return r;
}

int thread_pools_find(const struct thread_dumps *all, const struct thread_dump *d, const bool *only,
                      struct thread_groups *ret)
{
    assert(all && d && ret);
    return find((struct order){.all = all, .d = d}, only, true, ret);
}

int thread_stacks_find(const struct thread_dumps *all, const struct thread_dump *d, const bool *only,
                       struct thread_groups *ret)
{
    assert(all && d && ret);
    return find((struct order){.all = all, .d = d}, only, false, ret);
}

void thread_groups_done(struct thread_groups *g)
{
    for (size_t i = 0; i < g->count; i++)
        free(g->group[i].name);
    free(g->group);
    *g = (struct thread_groups){0};
}
