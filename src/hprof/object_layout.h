/* SPDX-License-Identifier: Apache-2.0
 *
 * What objects take in the heap. The dump does not say it: its references are as long as ids, and
 * headers are not in it. The distance from an object to the next one's address is an upper bound, and exact where
 * instances lie side by side: it shows whether references are compressed, how long headers are, and the size of each
 * class. Shared by the graph and by what reads a dump once.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct object_layout {
    unsigned id_size;
    unsigned reference_bytes; /* of a reference in the heap: 4 or 8 (the dump has always id_size) */
    unsigned header_bytes;    /* of an object */
    unsigned array_base;      /* of an array: header and length, before bytes */
};

/* What distances say. */
struct layout_evidence {
    uint64_t byte_base, byte_arrays; /* the least distance minus length of byte[]: where their elements begin */
    uint64_t compressed; /* arrays of references that lie so close to the next object that a reference has 4 bytes */
};

/* An array of `length` elements of a type (enum heap_type), and the distance to the next object. */
static inline void layout_note_array(struct layout_evidence *e, unsigned type, uint64_t length, uint64_t gap)
{
    enum { OBJECT = 2, BYTE = 8, LENGTH_LEAST = 16 };

    if (type == OBJECT && length >= LENGTH_LEAST)
        e->compressed += gap < 8 + length * 8;
    if (type == BYTE && gap > length) {
        if (e->byte_arrays == 0 || gap - length < e->byte_base)
            e->byte_base = gap - length;
        e->byte_arrays++;
    }
}

/* From all of the evidence; without enough of it: as most JVMs do it. */
struct object_layout layout_find(unsigned id_size, const struct layout_evidence *e);

/* An instance of a class: `data` bytes of fields in the dump, `references` of them are references; `count` instances of
 * which one lies `least_gap` before the next object. *ret_measured: by that distance, not by the usual formula. */
struct layout_class {
    uint64_t count;
    uint32_t data, references, least_gap;
};
uint32_t layout_instance_size(const struct object_layout *l, const struct layout_class *c, bool *ret_measured);

/* Bytes of an array; element: bytes of an element in the heap (reference_bytes for references). */
uint64_t layout_array_size(const struct object_layout *l, uint64_t length, unsigned element);
