/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory and modules of a core: the files that were mapped, with what their ELF headers in memory say.
 */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/text.h"
#include "core/core_read_internal.h"

enum { BUILD_ID_TYPE = 3, GO_BUILD_ID_TYPE = 4, MODULE_HEADERS_MAX = 64, NOTES_MAX = 65536 };

/* --- memory ---------------------------------------------------------------------------------------------------------
 */

const unsigned char *core_bytes(const struct core_read *c, uint64_t at, uint64_t size)
{
    const struct core_piece *piece = c->piece_count ? c->piece : &c->whole;
    size_t low = 0, high = c->piece_count ? c->piece_count : 1;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (at < piece[middle].at)
            high = middle;
        else if (at - piece[middle].at >= piece[middle].size)
            low = middle + 1;
        else
            return piece[middle].size - (at - piece[middle].at) < size ? NULL
                                                                       : piece[middle].data + (at - piece[middle].at);
    }
    return NULL;
}

const struct core_segment *core_segment_at(const struct core_read *c, uint64_t address)
{
    size_t low = 0, high = c->segment_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct core_segment *s = &c->segment[middle];

        if (address < s->start)
            high = middle;
        else if (address - s->start >= s->size)
            low = middle + 1;
        else
            return s;
    }
    return NULL;
}

const unsigned char *core_memory(const struct core_read *c, uint64_t address, uint64_t size)
{
    const struct core_segment *s = core_segment_at(c, address);
    uint64_t into = s ? address - s->start : 0;

    if (!s || into > s->kept || s->kept - into < size || s->at > UINT64_MAX - into)
        return NULL;
    return core_bytes(c, s->at + into, size);
}

/* --- modules --------------------------------------------------------------------------------------------------------
 */

/* GNU's build-id; Go's linker before 1.24 writes a text instead, which ends with 20 characters for the content. */
static const struct id_note {
    const char *owner; /* four bytes */
    uint32_t owner_size, type;
    uint32_t size; /* bytes that count, at the end; 0: all */
} ID_NOTES[] = {{"GNU", 4, BUILD_ID_TYPE, 0}, {"Go\0", 4, GO_BUILD_ID_TYPE, 20}};

static bool find_id(const struct id_note *kind, const unsigned char *notes, uint64_t size, char ret[CORE_BUILD_ID_MAX])
{
    while (size >= 12) {
        uint64_t name = ((uint64_t)core_u32(notes) + 3) & ~3ULL, content = ((uint64_t)core_u32(notes + 4) + 3) & ~3ULL;
        uint32_t type = core_u32(notes + 8), exact = core_u32(notes + 4), most = CORE_BUILD_ID_MAX / 2;

        if (name > size - 12 || content > size - 12 - name)
            return false;
        if (type == kind->type && core_u32(notes) == kind->owner_size && memcmp(notes + 12, kind->owner, 4) == 0 &&
            exact > 0 && exact >= kind->size) {
            uint32_t from = kind->size ? exact - kind->size : 0;

            text_hex(notes + 12 + name + from, exact - from < most ? exact - from : most, ret);
            return true;
        }
        notes += 12 + name + content;
        size -= 12 + name + content;
    }
    return false;
}

/* Bytes of an ELF file, or of what was mapped of it. */
typedef const unsigned char *(*id_bytes)(const void *ctx, const unsigned char *header, uint64_t size);

/* The id of a file with these program headers. */
static void find_build_id(const unsigned char *headers, unsigned count, id_bytes bytes, const void *ctx,
                          char ret[CORE_BUILD_ID_MAX])
{
    for (size_t k = 0; k < ARRAY_SIZE(ID_NOTES) && !*ret; k++)
        for (unsigned i = 0; i < count && !*ret; i++) {
            const unsigned char *h = headers + i * sizeof(Elf64_Phdr), *notes;

            if (core_u32(h) == PT_NOTE && core_u64(h + 32) <= NOTES_MAX && (notes = bytes(ctx, h, core_u64(h + 32))))
                find_id(&ID_NOTES[k], notes, core_u64(h + 32), ret);
        }
}

struct in_memory {
    const struct core_read *core;
    uint64_t base;
};

static const unsigned char *bytes_in_memory(const void *ctx, const unsigned char *header, uint64_t size)
{
    const struct in_memory *m = ctx;

    return core_memory(m->core, m->base + core_u64(header + 16), size);
}

/* How many program headers an ELF file of 64 bits has by its header; 0: it is none, or they are not to be believed. */
static unsigned header_count(const unsigned char *head)
{
    unsigned count =
        head && memcmp(head, ELFMAG, SELFMAG) == 0 && head[EI_CLASS] == ELFCLASS64 ? core_u16(head + 56) : 0;

    return count <= MODULE_HEADERS_MAX && count > 0 && core_u16(head + 54) == sizeof(Elf64_Phdr) ? count : 0;
}

