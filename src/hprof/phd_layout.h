/* SPDX-License-Identifier: Apache-2.0
 *
 * What objects of a portable heap dump take: a class's record has the size of its instances, not aligned; arrays have
 * headers of 8 to 32 bytes, by the JVM's version and word. The distance to the next object shows which, and whether
 * references are compressed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "hprof/object_layout.h"

struct phd_evidence {
    uint64_t base;             /* the least distance beyond an array's elements; 0: unknown */
    uint64_t compressed, full; /* long arrays of references that lie too close for 8 bytes each, and others */
};

/* An array of `length` elements, each `element` bytes (primitive) or a reference (0), and the distance to the next
 * object. */
void phd_note_array(struct phd_evidence *e, unsigned element, uint64_t length, uint64_t gap);

/* wide: words of 64 bits. */
struct object_layout phd_layout_find(bool wide, const struct phd_evidence *e);

/* A distance that is no multiple of 8 counts as unknown. size: as the class's record says; 0: there is none. `count`
 * instances, of which one lies least_gap before the next object (UINT32_MAX: unknown). *ret_measured: by that distance.
 */
uint32_t phd_instance_size(uint32_t size, uint64_t count, uint32_t least_gap, bool *ret_measured);
