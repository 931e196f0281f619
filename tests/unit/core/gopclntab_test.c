/* SPDX-License-Identifier: Apache-2.0
 *
 * A table of Go's functions made by hand: names, files and lines of addresses, and cuts at every byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/gopclntab.h"

enum { TEXT = 0x401000, NAMES = 80, UNITS = 120, FILES = 128, VALUES = 160, FUNCTIONS = 176, SIZE = 288 };

static void put(unsigned char *at, uint64_t n, size_t size)
{
    memcpy(at, &n, size);
}

/* main.add at TEXT, of cart.go: 16 bytes of line 7, then 16 of line 9; main.main at TEXT + 32. */
static void make(unsigned char table[SIZE])
{
    static const uint64_t parts[] = {NAMES, UNITS, FILES, VALUES, FUNCTIONS};
    static const unsigned char values[] = {
        0, 0,  2,  32, 0,     /* from 2 on: file -1 + 1, for 32 bytes */
        0, 16, 16, 4,  16, 0, /* from 6 on: line -1 + 8 for 16 bytes, 2 more for 16 */
    };

    memset(table, 0, SIZE);
    put(table, 0xfffffff1, 4);
    table[6] = 1; /* quantum */
    table[7] = 8; /* bytes of a word */
    put(table + 8, 2, 8);
    put(table + 24, 0, 8); /* the text's beginning is a relocation */
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        put(table + 32 + i * 8, parts[i], 8);
    memcpy(table + NAMES, "\0main.add\0main.main", 20);
    put(table + UNITS, 1, 4);
    memcpy(table + FILES, "\0/app/cart.go", 14);
    memcpy(table + VALUES, values, sizeof(values));
    put(table + FUNCTIONS + 0, 0, 4);
    put(table + FUNCTIONS + 4, 24, 4);
    put(table + FUNCTIONS + 8, 32, 4);
    put(table + FUNCTIONS + 12, 64, 4);
    put(table + FUNCTIONS + 16, 48, 4);     /* the end */
    put(table + FUNCTIONS + 24 + 4, 1, 4);  /* its name */
    put(table + FUNCTIONS + 24 + 20, 2, 4); /* its files */
    put(table + FUNCTIONS + 24 + 24, 6, 4); /* its lines */
    put(table + FUNCTIONS + 64, 32, 4);
    put(table + FUNCTIONS + 64 + 4, 10, 4);
}

static void names_and_lines_are_found(void **state)
{
    unsigned char table[SIZE];
    struct gopclntab_place p;

    (void)state;
    make(table);
    assert_true(gopclntab_find(table, SIZE, TEXT, TEXT, &p));
    assert_string_equal(p.function, "main.add");
    assert_string_equal(p.file, "/app/cart.go");
    assert_int_equal(p.line, 7);
    assert_true(gopclntab_find(table, SIZE, TEXT, TEXT + 31, &p));
    assert_int_equal(p.line, 9);
    assert_true(gopclntab_find(table, SIZE, TEXT, TEXT + 40, &p));
    assert_string_equal(p.function, "main.main");
    assert_null(p.file);
    assert_int_equal(p.line, 0);
    assert_false(gopclntab_find(table, SIZE, TEXT, TEXT + 48, &p));
    assert_false(gopclntab_find(table, SIZE, TEXT, TEXT - 1, &p));
    put(table, 0xfffffffb, 4); /* Go 1.15 */
    assert_false(gopclntab_find(table, SIZE, TEXT, TEXT, &p));
}

static void a_cut_table_is_not_read_behind_its_end(void **state)
{
    unsigned char table[SIZE];

    (void)state;
    make(table);
    for (size_t size = 0; size < SIZE; size++) {
        CLEANUP_FREE unsigned char *copy = malloc(size ? size : 1); /* exactly: a byte too far is found */
        struct gopclntab_place p;

        assert_non_null(copy);
        memcpy(copy, table, size);
        for (unsigned at = 0; at < 48; at += 8)
            if (gopclntab_find(copy, size, TEXT, TEXT + at, &p))
                assert_memory_equal(p.function, "main.", 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_lines_are_found),
        cmocka_unit_test(a_cut_table_is_not_read_behind_its_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
