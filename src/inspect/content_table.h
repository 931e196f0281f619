/* SPDX-License-Identifier: Apache-2.0
 *
 * How often a content was met: a hash table of digests, 8 bytes for each different one, of a size that is known before.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct content_slot {
    uint32_t mark; /* half of the digest; the other half led here; 0: unused */
    uint32_t count;
};

struct content_table {
    struct content_slot *slot; /* owned */
    uint64_t mask, used, most;
    bool full; /* contents were left out */
};

enum { CONTENT_TABLE_SLOTS_MAX = 1 << 27 };

int content_table_init(struct content_table *t, uint64_t expected); /* -ENOMEM */
void content_table_done(struct content_table *t);

/* Where the digest will be looked up: into the processor's cache. */
static inline void content_table_prefetch(const struct content_table *t, uint64_t digest)
{
    __builtin_prefetch(&t->slot[digest & t->mask], 1);
}

/* How often it has been met, this time included; 0: there is no room to remember it. */
uint32_t content_table_add(struct content_table *t, uint64_t digest);
