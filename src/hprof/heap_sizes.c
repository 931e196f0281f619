/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. What objects take in the heap. The dump does not say it: its references are as long as ids, and
 * headers are not in it. The distance from an object to the next one's address is an upper bound, and exact where
 * instances lie side by side: it shows whether references are compressed, how long headers are, and the size of each
 * class.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "hprof/heap.h"

enum { ALIGNMENT = 8, EVIDENCE = 32, ARRAY_LEAST = 16, GAP_SLACK = 16 };

struct measure {
    struct heap *h;
    uint64_t last_id;
    uint64_t byte_base, byte_arrays; /* the least distance minus length of byte[]: where their elements begin */
    uint64_t compressed; /* arrays of references that lie so close to the next object that a reference has 4 bytes */
};

static uint64_t align(uint64_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static void note_gap(struct measure *m, uint32_t node, uint64_t gap)
{
    struct heap *h = m->h;
    struct heap_type_info *t;
    uint32_t length;

    t = &h->types[heap_type_of(h, node)];
    length = t->element == HEAP_OBJECT || t->element == HEAP_BYTE ? heap_length_of(h, node) : 0;
    if (t->element == HEAP_OBJECT && length >= ARRAY_LEAST)
        m->compressed += gap < 8 + (uint64_t)length * 8;
    else if (!t->element && gap < t->least_gap)
        t->least_gap = (uint32_t)gap;
    if (t->element == HEAP_BYTE && gap > length) {
        m->byte_arrays++;
        if (m->byte_arrays == 1 || gap - length < m->byte_base)
            m->byte_base = gap - length;
    }
}

static void on_object(void *ctx, uint32_t number, uint64_t id)
{
    struct measure *m = ctx;

    if (number > 0 && id > m->last_id)
        note_gap(m, number - 1, id - m->last_id);
    m->last_id = id;
}

/* Header and length stand before the elements of a byte[]: 8 + 4 (compact headers), 12 + 4, 16 + 4 (JDK 23 and newer)
 * or 16 + 8. Without arrays that lie side by side: as most JVMs do it. */
static void find_header(struct measure *m)
{
    struct heap *h = m->h;

    if (h->reader.id_size == 4) {
        h->header_bytes = 8;
        h->array_base = 12;
        return;
    }
    h->array_base = h->reference_bytes == 4 ? 16 : 24;
    if (m->byte_arrays >= EVIDENCE && (m->byte_base == 12 || m->byte_base == 16 || m->byte_base == 20))
        h->array_base = (unsigned)m->byte_base;
    h->header_bytes = h->array_base == 12 ? 8 : h->array_base == 16 ? 12 : 16;
}

/* The usual formula: header, fields, aligned. */
static uint64_t formula(const struct heap *h, const struct heap_type_info *t)
{
    uint64_t references = (uint64_t)t->object_refs * h->reader.id_size;

    return align(h->header_bytes + t->data_size - references + (uint64_t)t->object_refs * h->reference_bytes);
}

static void size_type(const struct heap *h, struct heap_type_info *t)
{
    uint64_t size = formula(h, t);

    if (t->count >= EVIDENCE && (t->least_gap < size || t->least_gap <= size + GAP_SLACK))
        size = t->least_gap;
    t->size = size > UINT32_MAX ? UINT32_MAX : (uint32_t)size;
}

uint64_t heap_size(const struct heap *h, uint32_t node)
{
    const struct heap_type_info *t;
    uint64_t element, base;

    t = &h->types[heap_type_of(h, node)];
    if (!t->element)
        return t->size;
    element = t->element == HEAP_OBJECT ? h->reference_bytes : heap_type_size(&h->reader, t->element);
    base = element == 8 ? align(h->array_base) : h->array_base;
    return align(base + heap_length_of(h, node) * element);
}

static void count_types(struct heap *h)
{
    for (uint32_t n = 0; n < h->objects; n++)
        h->types[heap_type_of(h, n)].count++;
}

void heap_measure(struct heap *h)
{
    struct measure m = {.h = h};

    assert(h->index && h->graph.types);
    heap_index_each(h->index, on_object, &m);
    h->reference_bytes = h->reader.id_size == 8 && m.compressed >= 4 ? 4 : h->reader.id_size;
    find_header(&m);
    count_types(h);
    for (size_t i = 0; i < h->type_count; i++)
        size_type(h, &h->types[i]);
    for (uint32_t n = 0; n < h->objects; n++) {
        struct heap_type_info *t = &h->types[heap_type_of(h, n)];

        t->bytes += heap_size(h, n);
    }
}
