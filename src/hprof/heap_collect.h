/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The first pass over a dump: names, stacks, roots, classes, and the ids of all objects. Segments are
 * read by several threads; the result does not depend on their number.
 */
#pragma once

#include "hprof/heap.h"

/* Sets all of h that does not need the graph, and h->chunks. -EOVERFLOW, -E2BIG, -ENOMEM. */
int heap_collect(struct heap *h);

/* What heap_collect has made. */
void heap_collect_undo(struct heap *h);
