/* SPDX-License-Identifier: Apache-2.0
 *
 * Refusals of an API server: what they say, and that other answers say nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "kubeapi/api_status.h"

static struct api_status read_status(const char *text)
{
    struct api_status s;

    api_status_read(text, strlen(text), &s);
    return s;
}

static void a_refusal_has_its_reason_and_a_printable_message(void **state)
{
    struct api_status s = read_status("{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"message\":\"no \\u001b[2J\"}");

    (void)state;
    assert_string_equal(s.reason, "Forbidden");
    assert_string_equal(s.message, "no ?[2J");
    assert_false(s.namespace_ends);
}

static void a_namespace_that_is_deleted_is_known_by_its_cause(void **state)
{
    struct api_status s = read_status("{\"kind\":\"Status\",\"details\":{\"causes\":[{\"reason\":\"Other\"},"
                                      "{\"reason\":\"NamespaceTerminating\"}]}}");

    (void)state;
    assert_true(s.namespace_ends);
}

static void what_is_no_status_says_nothing(void **state)
{
    static const char *const texts[] = {"", "<html>", "[]", "{\"kind\":\"Pod\",\"message\":\"x\"}", "{\"kind\":7}"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct api_status s = read_status(texts[i]);

        assert_true(!*s.reason && !*s.message && !s.namespace_ends);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_has_its_reason_and_a_printable_message),
        cmocka_unit_test(a_namespace_that_is_deleted_is_known_by_its_cause),
        cmocka_unit_test(what_is_no_status_says_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
