/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables as they are printed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/table.h"
#include "base/text.h"

static const struct table_column COLUMNS[] = {{"N", TABLE_RIGHT}, {"NAME", TABLE_LEFT}, {"MORE", TABLE_LEFT}};

static void columns_are_as_wide_as_what_is_in_them(void **state)
{
    static const char *const cells[] = {"1", "a", "x", "1000", "üü-ü-ü", "a long one", "20", "abc", ""};
    CLEANUP(table_done) struct table t = {.columns = COLUMNS, .count = ARRAY_SIZE(COLUMNS)};
    CLEANUP(buf_done) struct buf plain = {0}, bold = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
        assert_int_equal(table_add(&t, cells[i]), 0);
    assert_int_equal(table_print(&t, false, &plain), 0);
    assert_string_equal(buf_text(&plain), "   N NAME   MORE\n"
                                          "   1 a      x\n"
                                          "1000 üü-ü-ü a long one\n"
                                          "  20 abc    \n");
    assert_int_equal(table_print(&t, true, &bold), 0);
    assert_true(text_starts(buf_text(&bold), "\033[1m   N NAME   MORE\033[0m\n   1 a"));
}

static void a_table_without_rows_has_a_head(void **state)
{
    CLEANUP(table_done) struct table t = {.columns = COLUMNS, .count = ARRAY_SIZE(COLUMNS)};
    CLEANUP(buf_done) struct buf text = {0};

    (void)state;
    assert_int_equal(table_print(&t, false, &text), 0);
    assert_string_equal(buf_text(&text), "N NAME MORE\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_as_wide_as_what_is_in_them),
        cmocka_unit_test(a_table_without_rows_has_a_head),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
