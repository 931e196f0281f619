/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Names and stacks of a heap dump.
 */
#pragma once

#include "hprof/heap.h"

struct heap_segments {
    struct heap_part *segment; /* owned by the caller: free() */
    size_t count, capacity;
};

/* Texts, types by name, frames and traces of h, and where its segments are. -E2BIG, -ENOMEM. */
int heap_names_read(struct heap *h, struct heap_segments *ret);
