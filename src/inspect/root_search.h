/* SPDX-License-Identifier: Apache-2.0
 *
 * Shortest paths from GC roots to all objects, without what weak, soft, phantom and final references refer to. From the
 * locals of threads only to what has no other path.
 */
#pragma once

#include "hprof/heap.h"

struct root_search {
    uint32_t *from;  /* by node: the node before it; h->objects: a root; HEAP_NONE: no path. Owned */
    uint32_t *queue; /* nodes with a path, each behind the one before it; owned */
    uint32_t count;
};

int root_search_run(const struct heap *h, struct root_search *ret); /* -ENOMEM */
void root_search_done(struct root_search *s);
