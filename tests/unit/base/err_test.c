/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages are clean, whole and cut where they must be; every fault has a row, and the exit codes are the promised
 * ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

static void returns_the_code_it_was_given(void **state)
{
    struct err e = {0};

    (void)state;
    assert_int_equal(err_set(&e, -EACCES, "%s: %d", "file", 7), -EACCES);
    assert_string_equal(e.msg, "file: 7");
    assert_int_equal(err_prefix(&e, -FAULT_BUSY, "part %d", 3), -FAULT_BUSY);
    assert_string_equal(e.msg, "part 3: file: 7");
}

static void works_without_a_place_for_the_story(void **state)
{
    (void)state;
    assert_int_equal(err_set(NULL, -EIO, "%s", "x"), -EIO);
    assert_int_equal(err_prefix(NULL, -EIO, "%s", "x"), -EIO);
}

static void leaves_errno_and_the_stores_word_alone(void **state)
{
    struct err e = {.retry_after_ms = 5000};

    (void)state;
    errno = EXDEV;
    err_set(&e, -1, "x");
    err_prefix(&e, -1, "y");
    assert_int_equal(errno, EXDEV);
    assert_int_equal(e.retry_after_ms, 5000);
}

static void strangers_names_cannot_write_lines_of_their_own(void **state)
{
    struct err e;

    (void)state;
    err_set(&e, -1, "%s", "a\nb\033[2J\177c\302\205d\342\200\256e");
    assert_string_equal(e.msg, "a?b?[2J?c?d?e");
}

static void utf8_is_kept_and_malformed_bytes_are_not(void **state)
{
    struct err e;

    (void)state;
    err_set(&e, -1, "Müller, 日本, 🙂 \xff\xc3");
    assert_string_equal(e.msg, "Müller, 日本, 🙂 ??");
}

static void long_messages_are_cut_between_characters(void **state)
{
    char text[2000];
    struct err e;
    size_t length;

    (void)state;
    for (size_t i = 0; i + 2 < sizeof(text); i += 2)
        memcpy(text + i, "ü", 3);
    err_set(&e, -1, "%s", text);
    length = strlen(e.msg);
    assert_in_range(length, sizeof(e.msg) - 3, sizeof(e.msg) - 1);
    assert_true(text_ends(e.msg, "ü..."));
    err_prefix(&e, -1, "%s", text);
    assert_in_range(strlen(e.msg), sizeof(e.msg) - 3, sizeof(e.msg) - 1);
    err_set(&e, -1, "short");
    assert_string_equal(e.msg, "short");
}

static void a_message_may_be_its_own_argument(void **state)
{
    struct err e;

    (void)state;
    err_set(&e, -1, "inner");
    err_set(&e, -1, "outer: %s", e.msg);
    assert_string_equal(e.msg, "outer: inner");
    e.msg[0] = '\0';
    err_prefix(&e, -1, "%s", "");
    assert_string_equal(e.msg, "");
}

static void every_fault_has_one_row(void **state)
{
    unsigned count;
    const struct fault_info *table = fault_table(&count);

    (void)state;
    for (int code = FAULT_FIRST; code < FAULT_END; code++) {
        unsigned rows = 0;

        for (unsigned i = 0; i < count; i++)
            rows += table[i].code == code;
        assert_int_equal(rows, 1);
        assert_int_equal(fault_find(-code)->code, code);
    }
    for (unsigned i = 0; i < count; i++) {
        assert_in_range(table[i].exit_code, 1, 125);
        assert_true(strlen(table[i].meaning) > 10);
        for (unsigned j = 0; j < i; j++) {
            assert_string_not_equal(table[i].name, table[j].name);
            assert_int_not_equal(table[i].code, table[j].code);
        }
    }
}

static void exit_codes_are_the_documented_ones(void **state)
{
    static const struct {
        int code, exit_code;
        enum retry retry;
    } expected[] = {
        {FAULT_USAGE, 2, RETRY_NEVER},
        {FAULT_SCHEME, 10, RETRY_NEVER},
        {FAULT_NO_BUCKET_NAME, 11, RETRY_NEVER},
        {FAULT_TEMPLATE, 12, RETRY_NEVER},
        {FAULT_FOLDER, 20, RETRY_NEVER},
        {FAULT_UNREADABLE, 21, RETRY_SLOWLY},
        {FAULT_CHANGED, 22, RETRY_SOON},
        {FAULT_STATE, 23, RETRY_SLOWLY},
        {FAULT_LOCKED, 24, RETRY_SOON},
        {FAULT_DENIED, 30, RETRY_SLOWLY},
        {FAULT_EXPIRED, 31, RETRY_SLOWLY},
        {FAULT_CREDENTIALS, 32, RETRY_SLOWLY},
        {FAULT_NO_BUCKET, 33, RETRY_SLOWLY},
        {FAULT_NO_OBJECT, 34, RETRY_NEVER},
        {FAULT_UNREACHABLE, 40, RETRY_SOON},
        {FAULT_STALLED, 41, RETRY_SOON},
        {FAULT_TLS, 42, RETRY_SLOWLY},
        {FAULT_FULL, 43, RETRY_SLOWLY},
        {FAULT_BUSY, 44, RETRY_SOON},
        {FAULT_REFUSED, 45, RETRY_SLOWLY},
        {FAULT_CORRUPT, 50, RETRY_SOON},
        {FAULT_FORMAT, 51, RETRY_SOON},
        {FAULT_EXISTS, 52, RETRY_NEVER},
        {FAULT_GONE, 1, RETRY_SOON},
        {FAULT_LATER, 75, RETRY_SOON},
        {FAULT_SOME, 1, RETRY_NEVER},
        {ENOMEM, 1, RETRY_SOON},
        {EIO, 1, RETRY_SOON},
        {ENOSPC, 1, RETRY_SLOWLY},
        {EACCES, 1, RETRY_SLOWLY},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        const struct fault_info *f = fault_find(-expected[i].code);

        assert_int_equal(f->exit_code, expected[i].exit_code);
        assert_int_equal(f->retry, expected[i].retry);
    }
}

static void unknown_results_share_a_row(void **state)
{
    const struct fault_info *other = fault_find(-EXDEV);

    (void)state;
    assert_int_equal(other->exit_code, 1);
    assert_ptr_equal(fault_find(0), other);
    assert_ptr_equal(fault_find(INT_MIN), other);
    assert_ptr_equal(fault_find(ENOMEM), other);
    assert_ptr_equal(fault_find(-FAULT_END), other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(returns_the_code_it_was_given),
        cmocka_unit_test(works_without_a_place_for_the_story),
        cmocka_unit_test(leaves_errno_and_the_stores_word_alone),
        cmocka_unit_test(strangers_names_cannot_write_lines_of_their_own),
        cmocka_unit_test(utf8_is_kept_and_malformed_bytes_are_not),
        cmocka_unit_test(long_messages_are_cut_between_characters),
        cmocka_unit_test(a_message_may_be_its_own_argument),
        cmocka_unit_test(every_fault_has_one_row),
        cmocka_unit_test(exit_codes_are_the_documented_ones),
        cmocka_unit_test(unknown_results_share_a_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
