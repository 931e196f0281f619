/* SPDX-License-Identifier: Apache-2.0
 *
 * What objects keep alive: the bytes of all that they dominate.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "hprof/heap.h"

/* Positions are the reachable objects in the order of a walk through the dominator tree, an object before all that it
 * dominates: what p dominates is p + 1 … retained_end(p) - 1, its first child is p + 1, the next child of the same
 * parent is retained_end(p). Position 0 stands for all GC roots. Use the functions below: how it is stored changes. */
struct retained {
    uint32_t count; /* of positions */
    uint64_t reachable, unreachable;
    uint32_t unreachable_count;
    struct dominators tree;
    uint64_t *bytes;
    uint32_t *end;
};

/* -ENOMEM. */
int retained_find(const struct heap *h, struct retained *ret, struct err *e);
void retained_done(struct retained *r);

/* The position of a node; DOMINATORS_NONE: it is not reachable. */
static inline uint32_t retained_at(const struct retained *r, uint32_t node)
{
    return r->tree.at[node];
}

/* The node at a position; h->objects for position 0. */
static inline uint32_t retained_node(const struct retained *r, uint32_t position)
{
    return r->tree.node[position];
}

/* The position of the immediate dominator, smaller than its own; of position 0: 0. */
static inline uint32_t retained_over(const struct retained *r, uint32_t position)
{
    return r->tree.over[position];
}

/* The position after the last one that this one dominates. */
static inline uint32_t retained_end(const struct retained *r, uint32_t position)
{
    return r->end[position];
}

/* What it keeps alive, itself included. */
static inline uint64_t retained_bytes(const struct retained *r, uint32_t position)
{
    return r->bytes[position];
}

/* The shortest path of references from a GC root to a node, without weak ones; from the locals of threads only if there
 * is no other, as a static field says more: `out` gets the nodes, the root's object first.
 * Returns its length, at most `most`: longer ones are cut at their beginning. 0: there is none without weak references.
 * -ENOMEM. */
int retained_path(const struct heap *h, uint32_t node, uint32_t *out, unsigned most);
