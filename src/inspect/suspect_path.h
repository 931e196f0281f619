/* SPDX-License-Identifier: Apache-2.0
 *
 * Ways from GC roots, in words: static fields, fields, elements, locals of threads.
 */
#pragma once

#include "inspect/heap_threads.h"
#include "inspect/root_search.h"
#include "inspect/suspects.h"

/* Sets paths and holders; leaves them empty if weak references alone lead there. threads: for what hangs on the locals
 * of one. 0, -ENOMEM, or -errno of
 * big_memory. */
int suspect_paths_find(struct heap *h, const struct heap_threads *threads, struct suspects *s);

/* What root an object is: "local of thread "http-8" in com.shop.Cart.add(Cart.java:61)"; malloc'ed. */
char *heap_root_text(const struct heap *h, const struct heap_threads *threads, uint32_t node);

/* The path to a node in words, the root first, cut at its beginning; the caller frees texts and list. None if there is
 * none without weak references. 0 or -ENOMEM. */
int heap_path_texts(struct heap *h, const struct heap_threads *threads, const struct root_search *s, uint32_t node,
                    char ***ret, size_t *ret_count);
