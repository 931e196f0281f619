/* SPDX-License-Identifier: Apache-2.0
 *
 * One pass over all lists for each level.
 */
#include "hprof/pendants.h"

#include <assert.h>

enum { LEVELS = 3 };

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

static void find_level(const struct graph *g, struct dominators *d, struct big_array *level)
{
    for (uint32_t n = 0; n < g->nodes; n++) {
        uint32_t also = g->types[graph_type_of(g, n)].also;

        if (!graph_bit(&g->several, n) && (also == GRAPH_NONE || also == n) && !pendants_has(d, n) && all_in(g, d, n))
            graph_set_bit(level, n);
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
        struct big_array level = {0}; /* a level leads to those before it alone, or there would be no end of them */

        if ((r = big_array_new(&level, g->lists.size.memory, bytes)) < 0)
            return r;
        find_level(g, d, &level);
        big_array_free(&d->pendant[i]);
        d->pendant[i] = level;
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
