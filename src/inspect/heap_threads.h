/* SPDX-License-Identifier: Apache-2.0
 *
 * The threads of a heap dump: names, stacks, what each retains, and which one ran out of memory: HotSpot puts a frame
 * of OutOfMemoryError's constructor on top of its stack (VM_HeapDumper).
 */
#pragma once

#include "hprof/heap.h"
#include "hprof/retained.h"

enum { HEAP_THREADS_MAX = 100000, HEAP_THREAD_FRAMES_MAX = 1024 };

struct heap_thread {
    uint32_t serial;
    uint32_t node; /* of the Thread object; HEAP_NONE */
    char *name;    /* NULL: unknown; owned */
    char **frames; /* "com.shop.Cart.add(Cart.java:61)", the top first; owned */
    size_t frame_count;
    uint64_t retained;
    bool out_of_memory;
};

struct heap_threads {
    struct heap_thread *thread; /* those that retain most first, after the one that ran out of memory */
    size_t count, capacity;
};

int heap_threads_find(struct heap *h, const struct retained *retained, struct heap_threads *ret, struct err *e);
void heap_threads_done(struct heap_threads *t);

/* A frame in words; malloc'ed. */
char *heap_frame_text(const struct heap *h, const struct heap_frame *f);
