/* SPDX-License-Identifier: Apache-2.0
 *
 * Leak suspects, as Eclipse MAT defines them: an object that no other one dominates, or all such objects of one class
 * together, that keep more than a tenth of the heap alive; and where it accumulates: from the object down to its
 * biggest child, as long as that has 0.7 of its parent.
 */
#pragma once

#include "hprof/heap.h"
#include "hprof/retained.h"

enum { SUSPECTS_MAX = 5, SUSPECT_PERCENT = 10, SUSPECT_SAMPLE = 32 };

struct suspect {
    uint32_t node;  /* the object; HEAP_NONE: a group */
    uint32_t type;  /* its type, or the group's */
    uint32_t count; /* objects: 1, or of the group */
    uint32_t at;    /* position of the object, or of the group's largest; of the point, once that is known */
    uint64_t bytes; /* that it keeps alive */
    uint32_t point; /* where it accumulates; of a group: its largest object's */
    uint32_t
        sample[SUSPECT_SAMPLE + 1]; /* some objects of a group, evenly spread, and its largest; of one: the point */
    unsigned sample_count;
    uint64_t point_bytes;
    uint32_t content;                      /* type of most of what the point keeps alive; HEAP_NONE */
    uint64_t content_count, content_bytes; /* instances, shallow */
    /* From a GC root to the point; of a group: what the paths to most of its objects have in common, or the path of the
     * largest, where they have nothing. */
    char **path; /* "static com.shop.Cart.CACHE", "java.util.HashMap.table", …; owned */
    size_t path_count;
    unsigned path_percent; /* of a group: how many of its objects (of the sample) it leads to; 0: the largest alone */
    char *holder;          /* the first of it, with the type: "static com.shop.Cart.CACHE (java.util.HashMap)"; owned */
};

struct suspects {
    struct suspect suspect[SUSPECTS_MAX]; /* the largest first */
    size_t count;
};

/* Without their paths (inspect/suspect_path.h). -ENOMEM. */
int suspects_find(const struct heap *h, const struct retained *r, struct suspects *ret);
void suspects_done(struct suspects *s);
