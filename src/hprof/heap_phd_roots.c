/* SPDX-License-Identifier: Apache-2.0
 *
 * Circles: of all objects that are not reached yet, the one that a depth-first walk leaves last is not reached from
 * those that it left before, unless they lie in a circle with it. So the walk's order, turned round, meets one object
 * of each circle before the rest of it (Kosaraju).
 */
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "hprof/heap_phd.h"

struct open_node {
    uint32_t node;
    struct edge_cursor edges;
};

struct walk {
    struct heap *h;
    struct big_array seen; /* bits of nodes */
    struct open_node *open;
    size_t depth, capacity;
    uint32_t *left; /* nodes in the order in which they are left; NULL: not kept */
    size_t left_count, left_capacity;
    bool keep;
};

static int enter(struct walk *w, uint32_t node)
{
    int r = array_reserve(&w->open, w->depth + 1, &w->capacity, sizeof(*w->open), UINT32_MAX);

    if (r < 0)
        return r;
    graph_set_bit(&w->seen, node);
    w->open[w->depth++] = (struct open_node){node, graph_edges_of(&w->h->graph, node)};
    return 0;
}

static int leave(struct walk *w)
{
    uint32_t node = w->open[--w->depth].node;
    int r;

    if (!w->keep)
        return 0;
    r = array_reserve(&w->left, w->left_count + 1, &w->left_capacity, sizeof(*w->left), UINT32_MAX);
    if (r == 0)
        w->left[w->left_count++] = node;
    return r;
}

/* All that the node leads to, and is not seen yet. */
static int reach(struct walk *w, uint32_t node)
{
    int r = graph_bit(&w->seen, node) ? 0 : enter(w, node);

    while (w->depth > 0 && r == 0) {
        struct open_node *top = &w->open[w->depth - 1];
        uint32_t target;

        if (!edge_cursor_more(&top->edges)) {
            r = leave(w);
            continue;
        }
        target = edge_cursor_next(&top->edges);
        if (!graph_bit(&w->seen, target))
            r = enter(w, target);
    }
    return r;
}

static int add_root(struct heap *h, uint32_t node)
{
    int r = array_reserve(&h->roots, h->root_count + 1, &h->root_capacity, sizeof(*h->roots), HEAP_ROOTS_MAX);

    if (r == 0) {
        h->roots[h->root_count++] =
            (struct heap_root_info){node, {.id = heap_index_id(h->index, node), .kind = HEAP_ROOT_UNKNOWN}};
        graph_set_bit(&h->graph.several, node);
    }
    return r;
}

static int add_root_and_reach(struct walk *w, uint32_t node)
{
    int r = add_root(w->h, node);

    return r < 0 ? r : reach(w, node);
}

static int find_circles(struct walk *w)
{
    struct big_array reached = w->seen;
    size_t bytes = reached.size;
    struct walk all = {.h = w->h, .keep = true};
    int r = big_array_new(&all.seen, reached.memory, bytes);

    for (size_t i = 0; r == 0 && i < bytes / sizeof(uint64_t); i++)
        ((uint64_t *)all.seen.data)[i] = ((const uint64_t *)reached.data)[i];
    for (uint32_t n = 0; r == 0 && n < w->h->objects; n++)
        r = reach(&all, n);
    for (size_t i = all.left_count; r == 0 && i-- > 0;)
        if (!graph_bit(&w->seen, all.left[i]))
            r = add_root_and_reach(w, all.left[i]);
    free(all.open);
    free(all.left);
    big_array_free(&all.seen);
    return r;
}

/* The graph's. */
static int list_roots(struct heap *h)
{
    if (!(h->root_nodes = calloc(h->root_count + 1, sizeof(*h->root_nodes))))
        return -ENOMEM;
    for (size_t i = 0; i < h->root_count; i++)
        h->root_nodes[i] = h->roots[i].node;
    h->graph.roots = h->root_nodes;
    h->graph.root_count = h->root_count;
    return 0;
}

int heap_phd_find_roots(struct heap *h, const struct big_array *referred)
{
    struct walk w = {.h = h};
    int r = big_array_new(&w.seen, &h->memory, referred->size);

    for (size_t i = 0; r == 0 && i < h->type_count; i++)
        if (h->types[i].known && h->types[i].node != HEAP_NONE)
            r = add_root_and_reach(&w, h->types[i].node);
    for (uint32_t n = 0; r == 0 && n < h->objects; n++)
        if (!graph_bit(&w.seen, n) && !graph_bit(referred, n))
            r = add_root_and_reach(&w, n);
    if (r == 0)
        r = find_circles(&w);
    free(w.open);
    big_array_free(&w.seen);
    return r < 0 ? r : list_roots(h);
}
