/* SPDX-License-Identifier: Apache-2.0
 *
 * Objects are aligned to 8 bytes.
 */
#include "hprof/phd_layout.h"

enum { ALIGNMENT = 8, BASE_LEAST = 8, BASE_MOST = 32, BASE_USUAL = 16, LONG_ARRAY = 16, EVIDENCE = 32, SLACK = 16 };
static const uint32_t SIZE_MOST = UINT32_MAX / ALIGNMENT * ALIGNMENT;

void phd_note_array(struct phd_evidence *e, unsigned element, uint64_t length, uint64_t gap)
{
    uint64_t bytes = length * element;

    if (element == 0 && length >= LONG_ARRAY) {
        e->compressed += gap < BASE_LEAST + length * 8;
        e->full += gap >= BASE_LEAST + length * 8;
    } else if (element > 0 && bytes % ALIGNMENT == 0 && gap >= bytes + BASE_LEAST &&
               (e->base == 0 || gap - bytes < e->base)) {
        e->base = gap - bytes;
    }
}

struct object_layout phd_layout_find(bool wide, const struct phd_evidence *e)
{
    struct object_layout l = {.id_size = wide ? 8 : 4};

    l.reference_bytes = wide && e->full > 0 && e->compressed == 0 ? 8 : 4;
    l.array_base = e->base >= BASE_LEAST && e->base <= BASE_MOST ? (unsigned)e->base : BASE_USUAL;
    l.header_bytes = l.array_base - 4;
    return l;
}

uint32_t phd_instance_size(uint32_t size, uint64_t count, uint32_t least_gap, bool *ret_measured)
{
    uint64_t aligned = ((uint64_t)size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    bool packed = count >= EVIDENCE && least_gap >= ALIGNMENT && least_gap % ALIGNMENT == 0;

    *ret_measured = packed && (size == 0 || least_gap <= aligned + SLACK);
    if (*ret_measured)
        aligned = least_gap;
    if (aligned < ALIGNMENT)
        return ALIGNMENT;
    return aligned > SIZE_MOST ? SIZE_MOST : (uint32_t)aligned;
}
