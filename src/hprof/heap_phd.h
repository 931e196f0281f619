/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. A portable heap dump as a graph (hprof/heap.h): types by name, references, sizes. It has no fields,
 * contents, stacks or GC roots: h->chunks is empty, and roots are taken for granted (heap_phd_find_roots).
 */
#pragma once

#include "hprof/heap.h"
#include "hprof/phd_reader.h"

/* Sets all of h. -EBADMSG: no portable heap dump; -EOVERFLOW, -E2BIG, -ENOMEM, or an -errno of a temporary file. */
int heap_phd_load(struct heap *h, const void *data, size_t size);

/* --- between the files of this --- */

/* heap_phd_roots.c: sets h->roots and those of the graph, which is sealed, as Eclipse MAT does it where a dump has
 * none: classes, objects that nothing refers to (their bit in `referred` is unset), and of each circle that nothing
 * else leads to, one object. */
int heap_phd_find_roots(struct heap *h, const struct big_array *referred);

/* heap_phd_sizes.c: sets the layout and each type's size, count and bytes. */
void heap_phd_measure(struct heap *h);
