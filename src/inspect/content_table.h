/* SPDX-License-Identifier: Apache-2.0
 *
 * How often a content was met: a hash table of digests, of a size that is known before. A slot has 5 bytes, and there
 * are four for three contents.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/big_memory.h"
#include "hprof/id_map.h"

struct content_table {
    struct big_array mark;  /* uint32_t: half of the digest; the other half led here; 0: unused */
    struct big_array again; /* unsigned char: how often it was met after the first time */
    struct id_map often;    /* by slot: the rest, of what was met more often than a byte can say */
    uint64_t slots, used, most;
    bool full; /* contents were left out */
};

enum { CONTENT_TABLE_SLOTS_MAX = 1 << 27 };

/* -ENOMEM, -ENOSPC or another -errno of big_memory. */
int content_table_init(struct content_table *t, struct big_memory *memory, uint64_t expected);
void content_table_done(struct content_table *t);

/* The slot where the search for a digest begins. */
static inline uint64_t content_table_slot(const struct content_table *t, uint64_t digest)
{
    return (digest & UINT32_MAX) * t->slots >> 32;
}

/* Where the digest will be looked up: into the processor's cache. */
static inline void content_table_prefetch(const struct content_table *t, uint64_t digest)
{
    __builtin_prefetch((const uint32_t *)t->mark.data + content_table_slot(t, digest), 1);
}

/* How often it has been met, this time included; 0: there is no room to remember it. */
uint32_t content_table_add(struct content_table *t, uint64_t digest);
