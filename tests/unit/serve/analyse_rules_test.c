/* SPDX-License-Identifier: Apache-2.0
 *
 * --analyse in words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fault.h"
#include "base/mem.h"
#include "serve/analyse_rules.h"

static void a_namespace_has_its_rule_or_that_of_all(void **state)
{
    static const char *const texts[] = {"shop=always", "oom", "pay=never"};
    struct analyse_rules r;
    struct err e;

    (void)state;
    assert_int_equal(analyse_rules_read(texts, ARRAY_SIZE(texts), &r, &e), 0);
    assert_int_equal(analyse_rule_of(&r, "shop/cart-0/x"), ANALYSE_ALWAYS);
    assert_int_equal(analyse_rule_of(&r, "shopping/cart-0/x"), ANALYSE_OOM);
    assert_int_equal(analyse_rule_of(&r, "pay/x"), ANALYSE_NEVER);
    assert_int_equal(analyse_rule_of(&r, "x"), ANALYSE_OOM);
    assert_int_equal(analyse_rules_read(NULL, 0, &r, &e), 0);
    assert_int_equal(analyse_rule_of(&r, "shop/x"), ANALYSE_REQUEST);
}

static void what_does_not_read_so_is_refused(void **state)
{
    static const char *const bad[][2] = {{"sometimes"}, {""},      {"=oom"},           {"shop="},
                                         {"a/b=oom"},   {"shop:"}, {"oom", "request"}, {"shop=oom", "shop=never"}};
    struct analyse_rules r;
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(analyse_rules_read(bad[i], bad[i][1] ? 2 : 1, &r, &e), -FAULT_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_namespace_has_its_rule_or_that_of_all),
        cmocka_unit_test(what_does_not_read_so_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
