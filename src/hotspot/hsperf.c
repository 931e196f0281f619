/* SPDX-License-Identifier: Apache-2.0
 *
 * A walk over entries, each of which begins with its length. A look-up walks all of them, about 250, in a few
 * microseconds.
 */
#include "hotspot/hsperf.h"

#include <errno.h>
#include <string.h>

/* Prologue and entry: offsets of their fields. All are signed where HotSpot declares them, and never negative. */
enum {
    AT_BYTE_ORDER = 4, /* 0 big, 1 little */
    AT_MAJOR = 5,
    AT_ACCESSIBLE = 7,
    AT_FIRST = 24, /* entry */

    AT_LENGTH = 0, /* to the next entry */
    AT_NAME = 4,
    AT_VECTOR_LENGTH = 8, /* 0: one value */
    AT_TYPE = 12,
    AT_VALUE = 16,
    ENTRY_SIZE = 20,

    MAJOR = 2
};

static uint64_t get(const struct hsperf *h, const unsigned char *from, unsigned size)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < size; i++)
        n = n << 8 | from[h->big_endian ? i : size - 1 - i];
    return n;
}

static uint32_t get32(const struct hsperf *h, const unsigned char *from)
{
    return (uint32_t)get(h, from, 4);
}

/* The file is made, grows, is filled with zeros, and then gets its prologue. */
static bool is_blank(const unsigned char *data, size_t size)
{
    for (size_t i = 0; i < size && i < HSPERF_PROLOGUE_SIZE; i++)
        if (data[i])
            return false;
    return true;
}

int hsperf_init(struct hsperf *ret, const void *data, size_t size)
{
    static const unsigned char magic[] = {0xca, 0xfe, 0xc0, 0xc0};
    struct hsperf h = {.data = data, .size = size};
    uint32_t first;

    if (is_blank(h.data, size))
        return -EAGAIN;
    if (size < HSPERF_PROLOGUE_SIZE || memcmp(h.data, magic, sizeof(magic)) != 0 || h.data[AT_BYTE_ORDER] > 1 ||
        h.data[AT_MAJOR] != MAJOR)
        return -EBADMSG;
    if (!h.data[AT_ACCESSIBLE])
        return -EAGAIN;
    h.big_endian = h.data[AT_BYTE_ORDER] == 0;
    first = get32(&h, h.data + AT_FIRST);
    if (first < HSPERF_PROLOGUE_SIZE || first > size)
        return -EBADMSG;
    h.first = first;
    *ret = h;
    return 0;
}

/* Parses an entry of this length; false if it is malformed. */
static bool read_entry(const struct hsperf *h, const unsigned char *entry, size_t length, struct hsperf_entry *ret)
{
    size_t name = get32(h, entry + AT_NAME), value = get32(h, entry + AT_VALUE);
    size_t count = get32(h, entry + AT_VECTOR_LENGTH);
    const unsigned char *end;

    if (name < ENTRY_SIZE || name >= length || value < ENTRY_SIZE || value >= length)
        return false;
    if (!(end = memchr(entry + name, '\0', length - name)))
        return false;
    ret->name = (const char *)entry + name;
    ret->name_size = (size_t)(end - entry) - name;
    ret->value = entry + value;
    ret->type = (char)entry[AT_TYPE];
    if (ret->type == 'J' && count == 0)
        ret->value_size = 8;
    else if (ret->type == 'B' && count > 0)
        ret->value_size = count;
    else
        return false;
    return ret->value_size <= length - value;
}

bool hsperf_next(const struct hsperf *h, size_t *at, struct hsperf_entry *ret)
{
    size_t here = *at ? *at : h->first;

    /* Every step is at least ENTRY_SIZE, so the loop ends. Zeros follow the last entry. The prologue's count is not
     * used: it includes an entry that HotSpot is about to write, which is still zeros. */
    while (here <= h->size && h->size - here >= ENTRY_SIZE) {
        const unsigned char *entry = h->data + here;
        size_t length = get32(h, entry + AT_LENGTH);

        if (length < ENTRY_SIZE || length > h->size - here)
            return false;
        here += length;
        if (read_entry(h, entry, length, ret)) {
            *at = here;
            return true;
        }
    }
    return false;
}

int64_t hsperf_number(const struct hsperf *h, const struct hsperf_entry *entry)
{
    return entry->type == 'J' ? (int64_t)get(h, entry->value, 8) : 0;
}

static bool find(const struct hsperf *h, const char *name, char type, struct hsperf_entry *ret)
{
    size_t at = 0, size = strlen(name);
    struct hsperf_entry entry;

    while (hsperf_next(h, &at, &entry))
        if (entry.type == type && entry.name_size == size && memcmp(entry.name, name, size) == 0) {
            *ret = entry;
            return true;
        }
    return false;
}

bool hsperf_long(const struct hsperf *h, const char *name, int64_t *ret)
{
    struct hsperf_entry entry;

    if (!find(h, name, 'J', &entry))
        return false;
    *ret = hsperf_number(h, &entry);
    return true;
}

bool hsperf_string(const struct hsperf *h, const char *name, char *out, size_t size)
{
    struct hsperf_entry entry;
    size_t length;

    if (size == 0 || !find(h, name, 'B', &entry))
        return false;
    length = strnlen((const char *)entry.value, entry.value_size);
    if (length > size - 1)
        length = size - 1;
    memcpy(out, entry.value, length);
    out[length] = '\0';
    return true;
}
