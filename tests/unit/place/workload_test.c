/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of pods as Kubernetes' controllers make them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "place/workload.h"

#define TAKES(pod, name)                                                                                               \
    do {                                                                                                               \
        char out[WORKLOAD_MAX];                                                                                        \
        assert_string_equal(workload_of_pod(pod, out), name);                                                          \
    } while (0)

static void random_parts_are_cut(void **state)
{
    (void)state;
    TAKES("cart-7f9c8d6b5-x2x7q", "cart");
    TAKES("cart-api-6db489d4b7-x2x7q", "cart-api");
    TAKES("fluentd-x2x7q", "fluentd");
    TAKES("cart-v2-6db489d4b7-x2x7q", "cart-v2");
}

static void numbers_of_controllers_are_cut(void **state)
{
    (void)state;
    TAKES("db-0", "db");
    TAKES("db-12", "db");
    TAKES("report-28945621-x2x7q", "report");
    TAKES("batch-3-x2x7q", "batch");
}

static void words_of_people_stay(void **state)
{
    (void)state;
    TAKES("cart", "cart");
    TAKES("cart-api", "cart-api");
    TAKES("cart-house", "cart-house"); /* vowels */
    TAKES("cart-20261121", "cart-20261121");
    TAKES("-x2x7q", "-x2x7q");
    TAKES("", "");
}

static void a_long_name_is_cut(void **state)
{
    char pod[400], out[WORKLOAD_MAX];

    (void)state;
    memset(pod, 'a', sizeof(pod) - 1);
    pod[sizeof(pod) - 1] = '\0';
    assert_int_equal(strlen(workload_of_pod(pod, out)), WORKLOAD_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_parts_are_cut),
        cmocka_unit_test(numbers_of_controllers_are_cut),
        cmocka_unit_test(words_of_people_stay),
        cmocka_unit_test(a_long_name_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
