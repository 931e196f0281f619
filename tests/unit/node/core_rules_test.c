/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose cores are taken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/core_rules.h"

static const struct core_subject POD = {"/kubepods.slice/kubepods-pod1.slice/cri-1.scope", "java", 1000, UINT64_MAX};

static void rules_take_and_leave(void **state)
{
    struct core_rules r = {0};
    struct core_subject s = POD;

    (void)state;
    assert_null(core_rules_refuse(&r, &s));
    r.only = (struct opt_list){{"cgroup=*kubepods*", "uid=7"}, 2};
    assert_null(core_rules_refuse(&r, &s));
    s.cgroup = "/system.slice/cron.service";
    assert_non_null(core_rules_refuse(&r, &s));
    s.uid = 7;
    assert_null(core_rules_refuse(&r, &s));
    r.ignore = (struct opt_list){{"program=ja*"}, 1};
    assert_non_null(core_rules_refuse(&r, &s)); /* counts more */
    s.program = "python3";
    assert_null(core_rules_refuse(&r, &s));
}

static void a_limit_of_0_is_respected_unless_it_is_not_to_be(void **state)
{
    struct core_rules r = {0};
    struct core_subject s = POD;

    (void)state;
    s.limit = 0;
    assert_non_null(core_rules_refuse(&r, &s));
    r.any_limit = true;
    assert_null(core_rules_refuse(&r, &s));
}

static void wrong_rules_are_refused(void **state)
{
    static const char *const wrong[] = {"",       "uid=",    "uid=x",  "uid=-1",
                                        "cgroup", "cgroup=", "name=x", "uid=99999999999"};
    struct core_rules r = {.rate = "1/day", .at_once = 1, .hold_ms = 1};
    struct rate rate;
    struct err e = {0};

    (void)state;
    assert_int_equal(core_rules_check(&r, &rate, &e), 0);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        r.ignore = (struct opt_list){{wrong[i]}, 1};
        assert_int_equal(core_rules_check(&r, &rate, &e), -FAULT_USAGE);
    }
    r.ignore.count = 0;
    r.spool = "relative";
    assert_int_equal(core_rules_check(&r, &rate, &e), -FAULT_USAGE);
    r.spool = NULL;
    r.at_once = 33;
    assert_int_equal(core_rules_check(&r, &rate, &e), -FAULT_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_take_and_leave),
        cmocka_unit_test(a_limit_of_0_is_respected_unless_it_is_not_to_be),
        cmocka_unit_test(wrong_rules_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
