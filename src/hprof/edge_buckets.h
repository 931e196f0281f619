/* SPDX-License-Identifier: Apache-2.0
 *
 * Pairs of numbers, sorted roughly by their target: written one by one in any order, read by ranges of 65536 targets
 * from the last to the first, and let go as they are read. 6 bytes a pair.
 */
#pragma once

#include "base/big_memory.h"

enum { BUCKET_TARGETS = 1 << 16 };

struct edge_buckets {
    struct big_array chunks; /* of CHUNK bytes, linked */
    uint32_t chunk_count, bucket_count;
    struct big_array last;          /* of each bucket: the number of its last chunk, and 1; 0: none */
    struct big_array sorted, place; /* of the bucket that was read last */
    struct big_memory *memory;
};

int edge_buckets_new(struct edge_buckets *ret, struct big_memory *memory, uint32_t targets);
void edge_buckets_done(struct edge_buckets *b);

int edge_buckets_put(struct edge_buckets *b, uint32_t target, uint32_t source);

/* Moves all pairs to another table, in which a target has the number that stands at its place. */
int edge_buckets_rename(struct edge_buckets *from, const uint32_t *number, struct edge_buckets *to);

/* Makes the sources of targets bucket * BUCKET_TARGETS … readable. */
int edge_buckets_read(struct edge_buckets *b, uint32_t bucket);
const uint32_t *edge_buckets_of(const struct edge_buckets *b, uint32_t target, uint32_t *ret_count);

/* The index of one of these sources among all that are readable. */
static inline size_t edge_buckets_index(const struct edge_buckets *b, const uint32_t *source)
{
    return (size_t)(source - (const uint32_t *)b->sorted.data);
}
