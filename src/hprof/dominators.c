/* SPDX-License-Identifier: Apache-2.0
 *
 * Semi-NCA on depth-first numbers. eval's labels are the least semidominator itself, not the node that has it, so that
 * two numbers a node are hot: ancestor and label. Most semidominators are the parent: the others are kept apart.
 */
#include "hprof/dominators.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "hprof/depth_first.h"
#include "hprof/pendants.h"

enum { AHEAD = 16 };              /* what is used that much later comes into the cache */
enum { WAYS = 64, WAY_STEP = 4 }; /* sources ahead; between two steps of one */

struct link {
    uint32_t ancestor; /* in the tree as eval has compressed it */
    uint32_t label;    /* the least semidominator on the way there */
};

struct work {
    const struct graph *g;
    struct dominators *d;
    struct depth_first *f;
    struct big_memory *memory;
    struct big_array link;          /* struct link by position */
    struct big_array differs, semi; /* a bit by position: its semidominator is not its parent, but the next of semi */
    size_t semi_count;
    struct big_array stack; /* eval's way */
    uint32_t linked;        /* positions from here on are linked */
    uint32_t way[WAYS];     /* of the next sources, by their index: how far it is known */
    int result;
};

static void work_done(struct work *w)
{
    big_array_free(&w->link);
    big_array_free(&w->differs);
    big_array_free(&w->semi);
    big_array_free(&w->stack);
}

/* The least semidominator on the path from p up to, and without, what is not linked yet. Compresses the path. */
static uint32_t eval(struct work *w, uint32_t p)
{
    struct link *link = w->link.data;
    uint32_t *stack = w->stack.data, top;
    size_t depth = 0;

    while (link[p].ancestor >= w->linked) {
        if ((depth + 1) * sizeof(*stack) > w->stack.size) {
            int r = big_array_grow(&w->stack, w->stack.size * 2);

            if (r < 0) {
                w->result = r;
                return 0;
            }
            stack = w->stack.data;
        }
        stack[depth++] = p;
        p = link[p].ancestor;
    }
    top = p;
    while (depth > 0) {
        uint32_t q = stack[--depth];

        if (link[top].label < link[q].label)
            link[q].label = link[top].label;
        link[q].ancestor = link[top].ancestor;
        top = q;
    }
    return link[top].label;
}

/* The next 64 sources are of the targets before this one. Their ways up, which eval will go, are gone now by a step for
 * each fourth of them: nothing is known of a step's end until the processor has fetched its begin. */
static void go_ahead(struct work *w, const uint32_t *source)
{
    size_t at = edge_buckets_index(&w->f->edges, source);
    const struct link *link = w->link.data;

    for (size_t back = at < WAYS ? at / WAY_STEP * WAY_STEP : WAYS; back > 0; back -= WAY_STEP) {
        uint32_t *way = &w->way[(at - back) % WAYS];

        if (back == WAYS)
            *way = *(source - back);
        else if (*way >= w->linked)
            *way = link[*way].ancestor;
        __builtin_prefetch(&link[*way]);
    }
}

static uint32_t least_of(struct work *w, uint32_t p, uint32_t least)
{
    uint32_t count;
    const uint32_t *source = edge_buckets_of(&w->f->edges, p, &count);

    for (uint32_t i = 0; i < count; i++) {
        uint32_t semi;

        go_ahead(w, source + i);
        semi = source[i] < w->linked ? source[i] : eval(w, source[i]);

        if (semi < least)
            least = semi;
    }
    return least;
}

/* Of the node that all nodes of a type lead to. */
static uint32_t least_of_shared(struct work *w, const struct shared_target *t, uint32_t least)
{
    const unsigned char *p = t->sources.data;
    struct edge_cursor c;

    if (t->size == 0)
        return least; /* there is no memory, either */
    c = (struct edge_cursor){p, p + t->size, 0};
    for (uint32_t source = 0; edge_cursor_more(&c);) {
        uint32_t semi;

        source += (uint32_t)edge_cursor_number(&c);
        semi = source < w->linked ? source : eval(w, source);
        if (semi < least)
            least = semi;
    }
    return least;
}

