/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps that are taken, and those that are not: then nothing has moved.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/scan.h"

static void words_and_numbers(void **state)
{
    const char *at = "usage 12kB, limit -3x";
    uint64_t n = 0;
    int64_t i = 0;

    (void)state;
    assert_false(scan_word(&at, "use"));
    assert_true(scan_word(&at, "usage "));
    assert_true(scan_kb(&at, &n));
    assert_int_equal(n, 12 * 1024);
    assert_false(scan_number(&at, &n));
    assert_true(scan_word(&at, ", limit "));
    assert_false(scan_number(&at, &n));
    assert_true(scan_int(&at, &i));
    assert_int_equal(i, -3);
    assert_string_equal(at, "x");
}

static void what_is_too_big_is_none(void **state)
{
    static const char *const bad[] = {"18446744073709551616", "99999999999999999999999", "", "-", "x"};
    const char *at = "18446744073709551615";
    uint64_t n = 7;
    int64_t i = 7;

    (void)state;
    assert_true(scan_number(&at, &n));
    assert_int_equal(n, UINT64_MAX);
    for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
        n = 7;
        at = bad[k];
        assert_false(scan_number(&at, &n));
        assert_false(scan_int(&at, &i));
        assert_ptr_equal(at, bad[k]);
        assert_int_equal(n, 7);
    }
    at = "18014398509481984kB";
    assert_false(scan_kb(&at, &n));
    at = "9223372036854775808";
    assert_false(scan_int(&at, &i));
    assert_int_equal(i, 7);
}

static void the_last_of_several(void **state)
{
    static const char text[] = "a,a,a";

    (void)state;
    assert_ptr_equal(scan_last(text, text + 5, ",a"), text + 3);
    assert_ptr_equal(scan_last(text, text + 4, ",a"), text + 1); /* it has to end before */
    assert_null(scan_last(text, text + 2, ",a"));
    assert_null(scan_last(text, text, ",a"));
    assert_null(scan_last(text, text + 5, "a,a,a,"));
}

static void kept_whole_or_not_at_all(void **state)
{
    static const char text[] = "abcd";
    char out[4] = "old";

    (void)state;
    assert_false(scan_copy(text, text + 4, out, sizeof(out)));
    assert_string_equal(out, "old");
    assert_true(scan_copy(text, text + 3, out, sizeof(out)));
    assert_string_equal(out, "abc");
    assert_true(scan_copy(text, text, out, sizeof(out)));
    assert_string_equal(out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_and_numbers),
        cmocka_unit_test(what_is_too_big_is_none),
        cmocka_unit_test(the_last_of_several),
        cmocka_unit_test(kept_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
