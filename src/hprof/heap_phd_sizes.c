/* SPDX-License-Identifier: Apache-2.0
 *
 * Distances between the objects of a portable heap dump, in the order of their addresses (hprof/phd_layout.h).
 */
#include "hprof/heap_phd.h"
#include "hprof/phd_layout.h"

struct measure {
    struct heap *h;
    uint64_t last_id;
    struct phd_evidence evidence;
};

static void on_object(void *ctx, uint32_t number, uint64_t id)
{
    struct measure *m = ctx;

    if (number > 0 && id > m->last_id) {
        struct heap_type_info *t = &m->h->types[heap_type_of(m->h, number - 1)];
        unsigned element = t->element == HEAP_OBJECT ? 0 : heap_type_size(&m->h->reader, t->element);
        uint64_t gap = id - m->last_id;

        if (t->element)
            phd_note_array(&m->evidence, element, heap_length_of(m->h, number - 1), gap);
        else if (gap < t->least_gap)
            t->least_gap = (uint32_t)gap;
    }
    m->last_id = id;
}

void heap_phd_measure(struct heap *h)
{
    struct measure m = {.h = h};
    struct object_layout layout;

    heap_index_each(h->index, on_object, &m);
    layout = phd_layout_find(h->reader.id_size == 8, &m.evidence);
    h->reference_bytes = layout.reference_bytes;
    h->array_base = layout.array_base;
    h->header_bytes = layout.header_bytes;
    for (uint32_t n = 0; n < h->objects; n++)
        h->types[heap_type_of(h, n)].count++;
    for (size_t i = 0; i < h->type_count; i++) {
        struct heap_type_info *t = &h->types[i];

        t->size = phd_instance_size(t->record.instance_size, t->count, t->least_gap, &t->measured);
    }
    for (uint32_t n = 0; n < h->objects; n++)
        h->types[heap_type_of(h, n)].bytes += heap_size(h, n);
}
