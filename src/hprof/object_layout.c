/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers of a dump in, sizes out; all sums are of 32-bit numbers in 64 bits.
 */
#include "hprof/object_layout.h"

#include <assert.h>

enum { ALIGNMENT = 8, EVIDENCE = 32, GAP_SLACK = 16, COMPRESSED_LEAST = 4 };

static uint64_t align(uint64_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Header and length stand before the elements of a byte[]: 8 + 4 (compact headers), 12 + 4, 16 + 4 (JDK 23 and newer)
 * or 16 + 8. */
struct object_layout layout_find(unsigned id_size, const struct layout_evidence *e)
{
    struct object_layout l = {.id_size = id_size, .reference_bytes = id_size, .header_bytes = 8, .array_base = 12};

    assert(id_size == 4 || id_size == 8);
    if (id_size == 4)
        return l;
    if (e->compressed >= COMPRESSED_LEAST)
        l.reference_bytes = 4;
    l.array_base = l.reference_bytes == 4 ? 16 : 24;
    if (e->byte_arrays >= EVIDENCE && (e->byte_base == 12 || e->byte_base == 16 || e->byte_base == 20))
        l.array_base = (unsigned)e->byte_base;
    l.header_bytes = l.array_base == 12 ? 8 : l.array_base == 16 ? 12 : 16;
    return l;
}

uint32_t layout_instance_size(const struct object_layout *l, const struct layout_class *c, bool *ret_measured)
{
    uint64_t in_dump = (uint64_t)c->references * l->id_size, fields = c->data > in_dump ? c->data - in_dump : 0;
    uint64_t size = align(l->header_bytes + fields + (uint64_t)c->references * l->reference_bytes);

    assert(l->id_size && ret_measured);
    *ret_measured = c->count >= EVIDENCE && (c->least_gap < size || c->least_gap <= size + GAP_SLACK);
    if (*ret_measured)
        size = c->least_gap;
    return size > UINT32_MAX ? UINT32_MAX : (uint32_t)size;
}

uint64_t layout_array_size(const struct object_layout *l, uint64_t length, unsigned element)
{
    uint64_t base = element == 8 ? align(l->array_base) : l->array_base;

    return align(base + length * element);
}
