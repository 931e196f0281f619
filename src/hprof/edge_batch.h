/* SPDX-License-Identifier: Apache-2.0
 *
 * References of objects on their way into lists of edges. A heap's references lead anywhere in memory: they wait in a
 * batch until the processor has fetched what is known of their targets, some hundred at a time instead of one by one.
 */
#pragma once

#include "hprof/edge_lists.h"
#include "hprof/heap_index.h"

enum { EDGE_BATCH = 512 };

/* One thread's. Zero at first, but for what the first five lines name. */
struct edge_batch {
    const struct heap_index *index;
    const struct big_array *once, *several; /* a bit for each node: one reference leads to it, two do; shared */
    struct edge_writer *writer;
    bool open; /* the writer has a list that is not ended */
    uint32_t last;
    unsigned count;
    unsigned char kind[EDGE_BATCH];
    uint64_t value[EDGE_BATCH]; /* a node, a number, an id */
    uint32_t target[EDGE_BATCH];
};

/* The list of a node: begin, number, referent, references. 0, or what the writer says, perhaps of an earlier list. */
int edge_batch_begin(struct edge_batch *b, uint32_t node);
int edge_batch_number(struct edge_batch *b, uint64_t number);
/* The first edge of a weak reference is its referent's: to itself if there is none. */
int edge_batch_referent(struct edge_batch *b, uint64_t id);
/* Without an edge: null, what is no object, the node itself, and the same as the reference before. */
int edge_batch_reference(struct edge_batch *b, uint64_t id);

/* All that waits, and ends the last list. */
int edge_batch_flush(struct edge_batch *b);
