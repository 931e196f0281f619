/* SPDX-License-Identifier: Apache-2.0
 *
 * Depth-first numbers first; everything else works on positions in that order, so that what is near in the heap's
 * structure is near in memory. The lists of predecessors are made once, and let go before the last pass.
 */
#include "hprof/dominators.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct work {
    const struct graph *g;
    struct dominators *d;
    uint32_t *parent;       /* position -> position in the depth-first tree; compressed by eval */
    uint32_t *semi;         /* position -> the semidominator's position */
    uint32_t *label;        /* position -> the position with the smallest semidominator on the compressed path */
    uint32_t *first, *from; /* predecessors of position p: from[first[p]] … */
    uint32_t *stack;
};

static void *array(uint64_t count)
{
    return malloc((size_t)(count ? count : 1) * sizeof(uint32_t));
}

/* Iterative: a list of 20 million elements is as deep. The next edge of each node on the stack is kept in semi, which
 * is not used yet. */
static void depth_first(struct work *w, uint32_t root)
{
    const struct graph *g = w->g;
    struct dominators *d = w->d;
    uint32_t *next = w->semi, depth = 0;

    memset(d->at, 0xFF, (size_t)g->nodes * sizeof(*d->at));
    d->node[0] = root;
    d->at[root] = 0;
    w->parent[0] = 0;
    next[0] = g->first[root];
    d->count = 1;
    w->stack[depth++] = 0;
    while (depth > 0) {
        uint32_t position = w->stack[depth - 1], node = d->node[position], end = g->first[node + 1], target;

        while (next[position] < end && d->at[g->to[next[position]]] != DOMINATORS_NONE)
            next[position]++;
        if (next[position] == end) {
            depth--;
            continue;
        }
        target = g->to[next[position]++];
        d->node[d->count] = target;
        d->at[target] = d->count;
        w->parent[d->count] = position;
        next[d->count] = g->first[target];
        w->stack[depth++] = d->count++;
    }
}

static int find_predecessors(struct work *w)
{
    const struct graph *g = w->g;
    struct dominators *d = w->d;
    uint32_t total = 0;

    if (!(w->first = calloc((size_t)d->count + 1, sizeof(*w->first))))
        return -ENOMEM;
    for (uint32_t p = 0; p < d->count; p++)
        for (uint32_t e = g->first[d->node[p]]; e < g->first[d->node[p] + 1]; e++)
            w->first[d->at[g->to[e]]]++;
    for (uint32_t p = 0; p < d->count; p++) { /* to the ends of the lists, which are filled backwards */
        total += w->first[p];
        w->first[p] = total;
    }
    w->first[d->count] = total;
    if (!(w->from = array(total)))
        return -ENOMEM;
    for (uint32_t p = d->count; p-- > 0;)
        for (uint32_t e = g->first[d->node[p]]; e < g->first[d->node[p] + 1]; e++)
            w->from[--w->first[d->at[g->to[e]]]] = p;
    return 0;
}

/* The position with the smallest semidominator on the path from p up to, and without, the tree's part that is not
 * linked yet (positions below `linked`). Compresses the path. */
static uint32_t eval(struct work *w, uint32_t p, uint32_t linked)
{
    uint32_t depth = 0, top;

    if (p < linked)
        return p;
    while (w->parent[p] >= linked) {
        w->stack[depth++] = p;
        p = w->parent[p];
    }
    top = p;
    while (depth > 0) {
        uint32_t q = w->stack[--depth];

        if (w->semi[w->label[top]] < w->semi[w->label[q]])
            w->label[q] = w->label[top];
        w->parent[q] = w->parent[top];
        top = q;
    }
    return w->label[top];
}

static void find_semidominators(struct work *w)
{
    struct dominators *d = w->d;

    for (uint32_t p = 0; p < d->count; p++) {
        w->label[p] = p;
        w->semi[p] = p;
        d->over[p] = w->parent[p];
    }
    for (uint32_t p = d->count; p-- > 1;) {
        uint32_t least = d->over[p];

        for (uint32_t i = w->first[p]; i < w->first[p + 1]; i++) {
            uint32_t semi = w->semi[eval(w, w->from[i], p + 1)];

            if (semi < least)
                least = semi;
        }
        w->semi[p] = least;
    }
}

static void find_dominators(struct work *w)
{
    struct dominators *d = w->d;

    for (uint32_t p = 1; p < d->count; p++) {
        uint32_t over = d->over[p];

        while (over > w->semi[p])
            over = d->over[over];
        d->over[p] = over;
    }
}

static void work_done(struct work *w)
{
    free(w->parent);
    free(w->semi);
    free(w->label);
    free(w->first);
    free(w->from);
    free(w->stack);
}

void dominators_done(struct dominators *d)
{
    free(d->node);
    free(d->at);
    free(d->over);
    *d = (struct dominators){0};
}

int dominators_find(const struct graph *g, uint32_t root, struct dominators *ret)
{
    struct dominators d = {.node = array(g->nodes), .at = array(g->nodes), .over = array(g->nodes)};
    struct work w = {.g = g,
                     .d = &d,
                     .parent = array(g->nodes),
                     .semi = array(g->nodes),
                     .label = array(g->nodes),
                     .stack = array(g->nodes)};
    int r = -ENOMEM;

    assert(ret && root < g->nodes);
    if (d.node && d.at && d.over && w.parent && w.semi && w.label && w.stack) {
        depth_first(&w, root);
        r = find_predecessors(&w);
    }
    if (r == 0) {
        find_semidominators(&w);
        find_dominators(&w);
        *ret = d;
    } else {
        dominators_done(&d);
    }
    work_done(&w);
    return r;
}
