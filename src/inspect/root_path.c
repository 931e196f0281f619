/* SPDX-License-Identifier: Apache-2.0
 *
 * Breadth first, level by level. Where an object was reached from is not written down: it is the first of the level
 * before that leads to it, which is looked for once, backwards, for all targets together.
 */
#include "inspect/root_path.h"

#include <assert.h>

#include "inspect/root_search.h"

enum { QUEUE_FIRST = 1 << 20 };

/* A path on its way from the target back to the root. */
struct way {
    uint32_t at;    /* of its last node in the queue; HEAP_NONE: the target was not met */
    uint32_t begin; /* of that node's level */
    bool done;
};

struct search {
    const struct heap *h;
    const uint32_t *target;
    struct root_path *path;
    size_t targets, left;
    struct way way[ROOT_PATHS_MAX];
    struct big_array met, wanted; /* a bit for each node */
    struct big_array queue;       /* uint32_t: nodes in the order in which they were met */
    struct big_array begins;      /* a bit for each place of the queue: a level begins there */
    uint32_t count;               /* in the queue */
    uint32_t locals;              /* where those begin that are reached from locals alone */
};

static uint32_t queued(const struct search *s, uint32_t at)
{
    return ((const uint32_t *)s->queue.data)[at];
}

static int meet(struct search *s, uint32_t node)
{
    int r;

    if (graph_bit(&s->met, node))
        return 0;
    graph_set_bit(&s->met, node);
    if ((s->count + 1ULL) * sizeof(uint32_t) > s->queue.size && (r = big_array_grow(&s->queue, s->queue.size * 2)) < 0)
        return r;
    if (graph_bit(&s->wanted, node))
        for (size_t i = 0; i < s->targets; i++)
            if (s->target[i] == node) {
                s->way[i].at = s->count;
                s->left--;
            }
    ((uint32_t *)s->queue.data)[s->count++] = node;
    return 0;
}

static int follow(struct search *s, uint32_t node)
{
    struct heap_edges edges = heap_edges_of(s->h, node);
    int r = 0;

    while (r == 0 && heap_edges_next(&edges))
        if (!edges.weak)
            r = meet(s, edges.target);
    return r;
}

static int search(struct search *s, bool locals)
{
    const struct heap *h = s->h;
    uint32_t at = s->count, end;
    int r = 0;

    for (size_t i = 0; i < h->root_count && r == 0; i++)
        if (h->roots[i].node != HEAP_NONE && root_is_local(&h->roots[i]) == locals)
            r = meet(s, h->roots[i].node);
    if (at < s->count)
        graph_set_bit(&s->begins, at);
    while (r == 0 && at < s->count && s->left > 0) {
        for (end = s->count; at < end && r == 0 && s->left > 0; at++)
            r = follow(s, queued(s, at));
        if (end < s->count)
            graph_set_bit(&s->begins, end);
    }
    return r;
}

/* The beginning of the level that has this place of the queue. */
static uint32_t level_of(const struct search *s, uint32_t at)
{
    const uint64_t *words = s->begins.data;
    uint64_t word = words[at >> 6] & (UINT64_MAX >> (63 - (at & 63)));

    for (at >>= 6; word == 0; at--) /* the first place begins one */
        word = words[at - 1];
    return (at << 6) + 63 - (uint32_t)__builtin_clzll(word);
}

static void add_node(struct search *s, size_t i, uint32_t at)
{
    struct root_path *p = &s->path[i];

    s->way[i].at = at;
    s->way[i].begin = level_of(s, at);
    p->node[p->count++] = queued(s, at);
    s->way[i].done = p->count == ROOT_PATH_MAX || s->way[i].begin == 0 || s->way[i].begin == s->locals;
}

/* The level of those ways that are the farthest from the roots; 0: all are done. */
static uint32_t farthest(const struct search *s)
{
    uint32_t begin = 0;

    for (size_t i = 0; i < s->targets; i++)
        if (!s->way[i].done && s->way[i].begin > begin)
            begin = s->way[i].begin;
    return begin;
}

/* A node of the level before: the ways that were reached from it. Returns how many. */
static size_t go_back(struct search *s, uint32_t at, uint32_t begin)
{
    struct heap_edges edges = heap_edges_of(s->h, queued(s, at));
    size_t count = 0;

    while (heap_edges_next(&edges)) {
        if (edges.weak || !graph_bit(&s->wanted, edges.target))
            continue;
        for (size_t i = 0; i < s->targets; i++)
            if (!s->way[i].done && s->way[i].begin == begin && queued(s, s->way[i].at) == edges.target) {
                add_node(s, i, at);
                count++;
            }
    }
    return count;
}

static void find_ways(struct search *s)
{
    uint32_t begin;

    for (size_t i = 0; i < s->targets; i++)
        if (s->way[i].at == HEAP_NONE)
            s->way[i].done = true;
        else
            add_node(s, i, s->way[i].at);
    while ((begin = farthest(s)) > 0) {
        size_t left = 0;

        for (size_t i = 0; i < s->targets; i++)
            if (!s->way[i].done && s->way[i].begin == begin) {
                graph_set_bit(&s->wanted, queued(s, s->way[i].at));
                left++;
            }
        for (uint32_t at = level_of(s, begin - 1); left > 0; at++)
            left -= go_back(s, at, begin);
    }
}

static void turn_round(struct root_path *p)
{
    for (size_t i = 0; i < p->count / 2; i++) {
        uint32_t other = p->node[i];

        p->node[i] = p->node[p->count - 1 - i];
        p->node[p->count - 1 - i] = other;
    }
}

static int allocate(struct search *s)
{
    size_t bits = heap_bits_size(s->h);
    int r;

    if ((r = big_array_new(&s->met, heap_memory(s->h), bits)) < 0 ||
        (r = big_array_new(&s->wanted, heap_memory(s->h), bits)) < 0 ||
        (r = big_array_new(&s->begins, heap_memory(s->h), bits)) < 0)
        return r;
    return big_array_new(&s->queue, heap_memory(s->h), QUEUE_FIRST);
}

static int find_all(struct search *s)
{
    int r;

    for (size_t i = 0; i < s->targets; i++) {
        s->way[i].at = HEAP_NONE;
        s->path[i].count = 0;
        graph_set_bit(&s->wanted, s->target[i]);
    }
    if ((r = search(s, false)) < 0)
        return r;
    s->locals = s->count;
    if (s->left > 0 && (r = search(s, true)) < 0)
        return r;
    find_ways(s);
    for (size_t i = 0; i < s->targets; i++)
        turn_round(&s->path[i]);
    return 0;
}

int root_paths_find(const struct heap *h, const uint32_t *target, size_t count, struct root_path *ret)
{
    struct search s = {.h = h, .target = target, .targets = count, .left = count, .path = ret};
    int r;

    assert(h && target && ret && count <= ROOT_PATHS_MAX);
    if ((r = allocate(&s)) == 0)
        r = find_all(&s);
    big_array_free(&s.met);
    big_array_free(&s.wanted);
    big_array_free(&s.begins);
    big_array_free(&s.queue);
    return r;
}
