/* SPDX-License-Identifier: Apache-2.0
 *
 * Dominators of a directed graph, by semi-NCA (Georgiadis, Tarjan, Werneck: "Finding Dominators in Practice", 2006).
 * Knows nothing of heaps. Nodes are numbers; the last one, `root`, is where every path begins.
 */
#pragma once

#include <stdint.h>

#define DOMINATORS_NONE UINT32_MAX

/* edges of node n: to[first[n]] … to[first[n + 1] - 1]; targets may be repeated. */
struct graph {
    uint32_t nodes;
    const uint32_t *first; /* nodes + 1 */
    const uint32_t *to;
};

/* The reachable nodes in depth-first order, and what dominates each. All indexes below are positions in that order. */
struct dominators {
    uint32_t count; /* of reachable nodes */
    uint32_t *node; /* position -> node; owned; node[0] is the root */
    uint32_t *at;   /* node -> position; DOMINATORS_NONE: not reachable; owned */
    uint32_t *over; /* position -> position of the immediate dominator, smaller than its own; over[0] is 0; owned */
};

/* -ENOMEM. */
int dominators_find(const struct graph *g, uint32_t root, struct dominators *ret);
void dominators_done(struct dominators *d);
