/* SPDX-License-Identifier: Apache-2.0
 *
 * Shortest paths from GC roots to all objects, without what weak, soft, phantom and final references refer to. From the
 * locals of threads only to what has no other path. Paths to a few: inspect/root_path.h.
 */
#pragma once

#include "hprof/heap.h"

struct root_search {
    struct big_array from_array, queue_array;
    uint32_t *from;  /* by node: the node before it; h->objects: a root; HEAP_NONE: no path */
    uint32_t *queue; /* nodes with a path, each behind the one before it */
    uint32_t count;
};

/* -ENOMEM, -ENOSPC or another -errno of big_memory. */
int root_search_run(const struct heap *h, struct root_search *ret);
void root_search_done(struct root_search *s);

/* A local of a thread's stack, Java's or JNI's. */
static inline bool root_is_local(const struct heap_root_info *root)
{
    return root->record.kind == HEAP_ROOT_JAVA_FRAME || root->record.kind == HEAP_ROOT_JNI_LOCAL;
}
