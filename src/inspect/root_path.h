/* SPDX-License-Identifier: Apache-2.0
 *
 * The shortest paths from GC roots to a few objects, as root_search finds them to all. The search ends with the last
 * of them, which most often lies near a root; it takes 4 bytes for each object that it has met.
 */
#pragma once

#include "hprof/heap.h"

enum { ROOT_PATH_MAX = 32, ROOT_PATHS_MAX = 256 };

struct root_path {
    uint32_t node[ROOT_PATH_MAX]; /* from the root to the target; a longer one is cut at its beginning */
    size_t count;                 /* 0: there is no path without weak references */
};

/* ret: one for each target, of which there are ROOT_PATHS_MAX at most. -ENOMEM, -ENOSPC or another -errno of
 * big_memory. */
int root_paths_find(const struct heap *h, const uint32_t *target, size_t count, struct root_path *ret);
