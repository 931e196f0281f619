/* SPDX-License-Identifier: Apache-2.0
 *
 * What waits for the JVM or holds memory outside of the heap: objects in the finalizer's queue, direct buffers.
 */
#pragma once

#include "inspect/heap_objects.h"
#include "inspect/heap_survey.h"

struct buffer_totals {
    uint64_t count, bytes; /* outside of the heap */
};

struct references {
    const struct heap *h;
    const struct retained *r;
    /* Finalizers */
    uint64_t finalizers;         /* objects that have a finalizer that has not been run */
    uint64_t waiting;            /* of those, the ones that are garbage otherwise and wait for the finalizer's thread */
    uint64_t waiting_retained;   /* what these keep alive */
    uint64_t *waiting_of;        /* by type: of what class they are; owned */
    struct big_array is_waiting; /* a bit for each node */
    uint64_t enqueued, queue_null; /* ids of the queues that mean: in the queue, taken out of it */
    struct heap_place queue, referent, discovered;
    /* Direct buffers */
    struct buffer_totals direct, mapped; /* that own their memory: no slices of others */
    struct buffer_totals allocated;      /* what is to be freed by a cleaner, though its buffer may be garbage */
    uint32_t finalizer_type, buffer_type, deallocator_type;
    struct heap_place capacity, cleaner, descriptor, size, address;
};

int references_begin(struct references *f, const struct heap *h,
                     const struct retained *r); /* -ENOMEM, or -errno of big_memory */
struct survey_part references_part(struct references *f);
void references_end(struct references *f);
void references_done(struct references *f);
