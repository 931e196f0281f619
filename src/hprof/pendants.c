/* SPDX-License-Identifier: Apache-2.0
 *
 * One pass over all lists for each level.
 */
#include "hprof/pendants.h"

#include <assert.h>

#include "base/parallel.h"

enum { LEVELS = 3, TAKEN = 1 << 16 /* nodes at once, whose bits fill words */ };

static bool all_in(const struct graph *g, const struct dominators *d, uint32_t node)
{
    struct edge_cursor c = graph_edges_of(g, node);

    while (edge_cursor_more(&c)) {
        uint32_t target = edge_cursor_next(&c);

        if (!pendants_has(d, target))
            return false;
    }
    return true;
}

struct level {
    const struct graph *g;
    const struct dominators *d;
    struct big_array bits;
    uint64_t next; /* node that no thread has taken yet */
};

static void find_some(void *ctx)
{
    struct level *l = ctx;
    const struct graph *g = l->g;
    uint64_t from;

    while ((from = __atomic_fetch_add(&l->next, TAKEN, __ATOMIC_RELAXED)) < g->nodes)
        for (uint64_t i = from; i < from + TAKEN && i < g->nodes; i++) {
            uint32_t n = (uint32_t)i, also = g->types[graph_type_of(g, n)].also;

            if (!graph_bit(&g->several, n) && (also == GRAPH_NONE || also == n) && !pendants_has(l->d, n) &&
                all_in(g, l->d, n))
                graph_set_bit(&l->bits, n);
        }
}

int pendants_find(const struct graph *g, struct dominators *d)
{
    size_t bytes = ((size_t)g->nodes / 64 + 1) * sizeof(uint64_t);
    int r;

    for (unsigned i = 0; i < LEVELS; i++)
        if ((r = big_array_new(&d->pendant[i], g->lists.size.memory, bytes)) < 0)
            return r;
    for (unsigned i = 0; i < LEVELS && g->several.data; i++) {
        /* A level leads to those before it alone, or there would be no end of them. */
        struct level level = {.g = g, .d = d};

        if ((r = big_array_new(&level.bits, g->lists.size.memory, bytes)) < 0)
            return r;
        parallel_run(g->threads, find_some, &level);
        big_array_free(&d->pendant[i]);
        d->pendant[i] = level.bits;
    }
    return 0;
}

/* Three deep at most. */
static void hang(const struct graph *g, struct dominators *d, uint32_t node)
{
    struct edge_cursor c = graph_edges_of(g, node);
    uint32_t *over = d->over.data;

    while (edge_cursor_more(&c)) {
        uint32_t target = edge_cursor_next(&c);

        if (target != node && pendants_has(d, target)) {
            over[target] = node;
            if (!graph_bit(&d->pendant[0], target))
                hang(g, d, target);
        }
    }
}

/* In the order of nodes, as lists lie in it. */
void pendants_hang(const struct graph *g, struct dominators *d)
{
    const uint32_t *over = d->over.data;

    for (uint32_t n = 0; n < g->nodes; n++)
        if (over[n] != DOMINATORS_NONE && !pendants_has(d, n))
            hang(g, d, n);
}
