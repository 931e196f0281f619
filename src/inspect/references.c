/* SPDX-License-Identifier: Apache-2.0
 *
 * JDK src/java.base/share/classes: java/lang/ref/Reference.java (the states of a reference), ReferenceQueue.java,
 * java/nio/Direct-X-Buffer.java.template.
 */
#include "inspect/references.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

int references_begin(struct references *f, const struct heap *h, const struct retained *r)
{
    uint32_t queue = heap_type_named(h, "java.lang.ref.ReferenceQueue");
    int result;

    assert(f && h && r);
    *f = (struct references){.h = h,
                             .r = r,
                             .finalizer_type = heap_type_named(h, "java.lang.ref.Finalizer"),
                             .buffer_type = heap_type_named(h, "java.nio.DirectByteBuffer"),
                             .deallocator_type = heap_type_named(h, "java.nio.DirectByteBuffer$Deallocator")};
    f->waiting_of = calloc(h->type_count + 1, sizeof(*f->waiting_of));
    result = f->waiting_of ? big_array_new(&f->is_waiting, heap_memory(h), heap_bits_size(h)) : -ENOMEM;
    if (result < 0) {
        references_done(f);
        return result;
    }
    if (queue != HEAP_NONE) {
        f->enqueued = heap_static_reference(h, queue, "ENQUEUED");
        f->queue_null = heap_static_reference(h, queue, "NULL");
    }
    f->queue = heap_field_place(h, f->finalizer_type, "queue");
    f->referent = heap_field_place(h, f->finalizer_type, "referent");
    f->discovered = heap_field_place(h, f->finalizer_type, "discovered");
    f->capacity = heap_field_place(h, f->buffer_type, "capacity");
    f->cleaner = heap_field_place(h, f->buffer_type, "cleaner");
    f->descriptor = heap_field_place(h, f->buffer_type, "fd");
    f->size = heap_field_place(h, f->deallocator_type, "size");
    f->address = heap_field_place(h, f->deallocator_type, "address");
    return 0;
}

void references_done(struct references *f)
{
    free(f->waiting_of);
    big_array_free(&f->is_waiting);
    *f = (struct references){0};
}

/* In the queue, or found by the collector and on its way there. One whose finalizer ran has no referent. */
static void on_finalizer(struct references *f, const struct heap_instance *o)
{
    uint64_t queue = (uint64_t)heap_place_value(f->h, o, &f->queue);
    uint64_t referent = (uint64_t)heap_place_value(f->h, o, &f->referent);
    uint32_t node = referent ? heap_index_find(f->h->index, referent) : HEAP_NONE;

    if (node == HEAP_NONE || queue == f->queue_null)
        return;
    f->finalizers++;
    if (queue != f->enqueued && heap_place_value(f->h, o, &f->discovered) == 0)
        return;
    f->waiting++;
    f->waiting_of[heap_type_of(f->h, node)]++;
    graph_set_bit(&f->is_waiting, node);
}

static void add(struct buffer_totals *t, int64_t bytes)
{
    t->count++;
    t->bytes += bytes > 0 ? (uint64_t)bytes : 0;
}

static void on_instance(void *ctx, uint32_t node, uint32_t type, const struct heap_instance *o)
{
    struct references *f = ctx;

    (void)node;
    if (type == f->finalizer_type) {
        on_finalizer(f, o);
    } else if (type == f->deallocator_type) {
        if (heap_place_value(f->h, o, &f->address) != 0)
            add(&f->allocated, heap_place_value(f->h, o, &f->size));
    } else if (heap_place_value(f->h, o, &f->cleaner) != 0) {
        add(heap_place_value(f->h, o, &f->descriptor) ? &f->mapped : &f->direct,
            heap_place_value(f->h, o, &f->capacity));
    }
}

static bool wants(void *ctx, uint32_t type)
{
    const struct references *f = ctx;

    return type == f->finalizer_type || type == f->deallocator_type ||
           (f->buffer_type != HEAP_NONE && heap_is_a(f->h, type, "java.nio.DirectByteBuffer"));
}

struct survey_part references_part(struct references *f)
{
    return (struct survey_part){f, wants, on_instance, NULL};
}

void references_end(struct references *f)
{
    uint32_t p = 1;

    while (f->waiting && p < f->r->count) {
        uint32_t node = retained_node(f->r, p);
        bool waits = graph_bit(&f->is_waiting, node);

        f->waiting_retained += waits ? retained_bytes(f->r, p) : 0;
        p = waits ? retained_end(f->r, p) : p + 1;
    }
}
