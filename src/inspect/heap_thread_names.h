/* SPDX-License-Identifier: Apache-2.0
 *
 * The names of the threads of a heap dump, by one pass over it: what may be a name is known from the graph.
 */
#pragma once

#include "inspect/heap_threads.h"

/* Sets the name of each thread, where it can be read. -ENOMEM. */
int heap_thread_names_read(struct heap *h, struct heap_threads *t);
