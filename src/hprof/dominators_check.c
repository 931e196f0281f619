/* SPDX-License-Identifier: Apache-2.0
 *
 * Repeats over all edges, in reverse postorder, until nothing changes. Edges are taken forwards: what is known of a
 * target is narrowed by each node that leads to it.
 */
#include "hprof/dominators_check.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

struct entry {
    struct edge_cursor cursor;
    uint32_t node, also;
};

struct check {
    const struct graph *g;
    struct big_array order; /* uint32_t by position: nodes in reverse postorder */
    struct big_array place; /* uint32_t by node: its position; GRAPH_NONE */
    struct big_array over;  /* uint32_t by position: what dominates it as far as is known; GRAPH_NONE */
    struct big_array stack;
    size_t depth;
    uint32_t first; /* position */
};

static int push(struct check *c, uint32_t node)
{
    struct entry *e;
    int r = (c->depth + 1) * sizeof(*e) > c->stack.size ? big_array_grow(&c->stack, c->stack.size * 2) : 0;

    if (r < 0)
        return r;
    ((uint32_t *)c->place.data)[node] = 0; /* seen */
    e = (struct entry *)c->stack.data + c->depth++;
    *e = (struct entry){graph_edges_of(c->g, node), node, c->g->types[graph_type_of(c->g, node)].also};
    return 0;
}

static void finish(struct check *c, uint32_t node)
{
    ((uint32_t *)c->order.data)[--c->first] = node;
    ((uint32_t *)c->place.data)[node] = c->first;
}

/* All that can be reached from one root and was not before. */
static int walk(struct check *c, uint32_t root)
{
    const uint32_t *place = c->place.data;
    int r = place[root] == GRAPH_NONE ? push(c, root) : 0;

    while (c->depth > 0 && r == 0) {
        struct entry *e = (struct entry *)c->stack.data + c->depth - 1;
        uint32_t target = GRAPH_NONE;

        if (edge_cursor_more(&e->cursor)) {
            target = edge_cursor_next(&e->cursor);
        } else if (e->also != GRAPH_NONE) {
            target = e->also;
            e->also = GRAPH_NONE;
        } else {
            finish(c, e->node);
            c->depth--;
            continue;
        }
        if (place[target] == GRAPH_NONE)
            r = push(c, target);
    }
    return r;
}

/* Where two nodes' ways to the root meet. */
static uint32_t meet(const uint32_t *over, uint32_t a, uint32_t b)
{
    while (a != b) {
        while (a > b)
            a = over[a];
        while (b > a)
            b = over[b];
    }
    return a;
}

static bool narrow(struct check *c, uint32_t node, uint32_t source)
{
    uint32_t *over = c->over.data, at = ((const uint32_t *)c->place.data)[node];
    uint32_t best = over[at] == GRAPH_NONE ? source : meet(over, over[at], source);

    if (best == over[at])
        return false;
    over[at] = best;
    return true;
}

static bool narrow_all(struct check *c)
{
    const struct graph *g = c->g;
    const uint32_t *order = c->order.data;
    bool changed = false;

    for (uint32_t p = c->first + 1; p <= g->nodes; p++) {
        struct edge_cursor edges = graph_edges_of(g, order[p]);
        uint32_t also = g->types[graph_type_of(g, order[p])].also;

        while (edge_cursor_more(&edges))
            changed |= narrow(c, edge_cursor_next(&edges), p);
        if (also != GRAPH_NONE)
            changed |= narrow(c, also, p);
    }
    return changed;
}

static void solve(struct check *c)
{
    const struct graph *g = c->g;
    uint32_t *over = c->over.data;
    bool changed = true;

    over[c->first] = c->first;
    for (size_t i = 0; i < g->root_count; i++)
        narrow(c, g->roots[i], c->first);
    while (changed)
        changed = narrow_all(c);
}

static int compare(const struct check *c, const struct dominators *d)
{
    const uint32_t *over = c->over.data, *order = c->order.data, *place = c->place.data, *theirs = d->over.data;

    for (uint32_t n = 0; n < c->g->nodes; n++) {
        if ((place[n] == GRAPH_NONE) != (theirs[n] == DOMINATORS_NONE))
            return -EILSEQ;
        if (place[n] != GRAPH_NONE && theirs[n] != order[over[place[n]]])
            return -EILSEQ;
    }
    return 0;
}

static int run(struct check *c)
{
    const struct graph *g = c->g;
    size_t bytes = ((size_t)g->nodes + 1) * sizeof(uint32_t);
    struct big_memory *memory = g->lists.size.memory;
    int r;

    if ((r = big_array_new(&c->order, memory, bytes)) < 0 || (r = big_array_new(&c->place, memory, bytes)) < 0 ||
        (r = big_array_new(&c->over, memory, bytes)) < 0 || (r = big_array_new(&c->stack, memory, 1)) < 0)
        return r;
    memset(c->place.data, 0xFF, bytes);
    memset(c->over.data, 0xFF, bytes);
    c->first = g->nodes; /* filled from the end; the root comes first */
    c->first++;
    for (size_t i = g->root_count; i-- > 0;)
        if ((r = walk(c, g->roots[i])) < 0)
            return r;
    finish(c, g->nodes);
    solve(c);
    return 0;
}

int dominators_check(const struct graph *g, const struct dominators *d)
{
    struct check c = {.g = g};
    int r;

    assert(g && d);
    if ((r = run(&c)) == 0)
        r = compare(&c, d);
    big_array_free(&c.order);
    big_array_free(&c.place);
    big_array_free(&c.over);
    big_array_free(&c.stack);
    return r;
}
