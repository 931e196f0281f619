/* SPDX-License-Identifier: Apache-2.0
 *
 * Breadth first, level by level. Where an object was reached from is not written down: it is the first of the level
 * before that leads to it.
 */
#include "inspect/root_path.h"

#include <assert.h>

#include "inspect/root_search.h"

enum { QUEUE_FIRST = 1 << 20 };

struct search {
    const struct heap *h;
    const uint32_t *target;
    struct root_path *path;
    size_t targets, left;
    struct big_array met, queue;   /* a bit for each node; uint32_t: nodes in the order in which they were met */
    uint32_t count;                /* in the queue */
    uint32_t begin[ROOT_PATH_MAX]; /* of the latest levels, in the queue: level i at i % ROOT_PATH_MAX */
    uint32_t level;
};

static uint32_t queued(const struct search *s, uint32_t at)
{
    return ((const uint32_t *)s->queue.data)[at];
}

static bool leads_to(const struct heap *h, uint32_t node, uint32_t target)
{
    struct heap_edges edges = heap_edges_of(h, node);

    while (heap_edges_next(&edges))
        if (!edges.weak && edges.target == target)
            return true;
    return false;
}

/* The node of a level through which this one of the next level was met. */
static uint32_t node_before(const struct search *s, uint32_t level, uint32_t node)
{
    uint32_t at = s->begin[level % ROOT_PATH_MAX];

    while (!leads_to(s->h, queued(s, at), node))
        at++;
    return queued(s, at);
}

static void turn_round(struct root_path *p)
{
    for (size_t i = 0; i < p->count / 2; i++) {
        uint32_t other = p->node[i];

        p->node[i] = p->node[p->count - 1 - i];
        p->node[p->count - 1 - i] = other;
    }
}

/* from: a node of the level that is being followed; HEAP_NONE: node is a root. */
static void note_path(struct search *s, struct root_path *p, uint32_t from, uint32_t node)
{
    p->count = 0;
    p->node[p->count++] = node;
    if (from != HEAP_NONE)
        p->node[p->count++] = from;
    for (uint32_t level = s->level; from != HEAP_NONE && level > 0 && p->count < ROOT_PATH_MAX; level--) {
        from = node_before(s, level - 1, from);
        p->node[p->count++] = from;
    }
    turn_round(p);
}

static int meet(struct search *s, uint32_t from, uint32_t node)
{
    int r;

    if (graph_bit(&s->met, node))
        return 0;
    graph_set_bit(&s->met, node);
    if ((s->count + 1ULL) * sizeof(uint32_t) > s->queue.size && (r = big_array_grow(&s->queue, s->queue.size * 2)) < 0)
        return r;
    ((uint32_t *)s->queue.data)[s->count++] = node;
    for (size_t i = 0; i < s->targets; i++)
        if (s->target[i] == node) {
            note_path(s, &s->path[i], from, node);
            s->left--;
        }
    return 0;
}

static int follow(struct search *s, uint32_t node)
{
    struct heap_edges edges = heap_edges_of(s->h, node);
    int r = 0;

    while (r == 0 && heap_edges_next(&edges))
        if (!edges.weak)
            r = meet(s, node, edges.target);
    return r;
}

static int search(struct search *s, bool locals)
{
    const struct heap *h = s->h;
    uint32_t at = s->count;
    int r = 0;

    for (size_t i = 0; i < h->root_count && r == 0; i++)
        if (h->roots[i].node != HEAP_NONE && root_is_local(&h->roots[i]) == locals)
            r = meet(s, HEAP_NONE, h->roots[i].node);
    for (s->level = 0; r == 0 && at < s->count && s->left > 0; s->level++) {
        uint32_t end = s->count;

        s->begin[s->level % ROOT_PATH_MAX] = at;
        for (; at < end && r == 0 && s->left > 0; at++)
            r = follow(s, queued(s, at));
    }
    return r;
}

int root_paths_find(const struct heap *h, const uint32_t *target, size_t count, struct root_path *ret)
{
    struct search s = {.h = h, .target = target, .targets = count, .left = count, .path = ret};
    int r;

    assert(h && target && ret);
    for (size_t i = 0; i < count; i++)
        ret[i].count = 0;
    if ((r = big_array_new(&s.met, heap_memory(h), heap_bits_size(h))) == 0 &&
        (r = big_array_new(&s.queue, heap_memory(h), QUEUE_FIRST)) == 0 && (r = search(&s, false)) == 0 && s.left > 0)
        r = search(&s, true);
    big_array_free(&s.met);
    big_array_free(&s.queue);
    return r;
}