static int note_semi(struct work *w, uint32_t p, uint32_t semi)
{
    int r;

    if ((w->semi_count + 1) * sizeof(uint32_t) > w->semi.size &&
        (r = big_array_grow(&w->semi, w->semi.size + w->semi.size / 2)) < 0)
        return r;
    ((uint32_t *)w->semi.data)[w->semi_count++] = semi;
    graph_set_bit(&w->differs, p);
    return 0;
}

static int find_semidominators(struct work *w)
{
    const uint32_t *parent = w->f->parent.data;
    struct link *link = w->link.data;
    size_t shared = w->f->shared_count; /* by position, ascending */
    int r = 0;

    for (uint32_t p = w->f->count; p-- > 1 && r == 0;) {
        uint32_t least = parent[p];

        if ((p == w->f->count - 1 || p % BUCKET_TARGETS == BUCKET_TARGETS - 1) &&
            (r = edge_buckets_read(&w->f->edges, p / BUCKET_TARGETS)) < 0)
            break;
        w->linked = p + 1;
        least = least_of(w, p, least);
        for (; shared > 0 && w->f->shared[shared - 1].position == p; shared--)
            least = least_of_shared(w, &w->f->shared[shared - 1], least);
        if (least != parent[p])
            r = note_semi(w, p, least);
        link[p] = (struct link){parent[p], least};
        if (w->result < 0)
            r = w->result;
    }
    return r;
}

/* parent[p] becomes its immediate dominator. */
static void climb(struct work *w)
{
    uint32_t *over = w->f->parent.data;
    const uint32_t *semi = w->semi.data;

    for (uint32_t p = 1; p < w->f->count; p++) {
        uint32_t most = over[p], at = most;

        if (w->f->count - p > AHEAD)
            __builtin_prefetch(&over[over[p + AHEAD]]);
        if (graph_bit(&w->differs, p))
            most = semi[--w->semi_count];
        while (at > most)
            at = over[at];
        over[p] = at;
    }
}

static int semi_nca(struct work *w)
{
    size_t bytes = (size_t)w->f->count * sizeof(uint32_t);
    int r;

    if ((r = big_array_new(&w->link, w->memory, (size_t)w->f->count * sizeof(struct link))) < 0 ||
        (r = big_array_new(&w->differs, w->memory, bytes / 32 + 8)) < 0 ||
        (r = big_array_new(&w->semi, w->memory, 1)) < 0 || (r = big_array_new(&w->stack, w->memory, 1)) < 0 ||
        (r = find_semidominators(w)) < 0)
        return r;
    big_array_free(&w->link);
    big_array_free(&w->stack);
    edge_buckets_done(&w->f->edges);
    climb(w);
    return 0;
}

/* From positions to nodes. */
static int name_nodes(struct work *w)
{
    uint32_t *over = w->d->over.data, *order;
    const uint32_t *idom = w->f->parent.data;
    int r;

    if ((r = big_array_new(&w->d->order, w->memory, (size_t)w->f->count * sizeof(uint32_t))) < 0)
        return r;
    order = w->d->order.data;
    w->d->order_count = w->f->count;
    for (uint64_t n = 0; n <= w->g->nodes; n++)
        if (over[n] != DOMINATORS_NONE)
            order[over[n]] = (uint32_t)n;
    for (uint64_t n = 0; n <= w->g->nodes; n++)
        if (over[n] != DOMINATORS_NONE)
            over[n] = order[idom[over[n]]];
    pendants_hang(w->g, w->d);
    return 0;
}

void dominators_done(struct dominators *d)
{
    big_array_free(&d->over);
    big_array_free(&d->order);
    for (size_t i = 0; i < sizeof(d->pendant) / sizeof(*d->pendant); i++)
        big_array_free(&d->pendant[i]);
}

int dominators_find(const struct graph *g, struct dominators *ret)
{
    struct dominators d = {0};
    struct depth_first f = {0};
    struct work w = {.g = g, .d = &d, .f = &f, .memory = g->lists.size.memory};
    int r;

    assert(ret);
    if ((r = pendants_find(g, &d)) < 0 || (r = depth_first(g, &d, &f)) < 0 || (r = semi_nca(&w)) < 0 ||
        (r = name_nodes(&w)) < 0)
        dominators_done(&d);
    else
        *ret = d;
    work_done(&w);
    depth_first_done(&f);
    return r;
}
