/* SPDX-License-Identifier: Apache-2.0
 *
 * A list of tables that lie ahead in the file; the nearest is read next, and the tables that it points to are added.
 */
#include "core/minidump.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Types of streams; the first two are not Microsoft's, but stand for the header and the directory. */
enum { HEADER = 0, DIRECTORY = 0xffff, THREADS = 3, MODULES = 4, MEMORY = 5, EXCEPTION = 6, MEMORY_64 = 9, MISC = 15 };
enum { HEADER_SIZE = 32, DIRECTORY_ENTRY = 12, MISC_SIZE = 12, MISC_HAS_PID = 1, NAME_MIN = 6 };

/* How a stream is laid out: a count, then entries; each entry points to up to two places. */
static const struct layout {
    unsigned type, entry_size;
    unsigned count_size; /* 0: one entry, no count */
    unsigned place[2];   /* where the entry has u4 size and u4 offset of a place; 0: none */
} LAYOUTS[] = {
    {THREADS, 48, 4, {32, 40}},    {MODULES, 108, 4, {76, 84}}, {MEMORY, 16, 4, {8, 0}},
    {EXCEPTION, 168, 0, {160, 0}}, {MEMORY_64, 16, 16, {0, 0}}, {MISC, MISC_SIZE, 0, {0, 0}},
};

static const struct layout *layout_of(unsigned type)
{
    for (size_t i = 0; i < sizeof(LAYOUTS) / sizeof(*LAYOUTS); i++)
        if (LAYOUTS[i].type == type)
            return &LAYOUTS[i];
    return NULL;
}

static uint32_t u32_at(const struct minidump *m, unsigned at)
{
    return m->head[at] | (uint32_t)m->head[at + 1] << 8 | (uint32_t)m->head[at + 2] << 16 |
           (uint32_t)m->head[at + 3] << 24;
}

static uint64_t u64_at(const struct minidump *m, unsigned at)
{
    return u32_at(m, at) | (uint64_t)u32_at(m, at + 4) << 32;
}

static void extend_end(struct minidump *m, uint64_t at, uint64_t size)
{
    uint64_t end = size > UINT64_MAX - at ? UINT64_MAX : at + size;

    if (size > 0 && end > m->end)
        m->end = end;
}

static void add_table(struct minidump *m, const struct minidump_table *t)
{
    if (m->count < MINIDUMP_TABLES_MAX)
        m->tables[m->count++] = *t;
}

void minidump_init(struct minidump *m)
{
    *m = (struct minidump){.end = HEADER_SIZE};
    add_table(m, &(struct minidump_table){.type = HEADER, .left = 1, .entry_size = HEADER_SIZE});
}

static void read_header(struct minidump *m)
{
    uint32_t count = u32_at(m, 8), at = u32_at(m, 12);

    m->listed = count == 0;
    extend_end(m, at, (uint64_t)count * DIRECTORY_ENTRY);
    add_table(m, &(struct minidump_table){.type = DIRECTORY, .at = at, .left = count, .entry_size = DIRECTORY_ENTRY});
}

static void read_stream(struct minidump *m)
{
    unsigned type = u32_at(m, 0);
    uint64_t size = u32_at(m, 4), at = u32_at(m, 8);
    const struct layout *layout = layout_of(type);

    extend_end(m, at, size);
    m->exception |= type == EXCEPTION;
    if (!layout || size < layout->entry_size)
        return;
    add_table(m, &(struct minidump_table){.type = type,
                                          .at = at,
                                          .size = size,
                                          .left = 1,
                                          .entry_size = layout->count_size ? 0 : layout->entry_size});
}

/* The number of entries, which come next. */
static void read_count(struct minidump *m, struct minidump_table *t, const struct layout *layout)
{
    t->entry_size = layout->entry_size;
    if (t->type == MEMORY_64) {
        t->left = u64_at(m, 0);
        m->memory_at = u64_at(m, 8);
    } else {
        t->left = u32_at(m, 0);
        /* Some writers align the first entry to 8 bytes. */
        if (t->size == 8 + t->left * layout->entry_size)
            t->at += 4;
    }
    /* No more entries than the stream has room for. */
    if (t->left > t->size / layout->entry_size)
        t->left = t->size / layout->entry_size;
}

static void read_entry(struct minidump *m, const struct minidump_table *t, const struct layout *layout)
{
    for (unsigned i = 0; i < 2; i++)
        if (layout->place[i])
            extend_end(m, u32_at(m, layout->place[i] + 4), u32_at(m, layout->place[i]));
    if (t->type == MODULES) {
        extend_end(m, u32_at(m, 20), NAME_MIN);
    } else if (t->type == MEMORY_64) { /* ranges follow each other from the offset that came with the count */
        extend_end(m, m->memory_at, u64_at(m, 8));
        m->memory_at = u64_at(m, 8) > UINT64_MAX - m->memory_at ? UINT64_MAX : m->memory_at + u64_at(m, 8);
    } else if (t->type == MISC && u32_at(m, 4) & MISC_HAS_PID) {
        m->pid = u32_at(m, 8);
    }
}

/* head holds the next entry of t. */
static void read_next(struct minidump *m, struct minidump_table *t, unsigned size)
{
    const struct layout *layout = layout_of(t->type);

    t->at += size;
    if (t->entry_size == 0) {
        read_count(m, t, layout);
        return;
    }
    t->left--;
    if (t->type == HEADER) {
        read_header(m);
    } else if (t->type == DIRECTORY) {
        m->listed = t->left == 0;
        read_stream(m);
    } else {
        read_entry(m, t, layout);
    }
}

/* The nearest table that lies ahead. */
static struct minidump_table *nearest(struct minidump *m)
{
    struct minidump_table *first = NULL;

    for (unsigned i = 0; i < m->count; i++) {
        struct minidump_table *t = &m->tables[i];

        if (t->left > 0 && t->at + m->head_size >= m->offset && (!first || t->at < first->at))
            first = t;
    }
    return first;
}

void minidump_feed(struct minidump *m, const void *data, size_t size)
{
    const unsigned char *p = data, *end = p + size;
    struct minidump_table *t;

    assert(m->count > 0);
    while (p < end && (t = nearest(m))) {
        size_t left = (size_t)(end - p), n;
        unsigned wanted = t->entry_size ? t->entry_size : layout_of(t->type)->count_size;

        if (m->head_size == 0 && t->at > m->offset) {
            n = t->at - m->offset < left ? (size_t)(t->at - m->offset) : left;
        } else {
            n = wanted - m->head_size < left ? wanted - m->head_size : left;
            memcpy(m->head + m->head_size, p, n);
            m->head_size += (unsigned)n;
            if (m->head_size == wanted) {
                m->head_size = 0;
                read_next(m, t, wanted);
            }
        }
        p += n;
        m->offset += n;
    }
    m->offset += (size_t)(end - p);
}

const char *minidump_partial(const struct minidump *m, char *out, size_t size)
{
    if (m->offset >= m->end)
        return NULL;
    if (m->listed)
        snprintf(out, size, "ends before its streams do: %" PRIu64 " bytes are missing", m->end - m->offset);
    else
        snprintf(out, size, "ends inside its headers");
    return out;
}
