/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Distances between the objects of a graph, in the order of their addresses; what they say is in
 * hprof/object_layout.h.
 */
#include <assert.h>

#include "hprof/heap.h"
#include "hprof/object_layout.h"

enum { ALIGNMENT = 8 }; /* of objects */

struct measure {
    struct heap *h;
    uint64_t last_id;
    bool no_addresses; /* ids are numbers: the hprof agent's */
    struct layout_evidence evidence;
};

static void note_gap(struct measure *m, uint32_t node, uint64_t gap)
{
    struct heap *h = m->h;
    struct heap_type_info *t = &h->types[heap_type_of(h, node)];

    if (t->element == HEAP_OBJECT || t->element == HEAP_BYTE)
        layout_note_array(&m->evidence, t->element, heap_length_of(h, node), gap);
    else if (!t->element && gap < t->least_gap)
        t->least_gap = (uint32_t)gap;
}

static void on_object(void *ctx, uint32_t number, uint64_t id)
{
    struct measure *m = ctx;

    m->no_addresses = m->no_addresses || id % ALIGNMENT != 0;
    if (number > 0 && id > m->last_id)
        note_gap(m, number - 1, id - m->last_id);
    m->last_id = id;
}

static void forget_gaps(struct measure *m)
{
    m->evidence = (struct layout_evidence){0};
    for (size_t i = 0; i < m->h->type_count; i++)
        m->h->types[i].least_gap = UINT32_MAX;
}

static struct object_layout layout_of(const struct heap *h)
{
    return (struct object_layout){h->reader.id_size, h->reference_bytes, h->header_bytes, h->array_base};
}

uint64_t heap_size(const struct heap *h, uint32_t node)
{
    const struct object_layout layout = layout_of(h);
    const struct heap_type_info *t = &h->types[heap_type_of(h, node)];

    if (!t->element)
        return t->size;
    return layout_array_size(&layout, heap_length_of(h, node),
                             t->element == HEAP_OBJECT ? h->reference_bytes : heap_type_size(&h->reader, t->element));
}

static void size_type(const struct object_layout *layout, struct heap_type_info *t)
{
    t->size = layout_instance_size(layout, &(struct layout_class){t->count, t->data_size, t->object_refs, t->least_gap},
                                   &t->measured);
}

static void count_types(struct heap *h)
{
    for (uint32_t n = 0; n < h->objects; n++)
        h->types[heap_type_of(h, n)].count++;
}

void heap_measure(struct heap *h)
{
    struct measure m = {.h = h};
    struct object_layout layout;

    assert(h->index && h->graph.types);
    heap_index_each(h->index, on_object, &m);
    if (m.no_addresses)
        forget_gaps(&m);
    layout = layout_find(h->reader.id_size, &m.evidence);
    h->reference_bytes = layout.reference_bytes;
    h->header_bytes = layout.header_bytes;
    h->array_base = layout.array_base;
    count_types(h);
    for (size_t i = 0; i < h->type_count; i++)
        size_type(&layout, &h->types[i]);
    for (uint32_t n = 0; n < h->objects; n++) {
        struct heap_type_info *t = &h->types[heap_type_of(h, n)];

        t->bytes += heap_size(h, n);
    }
}
