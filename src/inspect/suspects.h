/* SPDX-License-Identifier: Apache-2.0
 *
 * Leak suspects, as Eclipse MAT defines them: an object that no other one dominates, or all such objects of one class
 * together, that keep more than a tenth of the heap alive; and where it accumulates: from the object down to its
 * biggest child, as long as that has 0.7 of its parent.
 */
#pragma once

#include "hprof/heap.h"
#include "hprof/retained.h"
#include "inspect/heap_threads.h"

enum { SUSPECTS_MAX = 5, SUSPECT_PERCENT = 10 };

struct suspect {
    uint32_t node;  /* the object; HEAP_NONE: a group */
    uint32_t type;  /* its type, or the group's */
    uint32_t count; /* objects: 1, or of the group */
    uint32_t at;    /* position of the object, or of the group's largest; of the point, once that is known */
    uint64_t bytes; /* that it keeps alive */
    uint32_t point; /* where it accumulates */
    uint64_t point_bytes;
    uint32_t content;                      /* type of most of what the point keeps alive; HEAP_NONE */
    uint64_t content_count, content_bytes; /* instances, shallow */
    char **path; /* "static com.shop.Cart.CACHE", "java.util.HashMap.table", …: from a GC root to the point; owned */
    size_t path_count;
    char *holder; /* the first of it, with the type: "static com.shop.Cart.CACHE (java.util.HashMap)"; owned */
};

struct suspects {
    struct suspect suspect[SUSPECTS_MAX]; /* the largest first */
    size_t count;
};

/* threads: for what hangs on the locals of one. */
int suspects_find(struct heap *h, const struct retained *r, const struct heap_threads *threads, struct suspects *ret,
                  struct err *e);
void suspects_done(struct suspects *s);
