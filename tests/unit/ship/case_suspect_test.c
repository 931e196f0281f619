/* SPDX-License-Identifier: Apache-2.0
 *
 * What is suspected to have filled a heap.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ship/case_suspect.h"

static const char *suspect_of(const char *suspects)
{
    static char out[SUSPECT_MAX];
    char json[2000];

    snprintf(json, sizeof(json), "{\"schema\": \"salvage.analysis/1\", \"suspects\": [%s]}", suspects);
    assert_int_equal(case_suspect_of_analysis(json, strlen(json), out), 0);
    return out;
}

static void an_analysis_names_what_holds_its_first_suspect(void **state)
{
    static const char other[] = "{\"schema\": \"salvage.digest/1\"}";
    char out[SUSPECT_MAX] = "as before";

    (void)state;
    assert_string_equal(suspect_of("{\"class\": \"java.util.HashMap\", \"count\": 1, \"holder\": \"static a.B.C\"},"
                                   "{\"class\": \"x\", \"count\": 1}"),
                        "static a.B.C");
    assert_string_equal(suspect_of("{\"class\": \"a.Order\", \"count\": 3, \"holder\": \"static a.B.C\"}"), "a.Order");
    assert_string_equal(suspect_of("{\"class\": \"a.Order\", \"count\": 1}"), "a.Order");
    assert_string_equal(suspect_of("{\"class\": \"a\\u0007\"}"), "a?");
    assert_string_equal(suspect_of(""), "");
    assert_string_equal(suspect_of("7"), "");
    assert_int_equal(case_suspect_of_analysis(other, strlen(other), out), -EBADMSG);
    assert_int_equal(case_suspect_of_analysis("{", 1, out), -EBADMSG);
    assert_string_equal(out, "as before");
}

static void the_programs_class_stands_out_among_those_of_the_jdk(void **state)
{
    struct manifest_top top = {3, {{"byte[]", 9, 9}, {"java.util.HashMap$Node", 8, 8}, {"com.shop.Order", 7, 7}}};
    struct manifest m = {0};

    (void)state;
    assert_null(case_class(&m));
    m.top = &top;
    assert_string_equal(case_class(&m), "com.shop.Order");
    top.count = 2;
    assert_string_equal(case_class(&m), "byte[]");
    top.count = 0;
    assert_null(case_class(&m));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_analysis_names_what_holds_its_first_suspect),
        cmocka_unit_test(the_programs_class_stands_out_among_those_of_the_jdk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
