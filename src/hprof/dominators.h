/* SPDX-License-Identifier: Apache-2.0
 *
 * Dominators of a directed graph, by semi-NCA (Georgiadis, Tarjan, Werneck: "Finding Dominators in Practice", 2006).
 *
 * What one reference alone leads to, and what leads nowhere (hprof/pendants.h), is dominated by its predecessor, and
 * takes no part: in a heap that is more than half. Depth-first search numbers the rest and writes down each edge that
 * is no tree edge, sorted roughly by its target; from there on, all works on those numbers, and consumes the edges.
 */
#pragma once

#include "hprof/graph.h"

#define DOMINATORS_NONE UINT32_MAX

struct dominators {
    struct big_array over;  /* uint32_t of each node: its immediate dominator, g->nodes for the root; DOMINATORS_NONE:
                               not  reachable */
    struct big_array order; /* uint32_t: nodes that are no pendants, what dominates before what it dominates; the root
                               first */
    uint32_t order_count;
    struct big_array pendant[3]; /* a bit for each node: pendants at the end, before the end, before those */
};

/* -ENOMEM, -ENOSPC or another -errno of big_memory. */
int dominators_find(const struct graph *g, struct dominators *ret);
void dominators_done(struct dominators *d);
