/* SPDX-License-Identifier: Apache-2.0
 *
 * A graph of typed nodes. Knows nothing of heaps: what heaps need is that all nodes of a type may have one edge in
 * common, which is not in their lists (to their class), and that a list may begin with a number.
 */
#pragma once

#include "hprof/edge_lists.h"

#define GRAPH_NONE UINT32_MAX

struct graph_type {
    uint32_t also; /* a node to which each node of the type leads, too; GRAPH_NONE */
    bool number;   /* its lists begin with a number */
};

struct graph {
    unsigned threads; /* that may work on it; 0: one */
    uint32_t nodes;   /* 0 … nodes - 1; `nodes` itself is the root */
    struct edge_lists lists;
    struct big_array type; /* uint16_t of each node, or uint32_t if wide */
    bool wide;
    struct graph_type *types; /* borrowed */
    size_t type_count;
    const uint32_t *roots; /* to which the root leads; borrowed */
    size_t root_count;
    /* A bit for each node to which two references or more lead; the roots' count. Without it (no data): unknown. */
    struct big_array several;
};

static inline uint32_t graph_type_of(const struct graph *g, uint32_t node)
{
    return g->wide ? ((const uint32_t *)g->type.data)[node] : ((const uint16_t *)g->type.data)[node];
}

static inline void graph_set_type(struct graph *g, uint32_t node, uint32_t type)
{
    if (g->wide)
        ((uint32_t *)g->type.data)[node] = type;
    else
        ((uint16_t *)g->type.data)[node] = (uint16_t)type;
}

/* The edges in a node's list, without its number. */
static inline struct edge_cursor graph_edges_of(const struct graph *g, uint32_t node)
{
    struct edge_cursor c = edge_lists_of(&g->lists, node);

    if (edge_cursor_more(&c) && g->types[graph_type_of(g, node)].number)
        edge_cursor_number(&c);
    return c;
}

/* What graph_edges_of will need comes into the cache. */
static inline void graph_prefetch(const struct graph *g, uint32_t node)
{
    edge_lists_prefetch(&g->lists, node);
    __builtin_prefetch((const char *)g->type.data + (size_t)node * (g->wide ? sizeof(uint32_t) : sizeof(uint16_t)));
}

static inline bool graph_bit(const struct big_array *bits, uint32_t node)
{
    return ((const uint64_t *)bits->data)[node >> 6] >> (node & 63) & 1;
}

static inline void graph_set_bit(struct big_array *bits, uint32_t node)
{
    ((uint64_t *)bits->data)[node >> 6] |= UINT64_C(1) << (node & 63);
}
