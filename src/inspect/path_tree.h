/* SPDX-License-Identifier: Apache-2.0
 *
 * The shortest paths from GC roots to many objects, merged: at each step objects of the same class are one.
 */
#pragma once

#include "inspect/root_search.h"

enum { PATH_TREE_NODES = 200, PATH_TREE_DEPTH = 64, PATH_TREE_PERCENT = 1 };

struct path_node {
    uint32_t parent; /* a smaller number; of the first, which stands for all GC roots: 0 */
    uint32_t type, depth;
    uint32_t node, before; /* one of its objects, and what refers to it on its path (h->objects: a root) */
    uint64_t count;        /* wanted objects with a path through it */
    char *field;           /* through which `before` refers to it; NULL: of an array, or unknown; owned */
};

struct path_tree {
    struct path_node *node; /* owned; most first, without those that have less than a hundredth */
    size_t count, capacity;
    uint64_t wanted; /* objects; the first node's count are those that have a path */
};

/* wanted: a bit for each node. 0 or -ENOMEM. */
int path_tree_find(struct heap *h, const struct root_search *s, const uint64_t *wanted, struct path_tree *ret);
void path_tree_done(struct path_tree *t);
