/* SPDX-License-Identifier: Apache-2.0
 *
 * The JDK's collections and builders that are empty or at most half full, by their fields (JDK 5 to 25). Reachable
 * objects alone.
 */
#pragma once

#include "inspect/heap_objects.h"
#include "inspect/heap_survey.h"

struct collection_layout; /* how a class keeps what it has */

/* Of one class. */
struct collection_stats {
    uint64_t count;
    uint64_t empty, empty_bytes;   /* objects without elements: they, and their arrays */
    uint64_t sparse, sparse_bytes; /* others of at most half their capacity: the unused slots */
};

/* Where a class's instances have their fields. */
struct collection_places {
    const struct collection_layout *layout; /* NULL: no collection */
    struct heap_place size, array, extra;
};

struct collections {
    const struct heap *h;
    const struct retained *r;
    struct collection_places *places; /* by type; owned */
    struct collection_stats *stats;   /* by type; owned */
    struct big_array is_empty;        /* a bit for each node: a map */
};

int collections_begin(struct collections *c, const struct heap *h,
                      const struct retained *r); /* -ENOMEM, or -errno of big_memory */
struct survey_part collections_part(struct collections *c);
void collections_end(struct collections *c); /* the sets, which are maps inside */
void collections_done(struct collections *c);
