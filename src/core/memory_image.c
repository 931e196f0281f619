/* SPDX-License-Identifier: Apache-2.0
 *
 * Program headers say what lay where in the file. Segments that may be written have changed, and are left out.
 */
#include "core/memory_image.h"

#include <assert.h>
#include <elf.h>
#include <stddef.h>
#include <string.h>

#include "core/core_read_internal.h"

/* The memory of a segment that is as in the file; NULL. */
static const unsigned char *segment_bytes(const struct core_read *c, const struct core_module *m,
                                          const unsigned char *header, uint64_t *ret_at, uint64_t *ret_size)
{
    *ret_at = core_u64(header + 8);
    *ret_size = core_u64(header + 32);
    if (core_u32(header) != PT_LOAD || (core_u32(header + 4) & PF_W) || *ret_size == 0 ||
        *ret_size > MEMORY_IMAGE_MAX || *ret_at > MEMORY_IMAGE_MAX - *ret_size)
        return NULL;
    return core_memory(c, m->base + core_u64(header + 16), *ret_size);
}

size_t memory_image_size(const struct core_read *c, const struct core_module *m)
{
    unsigned count;
    const unsigned char *headers = core_module_headers(c, m, &count);
    uint64_t end = 0, at, size;
    bool frames = false;

    for (unsigned i = 0; headers && i < count; i++) {
        const unsigned char *h = headers + i * sizeof(Elf64_Phdr);

        if (core_u32(h) == PT_GNU_EH_FRAME)
            frames = core_memory(c, m->base + core_u64(h + 16), core_u64(h + 32)) != NULL;
        else if (segment_bytes(c, m, h, &at, &size) && at + size > end)
            end = at + size;
    }
    return frames && end >= sizeof(Elf64_Ehdr) ? (size_t)end : 0;
}

void memory_image_fill(const struct core_read *c, const struct core_module *m, unsigned char *to, size_t image_size)
{
    unsigned count;
    const unsigned char *headers = core_module_headers(c, m, &count), *bytes;
    uint64_t at, size;

    assert(to && image_size >= sizeof(Elf64_Ehdr));
    for (unsigned i = 0; headers && i < count; i++)
        if ((bytes = segment_bytes(c, m, headers + i * sizeof(Elf64_Phdr), &at, &size)) && at + size <= image_size)
            memcpy(to + at, bytes, (size_t)size);
    /* Sections are no part of memory. */
    memset(to + offsetof(Elf64_Ehdr, e_shoff), 0, sizeof(Elf64_Off));
    memset(to + offsetof(Elf64_Ehdr, e_shnum), 0, 2 * sizeof(Elf64_Half)); /* and e_shstrndx */
}
