/* SPDX-License-Identifier: Apache-2.0
 *
 * The dominator tree in at most 2,000 nodes: objects of one class below the same node are merged, unless one keeps more
 * than the threshold alive; so are chains of one class, a list's nodes. For a picture of what keeps the heap alive.
 */
#pragma once

#include "hprof/retained.h"

enum { MERGED_TREE_NODES = 2000, MERGED_TREE_DEPTH = 64, MERGED_TREE_THRESHOLD = 1000 /* a 1000th of the heap */ };

struct merged_node {
    uint32_t parent; /* a smaller number; of the first, which stands for all GC roots: 0 */
    uint32_t type;   /* HEAP_NONE: the first's, or unknown */
    uint32_t node;   /* the object, or one of them; HEAP_NONE */
    uint32_t count;  /* objects */
    uint32_t depth;  /* 0: the first */
    uint64_t retained, bytes;
};

struct merged_tree {
    struct merged_node *node; /* owned; those that keep most first */
    size_t count, capacity;
};

int merged_tree_find(const struct heap *h, const struct retained *r, struct merged_tree *ret); /* -ENOMEM */
void merged_tree_done(struct merged_tree *t);
