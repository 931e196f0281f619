/* SPDX-License-Identifier: Apache-2.0
 *
 * Buffers grow to their ceiling and not a byte further, and a failure changes nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

static void an_empty_buffer_reads_as_empty_text(void **state)
{
    CLEANUP(buf_done) struct buf b = {0};
    CLEANUP_FREE char *text = NULL;

    (void)state;
    assert_string_equal(buf_text(&b), "");
    text = buf_take(&b);
    assert_string_equal(text, "");
    assert_int_equal(buf_add(&b, NULL, 0), 0);
    assert_string_equal(b.data, "");
}

static void text_is_always_terminated(void **state)
{
    CLEANUP(buf_done) struct buf b = {0};

    (void)state;
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(buf_add(&b, "x", 1), 0);
        assert_int_equal(b.size, i + 1);
        assert_int_equal(b.data[i + 1], '\0');
        assert_true(b.capacity > b.size);
    }
    assert_int_equal(strspn(b.data, "x"), 1000);
}

static void bytes_may_hold_nul(void **state)
{
    CLEANUP(buf_done) struct buf b = {0};

    (void)state;
    assert_int_equal(buf_add(&b, "a\0b", 3), 0);
    assert_int_equal(buf_add_text(&b, "c"), 0);
    assert_int_equal(b.size, 4);
    assert_memory_equal(b.data, "a\0bc", 5);
}

static void printf_appends_beyond_the_first_capacity(void **state)
{
    CLEANUP(buf_done) struct buf b = {0};

    (void)state;
    assert_int_equal(buf_printf(&b, "%d-", 7), 0);
    assert_int_equal(buf_printf(&b, "%0500d", 1), 0);
    assert_int_equal(b.size, 502);
    assert_memory_equal(b.data, "7-000", 5);
    assert_string_equal(b.data + 500, "01");
    assert_int_equal(buf_printf(&b, "%s", ""), 0);
    assert_int_equal(b.size, 502);
}

static void the_ceiling_is_reached_but_not_passed(void **state)
{
    CLEANUP(buf_done) struct buf b = {.ceiling = 10};

    (void)state;
    assert_int_equal(buf_add_text(&b, "0123456"), 0);
    assert_int_equal(buf_add_text(&b, "7890"), -EMSGSIZE);
    assert_int_equal(buf_printf(&b, "%s", "7890"), -EMSGSIZE);
    assert_string_equal(buf_text(&b), "0123456");
    assert_int_equal(buf_printf(&b, "%d", 789), 0);
    assert_string_equal(buf_text(&b), "0123456789");
    assert_int_equal(buf_add(&b, "x", 1), -EMSGSIZE);
    assert_int_equal(b.size, 10);
    assert_true(b.capacity >= 11);
}

static void without_a_ceiling_there_is_one(void **state)
{
    CLEANUP(buf_done) struct buf b = {0};
    CLEANUP_FREE char *most = calloc(1, BUF_CEILING);

    (void)state;
    assert_non_null(most);
    assert_int_equal(buf_add(&b, most, BUF_CEILING), 0);
    assert_int_equal(buf_add(&b, "x", 1), -EMSGSIZE);
    assert_int_equal(b.size, BUF_CEILING);
}

static void absurd_sizes_do_not_overflow(void **state)
{
    CLEANUP(buf_done) struct buf b = {.ceiling = SIZE_MAX};

    (void)state;
    assert_int_equal(buf_add_text(&b, "abc"), 0);
    assert_int_equal(buf_add(&b, "x", SIZE_MAX - 3), -EMSGSIZE);
    assert_int_equal(buf_add(&b, "x", SIZE_MAX), -EMSGSIZE);
    assert_string_equal(buf_text(&b), "abc");
}

static void take_leaves_an_empty_buffer_with_its_ceiling(void **state)
{
    CLEANUP(buf_done) struct buf b = {.ceiling = 4};
    CLEANUP_FREE char *text = NULL;

    (void)state;
    assert_int_equal(buf_add_text(&b, "abcd"), 0);
    text = buf_take(&b);
    assert_string_equal(text, "abcd");
    assert_null(b.data);
    assert_int_equal(b.size, 0);
    assert_int_equal(buf_add_text(&b, "abcde"), -EMSGSIZE);
    assert_int_equal(buf_add_text(&b, "efgh"), 0);
}

static void clear_keeps_the_memory(void **state)
{
    CLEANUP(buf_done) struct buf b = {0};
    const char *data;

    (void)state;
    buf_clear(&b);
    assert_int_equal(buf_add_text(&b, "abc"), 0);
    data = b.data;
    buf_clear(&b);
    assert_string_equal(buf_text(&b), "");
    assert_int_equal(buf_add_text(&b, "de"), 0);
    assert_ptr_equal(b.data, data);
    assert_string_equal(buf_text(&b), "de");
}

static void what_was_used_is_dropped(void **state)
{
    struct buf b = {0};

    (void)state;
    buf_drop(&b, 0);
    assert_int_equal(buf_add_text(&b, "abcdef"), 0);
    buf_drop(&b, 2);
    assert_string_equal(buf_text(&b), "cdef");
    assert_int_equal(b.size, 4);
    buf_drop(&b, 4);
    assert_string_equal(buf_text(&b), "");
    assert_int_equal(buf_add_text(&b, "g"), 0);
    assert_string_equal(buf_text(&b), "g");
    buf_done(&b);
}

static void done_may_be_repeated(void **state)
{
    struct buf b = {0};

    (void)state;
    assert_int_equal(buf_add_text(&b, "abc"), 0);
    buf_done(&b);
    buf_done(&b);
    assert_int_equal(b.size, 0);
    assert_null(b.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buffer_reads_as_empty_text),
        cmocka_unit_test(text_is_always_terminated),
        cmocka_unit_test(bytes_may_hold_nul),
        cmocka_unit_test(printf_appends_beyond_the_first_capacity),
        cmocka_unit_test(the_ceiling_is_reached_but_not_passed),
        cmocka_unit_test(without_a_ceiling_there_is_one),
        cmocka_unit_test(absurd_sizes_do_not_overflow),
        cmocka_unit_test(take_leaves_an_empty_buffer_with_its_ceiling),
        cmocka_unit_test(clear_keeps_the_memory),
        cmocka_unit_test(what_was_used_is_dropped),
        cmocka_unit_test(done_may_be_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
