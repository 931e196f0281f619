/* SPDX-License-Identifier: Apache-2.0
 *
 * The header gives offsets of five tables. Functions are sorted by address; file and line of an address are
 * differences, as varints, from the function's beginning on.
 */
#include "core/gopclntab.h"

#include <assert.h>
#include <endian.h>
#include <limits.h>
#include <string.h>

enum { WORD = 8, STEPS_MAX = 1 << 20 };

#define MAGIC_1_16 0xfffffffau
#define MAGIC_1_18 0xfffffff0u
#define MAGIC_1_20 0xfffffff1u

/* Bytes from an offset of the section on. */
struct table {
    const unsigned char *data;
    size_t size;
};

struct header {
    struct table whole, names, units, files, values, functions;
    uint64_t count, text;
    unsigned quantum; /* of addresses */
    bool wide;        /* of functions the address itself, in words; else from the text's beginning, in halves */
};

static bool get(const struct table *t, uint64_t at, size_t size, uint64_t *ret)
{
    uint64_t n = 0;

    if (at > t->size || t->size - at < size)
        return false;
    memcpy(&n, t->data + at, size);
    *ret = le64toh(n);
    return true;
}

static bool part(const struct table *whole, uint64_t at, struct table *ret)
{
    uint64_t offset;

    if (!get(whole, at, WORD, &offset) || offset > whole->size)
        return false;
    *ret = (struct table){whole->data + offset, (size_t)(whole->size - offset)};
    return true;
}

/* A text that ends inside the table; NULL. */
static const char *text_at(const struct table *t, uint64_t at)
{
    return at < t->size && memchr(t->data + at, 0, (size_t)(t->size - at)) ? (const char *)t->data + at : NULL;
}

static bool read_header(struct header *h, uint64_t text)
{
    const struct table *t = &h->whole;
    uint64_t magic, quantum, word, at = 24;

    if (!get(t, 0, 4, &magic) || !get(t, 6, 1, &quantum) || !get(t, 7, 1, &word) || word != WORD || quantum == 0 ||
        !get(t, 8, WORD, &h->count))
        return false;
    if (magic != MAGIC_1_16 && magic != MAGIC_1_18 && magic != MAGIC_1_20)
        return false;
    h->quantum = (unsigned)quantum;
    h->wide = magic == MAGIC_1_16;
    h->text = text;
    if (!h->wide) {
        uint64_t begin;

        if (!get(t, at, WORD, &begin))
            return false;
        h->text = begin ? begin : text; /* of a position-independent program it is a relocation */
        at += WORD;
    }
    return part(t, at, &h->names) && part(t, at + 8, &h->units) && part(t, at + 16, &h->files) &&
           part(t, at + 24, &h->values) && part(t, at + 32, &h->functions);
}

/* Function i of the sorted table: its address and where its record is. One more than there are: the end. */
static bool entry(const struct header *h, uint64_t i, uint64_t *ret_address, uint64_t *ret_record)
{
    size_t size = h->wide ? 8 : 4;

    if (i > h->functions.size / (2 * size) || !get(&h->functions, i * 2 * size, size, ret_address))
        return false;
    if (!h->wide)
        *ret_address += h->text;
    if (i == h->count)
        return true;
    return get(&h->functions, i * 2 * size + size, size, ret_record);
}

/* The function that has pc. */
static bool find_function(const struct header *h, uint64_t pc, uint64_t *ret_address, uint64_t *ret_record)
{
    uint64_t low = 0, high = h->count, address, record = 0;

    if (!entry(h, h->count, &address, &record) || pc >= address || !entry(h, 0, &address, &record) || pc < address)
        return false;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;

        if (!entry(h, middle, &address, &record))
            return false;
        if (pc < address)
            high = middle;
        else
            low = middle;
    }
    return entry(h, low, ret_address, ret_record);
}

static bool varint(const struct table *t, uint64_t *at, uint32_t *ret)
{
    uint32_t n = 0;
    uint64_t byte = 0x80;

    for (unsigned shift = 0; byte & 0x80; shift += 7) {
        if (shift > 28 || !get(t, *at, 1, &byte))
            return false;
        n |= (uint32_t)(byte & 0x7f) << shift;
        ++*at;
    }
    *ret = n;
    return true;
}

/* The value at pc of a table of differences that begins with the function's address; there is none at 0. */
static bool value_at(const struct header *h, uint64_t at, uint64_t address, uint64_t pc, int64_t *ret)
{
    int64_t value = -1;

    for (unsigned i = 0; at != 0 && i < STEPS_MAX; i++) {
        uint32_t change, distance;

        if (!varint(&h->values, &at, &change) || (change == 0 && i > 0) || !varint(&h->values, &at, &distance))
            return false;
        value += change & 1 ? -(int64_t)(change >> 1) - 1 : (int64_t)(change >> 1);
        address += (uint64_t)distance * h->quantum;
        if (pc < address) {
            *ret = value;
            return true;
        }
    }
    return false;
}

static void find_line(const struct header *h, uint64_t address, uint64_t record, uint64_t pc,
                      struct gopclntab_place *ret)
{
    uint64_t fields = record + (h->wide ? 8 : 4), files = 0, lines = 0, unit = 0, offset = 0;
    int64_t file = 0, line = 0;

    if (!get(&h->functions, fields + 16, 4, &files) || !get(&h->functions, fields + 20, 4, &lines) ||
        !get(&h->functions, fields + 28, 4, &unit))
        return;
    if (value_at(h, lines, address, pc, &line) && line > 0 && line < INT_MAX)
        ret->line = (int)line;
    if (value_at(h, files, address, pc, &file) && file >= 0 && get(&h->units, (unit + (uint64_t)file) * 4, 4, &offset))
        ret->file = text_at(&h->files, offset);
}

bool gopclntab_find(const void *table, size_t size, uint64_t text, uint64_t pc, struct gopclntab_place *ret)
{
    struct header h = {.whole = {table, size}};
    struct gopclntab_place p = {0};
    uint64_t address = 0, record = 0, name = 0;

    assert(ret && (table || size == 0));
    if (!read_header(&h, text) || h.count == 0 || !find_function(&h, pc, &address, &record) ||
        !get(&h.functions, record + (h.wide ? 8 : 4), 4, &name) || !(p.function = text_at(&h.names, name)) ||
        !*p.function)
        return false;
    find_line(&h, address, record, pc, &p);
    *ret = p;
    return true;
}