const unsigned char *core_module_headers(const struct core_read *c, const struct core_module *m, unsigned *ret_count)
{
    const unsigned char *head = core_memory(c, m->start, sizeof(Elf64_Ehdr));

    *ret_count = header_count(head);
    if (*ret_count == 0 || core_u64(head + 32) > m->end - m->start)
        return NULL;
    return core_memory(c, m->start + core_u64(head + 32), (uint64_t)*ret_count * sizeof(Elf64_Phdr));
}

/* By the header that the kernel keeps of each mapped ELF file: the build-id, and what was added to its addresses. */
static void read_module(const struct core_read *c, struct core_module *m)
{
    unsigned count;
    const unsigned char *headers = core_module_headers(c, m, &count);

    m->base = m->start;
    if (!headers)
        return;
    for (unsigned i = 0; i < count; i++) {
        const unsigned char *h = headers + i * sizeof(Elf64_Phdr);

        if (core_u32(h) == PT_LOAD && core_u64(h + 8) == 0) {
            m->base = m->start - core_u64(h + 16);
            break;
        }
    }
    find_build_id(headers, count, bytes_in_memory, &(struct in_memory){c, m->base}, m->build_id);
}

static const unsigned char *bytes_in_file(const void *ctx, const unsigned char *header, uint64_t size)
{
    return core_bytes(ctx, core_u64(header + 8), size);
}

void core_build_id(const void *file, size_t size, char ret[CORE_BUILD_ID_MAX])
{
    const struct core_read all = {.whole = {0, file, size}, .size = size};
    const unsigned char *head = core_bytes(&all, 0, sizeof(Elf64_Ehdr)), *headers;
    unsigned count = header_count(head);

    *ret = '\0';
    if (count > 0 && (headers = core_bytes(&all, core_u64(head + 32), (uint64_t)count * sizeof(Elf64_Phdr))))
        find_build_id(headers, count, bytes_in_file, &all, ret);
}

/* A mapping of a file: the first of a file begins a module, the others extend it. */
static int add_mapping(struct core_read *c, uint64_t start, uint64_t end, const char *path)
{
    struct core_module *last = c->module_count ? &c->module[c->module_count - 1] : NULL;
    struct core_module *m;

    if (end <= start || !*path)
        return 0;
    if (last && text_eq(last->path, path) && start >= last->start) {
        last->end = end > last->end ? end : last->end;
        return 0;
    }
    if (c->module_count >= CORE_MODULES_MAX)
        return 0;
    if (array_reserve(&c->module, c->module_count + 1, &c->module_capacity, sizeof(*m), CORE_MODULES_MAX) < 0)
        return -ENOMEM;
    m = &c->module[c->module_count++];
    *m = (struct core_module){.path = strdup(path), .start = start, .end = end};
    return m->path ? 0 : -ENOMEM;
}

/* Count, page size, then start, end and offset of each; then the names. */
int core_modules_add(struct core_read *c, const unsigned char *p, uint64_t size)
{
    uint64_t count = size >= 16 ? core_u64(p) : 0;
    const char *name, *end = (const char *)p + size;
    int r = 0;

    if (count == 0 || count > (size - 16) / 24)
        return 0;
    name = (const char *)p + 16 + count * 24;
    for (uint64_t i = 0; i < count && r == 0; i++) {
        size_t length = strnlen(name, (size_t)(end - name));

        if (length == (size_t)(end - name))
            return 0;
        r = add_mapping(c, core_u64(p + 16 + i * 24), core_u64(p + 16 + i * 24 + 8), name);
        name += length + 1;
    }
    return r;
}

static int module_by_address(const void *a, const void *b)
{
    const struct core_module *x = a, *y = b;

    return x->start < y->start ? -1 : x->start > y->start;
}

void core_modules_finish(struct core_read *c)
{
    if (c->module_count)
        qsort(c->module, c->module_count, sizeof(*c->module), module_by_address);
    for (size_t i = 0; i < c->module_count; i++)
        read_module(c, &c->module[i]);
}

const struct core_module *core_module_at(const struct core_read *c, uint64_t address)
{
    size_t low = 0, high = c->module_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (address < c->module[middle].start)
            high = middle;
        else if (address >= c->module[middle].end)
            low = middle + 1;
        else
            return &c->module[middle];
    }
    return NULL;
}

const struct core_module *core_program(const struct core_read *c)
{
    return c->entry ? core_module_at(c, c->entry) : NULL;
}
