/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. What objects keep alive: the bytes of all that they dominate.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "hprof/dominators.h"
#include "hprof/heap.h"

enum { RETAINED_LEVELS = 5, RETAINED_LEVEL_BITS = 6, RETAINED_SUM_BLOCK = 1 << 16 };

/* Positions are the reachable objects in the order of a walk through the dominator tree, an object before all that it
 * dominates: what p dominates is p + 1 … retained_end(p) - 1, its first child is p + 1, the next child of the same
 * parent is retained_end(p). Position 0 stands for all GC roots. Use the functions below: how it is stored changes. */
struct retained {
    uint32_t count; /* of positions */
    uint64_t reachable, unreachable;
    uint32_t unreachable_count;
    struct big_array reached;               /* a bit for each node */
    struct big_array node, end;             /* uint32_t: by position */
    struct big_array most[RETAINED_LEVELS]; /* uint32_t: the largest end of 64 positions, of 64 of these, … */
    struct big_array sum;       /* bytes of all positions before this one: in units from the block's, or in whole */
    struct big_array sum_block; /* uint64_t: of each RETAINED_SUM_BLOCKth position */
    uint32_t sum_unit;          /* 8 or 1: sum is uint32_t; 0: it is uint64_t, and there are no blocks */
};

/* -ENOMEM, -ENOSPC or another -errno of a temporary file. */
int retained_find(const struct heap *h, struct retained *ret, struct err *e);
void retained_done(struct retained *r);

static inline bool retained_is_reached(const struct retained *r, uint32_t node)
{
    return graph_bit(&r->reached, node);
}

/* The position of a node; DOMINATORS_NONE: it is not reachable. All positions are searched for it. */
uint32_t retained_at(const struct retained *r, uint32_t node);

/* The node at a position; h->objects for position 0. */
static inline uint32_t retained_node(const struct retained *r, uint32_t position)
{
    return ((const uint32_t *)r->node.data)[position];
}

/* The position of the immediate dominator, smaller than its own; of position 0: 0. It is searched for: who needs it of
 * all positions one after the other has retained_walk. */
uint32_t retained_over(const struct retained *r, uint32_t position);

/* The position after the last one that this one dominates. */
static inline uint32_t retained_end(const struct retained *r, uint32_t position)
{
    return ((const uint32_t *)r->end.data)[position];
}

/* Shallow bytes of all positions before this one. */
static inline uint64_t retained_sum(const struct retained *r, uint32_t position)
{
    if (r->sum_unit == 0)
        return ((const uint64_t *)r->sum.data)[position];
    return ((const uint64_t *)r->sum_block.data)[position / RETAINED_SUM_BLOCK] +
           (uint64_t)((const uint32_t *)r->sum.data)[position] * r->sum_unit;
}

/* What it keeps alive, itself included. */
static inline uint64_t retained_bytes(const struct retained *r, uint32_t position)
{
    return retained_sum(r, retained_end(r, position)) - retained_sum(r, position);
}

/* Shallow bytes of the object at a position. */
static inline uint64_t retained_shallow(const struct retained *r, uint32_t position)
{
    return retained_sum(r, position + 1) - retained_sum(r, position);
}

/* All positions from 1 on, each with what is over it:
 *
 *     struct retained_walk w = {.r = r};
 *     while (retained_walk_next(&w) > 0)
 *         … w.position, retained_walk_over(&w) …
 *     retained_walk_done(&w); */
struct retained_walk {
    const struct retained *r;
    uint32_t position;
    uint32_t *open; /* the position and all that are over it, but 0 */
    size_t depth, capacity;
    void (*leave)(void *ctx, uint32_t position); /* may be NULL: after the last position that this one dominates */
    void *ctx;
};

/* 1; 0: there are no more, all have been left; -ENOMEM. */
int retained_walk_next(struct retained_walk *w);
void retained_walk_done(struct retained_walk *w);

static inline uint32_t retained_walk_over(const struct retained_walk *w)
{
    return w->depth > 1 ? w->open[w->depth - 2] : 0;
}
