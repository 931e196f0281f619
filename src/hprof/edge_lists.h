/* SPDX-License-Identifier: Apache-2.0
 *
 * The edges of a graph in few bytes: of each node the differences of its targets' numbers, as bytes of seven bits.
 * Neighbours are near in a heap: 2.3 bytes an edge instead of 4, and a length of one byte instead of an offset of 4.
 * Written by several threads in any order of nodes, then sealed and read.
 *
 * A list may begin with a plain number (an array's length), which the reader takes first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/big_memory.h"

enum { EDGE_WRITERS_MAX = 64, EDGE_BLOCK = 32 };

/* Of 32 nodes. Side by side, as a search needs both. */
struct edge_block {
    uint64_t at;   /* where the list of the first begins in bytes */
    uint64_t mark; /* two bits of each node, for the one search at a time that writes there; zero before and after */
};

struct edge_lists {
    uint32_t nodes;
    struct big_array size;                   /* unsigned char of each node */
    struct big_array block;                  /* struct edge_block, one more than there are */
    struct big_array bytes;                  /* short lists, in the order of nodes */
    struct big_array more[EDGE_WRITERS_MAX]; /* long lists */
};

/* One thread's. Zero at first, but for lists and number. */
struct edge_writer {
    struct edge_lists *lists;
    unsigned number; /* of the writer: 0 … EDGE_WRITERS_MAX - 1 */
    struct big_array records;
    size_t records_size, more_size;
    struct big_array list; /* the one that is being written */
    size_t list_size;
    uint32_t node, last;
};

int edge_lists_new(struct edge_lists *ret, struct big_memory *memory, uint32_t nodes);
void edge_lists_done(struct edge_lists *l);

/* A node's list, each node once at most: begin, number and edges, end. */
void edge_writer_begin(struct edge_writer *w, uint32_t node);
int edge_writer_number(struct edge_writer *w, uint64_t number);
int edge_writer_edge(struct edge_writer *w, uint32_t target);
int edge_writer_end(struct edge_writer *w);
void edge_writer_done(struct edge_writer *w);

/* Puts the lists of all writers in order, with a thread for each; the writers are empty then. */
int edge_lists_seal(struct edge_lists *l, struct edge_writer *writer, unsigned count);

struct edge_cursor {
    const unsigned char *at, *end;
    uint32_t last;
};

struct edge_cursor edge_lists_of(const struct edge_lists *l, uint32_t node);

static inline unsigned edge_lists_mark(const struct edge_lists *l, uint32_t node)
{
    const struct edge_block *block = (const struct edge_block *)l->block.data + node / EDGE_BLOCK;

    return (unsigned)(block->mark >> node % EDGE_BLOCK * 2 & 3);
}

/* Adds the bits of mark, 0 to 3. */
static inline void edge_lists_add_mark(const struct edge_lists *l, uint32_t node, unsigned mark)
{
    ((struct edge_block *)l->block.data + node / EDGE_BLOCK)->mark |= (uint64_t)mark << node % EDGE_BLOCK * 2;
}

void edge_lists_clear_marks(const struct edge_lists *l);

/* What edge_lists_of will need comes into the cache, with the list itself if the lists near it are about as long. */
void edge_lists_prefetch(const struct edge_lists *l, uint32_t node);

static inline uint64_t edge_cursor_number(struct edge_cursor *c)
{
    uint64_t value = *c->at & 0x7F;

    for (unsigned shift = 7; *c->at++ & 0x80; shift += 7)
        value |= (uint64_t)(*c->at & 0x7F) << shift;
    return value;
}

static inline bool edge_cursor_more(const struct edge_cursor *c)
{
    return c->at < c->end;
}

static inline uint32_t edge_cursor_next(struct edge_cursor *c)
{
    uint64_t value = edge_cursor_number(c);

    c->last += (uint32_t)(value >> 1) ^ (uint32_t) - (int32_t)(value & 1);
    return c->last;
}
