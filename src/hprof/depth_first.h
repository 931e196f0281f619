/* SPDX-License-Identifier: Apache-2.0
 *
 * Depth-first search: numbers the nodes that are no pendants, and writes down all edges that are not the tree's, as
 * pairs of these numbers.
 */
#pragma once

#include "hprof/dominators.h"
#include "hprof/edge_buckets.h"

/* A node to which all nodes of a type lead: the positions of these, as differences. */
struct shared_target {
    uint32_t node, position;
    uint32_t last;
    struct big_array sources; /* as an edge_cursor's numbers */
    size_t size;
};

struct depth_first {
    uint32_t count;
    struct big_array parent; /* uint32_t by position */
    struct edge_buckets edges;
    struct shared_target *shared; /* by position, ascending; owned */
    size_t shared_count;
};

/* d->over becomes the position of each node that was reached (pendants are not), else DOMINATORS_NONE. */
int depth_first(const struct graph *g, struct dominators *d, struct depth_first *ret);
void depth_first_done(struct depth_first *f);
