/* SPDX-License-Identifier: Apache-2.0
 *
 * The way from a GC root to a suspect, in words: static fields, fields, elements, locals of threads.
 */
#pragma once

#include "inspect/suspects.h"

/* Sets s->path and s->holder; leaves them empty if weak references alone lead there. 0 or -ENOMEM. */
int suspect_path_find(struct heap *h, const struct heap_threads *threads, struct suspect *s);
