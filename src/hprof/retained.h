/* SPDX-License-Identifier: Apache-2.0
 *
 * What objects keep alive: the bytes of all that they dominate.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "hprof/heap.h"

struct retained {
    struct dominators tree; /* position 0: the node for all GC roots */
    uint64_t *bytes;        /* by position; owned */
    uint64_t reachable, unreachable;
    uint32_t unreachable_count;
};

/* -ENOMEM. */
int retained_find(const struct heap *h, struct retained *ret, struct err *e);
void retained_done(struct retained *r);

/* The shortest path of references from a GC root to a node, without weak ones; from the locals of threads only if there
 * is no other, as a static field says more: `out` gets the nodes, the root's object first.
 * Returns its length, at most `most`: longer ones are cut at their beginning. 0: there is none without weak references.
 * -ENOMEM. */
int retained_path(const struct heap *h, uint32_t node, uint32_t *out, unsigned most);
