/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes files of counters as HotSpot lays them out, for tests and as seeds for the fuzzer. After cmocka.h, or with an
 * assert_true of one's own.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct hsperf_made {
    unsigned char data[16384];
    size_t size;
    bool big_endian;
};

static inline void hsperf_make_put(struct hsperf_made *m, size_t at, uint64_t n, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        m->data[at + (m->big_endian ? size - 1 - i : i)] = (unsigned char)(n >> (8 * i));
}

static inline struct hsperf_made hsperf_make(bool big_endian)
{
    static const unsigned char start[] = {0xca, 0xfe, 0xc0, 0xc0, 0, 2, 0, 1};
    struct hsperf_made m = {.size = 32, .big_endian = big_endian};

    memcpy(m.data, start, sizeof(start));
    m.data[4] = !big_endian;
    hsperf_make_put(&m, 24, 32, 4);
    return m;
}

/* Appends an entry; its value is aligned to 8, and so is the next one. */
static inline void hsperf_make_entry(struct hsperf_made *m, const char *name, char type, size_t count,
                                     const void *value, size_t size)
{
    size_t at = m->size, offset = (20 + strlen(name) + 1 + 7) / 8 * 8, length = offset + (size + 7) / 8 * 8;

    assert_true(length <= sizeof(m->data) - at);
    hsperf_make_put(m, at, length, 4);
    hsperf_make_put(m, at + 4, 20, 4);
    hsperf_make_put(m, at + 8, count, 4);
    m->data[at + 12] = (unsigned char)type;
    hsperf_make_put(m, at + 16, offset, 4);
    memcpy(m->data + at + 20, name, strlen(name));
    memcpy(m->data + at + offset, value, size);
    m->size += length;
    hsperf_make_put(m, 8, m->size, 4);
}

static inline void hsperf_make_long(struct hsperf_made *m, const char *name, int64_t n)
{
    size_t at;

    hsperf_make_entry(m, name, 'J', 0, "\0\0\0\0\0\0\0", 8);
    at = m->size - 8;
    hsperf_make_put(m, at, (uint64_t)n, 8);
}

/* A text in a field of that size. */
static inline void hsperf_make_string(struct hsperf_made *m, const char *name, const char *text, size_t size)
{
    unsigned char field[256] = {0};

    assert_true(size <= sizeof(field) && strlen(text) <= size);
    memcpy(field, text, strlen(text));
    hsperf_make_entry(m, name, 'B', size, field, size);
}
