/* SPDX-License-Identifier: Apache-2.0
 *
 * The threads of a heap dump: names, stacks, what each retains, and which one ran out of memory: HotSpot puts a frame
 * of OutOfMemoryError's constructor on top of its stack (VM_HeapDumper).
 */
#pragma once

#include "hprof/heap.h"
#include "inspect/heap_sets.h"

enum { HEAP_THREADS_MAX = 100000, HEAP_THREAD_FRAMES_MAX = 1024 };

struct heap_thread {
    uint32_t serial;
    uint32_t node; /* of the Thread object; HEAP_NONE */
    char *name;    /* NULL: unknown; owned */
    char **frames; /* "com.shop.Cart.add(Cart.java:61)", the top first; owned */
    size_t frame_count;
    uint64_t retained; /* by the Thread object and the locals of its stack; 0 before heap_threads_order */
    bool out_of_memory;
};

struct heap_threads {
    struct heap_thread *thread; /* those that retain most first, after the one that ran out of memory */
    size_t count, capacity;
};

int heap_threads_find(struct heap *h, struct heap_threads *ret, struct err *e);

/* The objects that each thread holds: itself and its locals; sets are indexes in t->thread. malloc'ed. -ENOMEM. */
int heap_threads_marks(const struct heap *h, const struct heap_threads *t, struct set_mark **ret, size_t *ret_count);

/* Puts them in order, once it is known what each of these sets keeps alive. */
void heap_threads_order(struct heap_threads *t, const struct set_size *size);
void heap_threads_done(struct heap_threads *t);

/* A frame in words; malloc'ed. */
char *heap_frame_text(const struct heap *h, const struct heap_frame *f);
