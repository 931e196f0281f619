/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists of globs: the first that fits decides.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/glob_list.h"

static void the_first_glob_that_fits_decides(void **state)
{
    struct opt_list list = {.item = {"shop", "!shop-* kube-system", "*"}, .count = 3}, empty = {0};

    (void)state;
    assert_true(glob_list_selects(&list, "shop"));
    assert_false(glob_list_selects(&list, "shop-test"));
    assert_true(glob_list_selects(&list, "kube-system"));
    assert_true(glob_list_selects(&list, "anything"));
    assert_false(glob_list_selects(&list, ".salvage-shop"));
    assert_false(glob_list_selects(&empty, "shop"));
}

static void what_none_fits_is_left_out(void **state)
{
    struct opt_list list = {.item = {"!shop", "shop*"}, .count = 2};

    (void)state;
    assert_false(glob_list_selects(&list, "shop"));
    assert_true(glob_list_selects(&list, "shops"));
    assert_false(glob_list_selects(&list, "cart"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_glob_that_fits_decides),
        cmocka_unit_test(what_none_fits_is_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
