/* SPDX-License-Identifier: Apache-2.0
 *
 * Heads of answers, well-formed and otherwise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "net/httphead.h"

enum { DAY_MS = 24 * 60 * 60 * 1000 };

static const char HEAD[] = "HTTP/1.1 200 OK\r\n"
                           "ETag:\"a-1\"\r\n"
                           "X-Spaced: \t two words \t\r\n"
                           "X-Empty:\r\n"
                           "X-Twice: first\r\n"
                           "X-Twice: second\r\n"
                           "X-Folded: one\r\n"
                           " X-Inner: two\r\n"
                           "X-Space : before the colon\r\n"
                           "No colon here\r\n"
                           "X-Last: no line end";

static const char *get(const char *name)
{
    static char value[32];
    return httphead_get(HEAD, sizeof(HEAD) - 1, name, value, sizeof(value));
}

static void names_are_found_in_any_case_and_values_trimmed(void **state)
{
    (void)state;
    assert_string_equal(get("etag"), "\"a-1\"");
    assert_string_equal(get("X-SPACED"), "two words");
    assert_string_equal(get("X-Empty"), "");
    assert_string_equal(get("X-Twice"), "first");
    assert_string_equal(get("X-Last"), "no line end");
}

static void what_is_no_header_is_not_found(void **state)
{
    (void)state;
    assert_null(get("X-Missing"));
    assert_null(get("X-Inner"));
    assert_null(get("X-Space"));
    assert_null(get("No colon here"));
    assert_null(get("ETa"));
    assert_null(get("HTTP/1.1 200 OK"));
    char value[8];
    assert_null(httphead_get("", 0, "ETag", value, sizeof(value)));
}

static void half_a_value_is_none(void **state)
{
    char value[10] = "untouched";
    (void)state;
    assert_null(httphead_get(HEAD, sizeof(HEAD) - 1, "X-Spaced", value, 9));
    assert_string_equal(value, "untouched");
    assert_string_equal(httphead_get(HEAD, sizeof(HEAD) - 1, "X-Spaced", value, 10), "two words");
    assert_null(httphead_get("A: b\0c\r\n", 8, "A", value, sizeof(value)));
}

static unsigned retry_after(const char *head, const char *now)
{
    int64_t now_ns;
    assert_int_equal(clock_parse(now, &now_ns), 0);
    return httphead_retry_after_ms(head, strlen(head), now_ns);
}

static void retry_after_in_seconds(void **state)
{
    const char *now = "1994-11-06T08:49:37Z";
    (void)state;
    assert_int_equal(retry_after("HTTP/1.1 503 x\r\nretry-after: 120\r\n", now), 120000);
    assert_int_equal(retry_after("Retry-After: 0\r\n", now), 0);
    assert_int_equal(retry_after("Retry-After: 86401\r\n", now), DAY_MS);
    assert_int_equal(retry_after("Retry-After: 99999999999999999999999\r\n", now), DAY_MS);
    assert_int_equal(retry_after("Retry-After: -1\r\n", now), 0);
    assert_int_equal(retry_after("Retry-After: soon\r\n", now), 0);
    assert_int_equal(retry_after("Retry-After:\r\n", now), 0);
    assert_int_equal(retry_after("ETag: 1\r\n", now), 0);
}

static void retry_after_as_a_date(void **state)
{
    const char *head = "Retry-After: Sun, 06 Nov 1994 08:50:37 GMT\r\n";
    (void)state;
    assert_int_equal(retry_after(head, "1994-11-06T08:49:37Z"), 60000);
    assert_int_equal(retry_after(head, "1994-11-06T08:50:37Z"), 0);
    assert_int_equal(retry_after(head, "2026-11-21T01:56:05Z"), 0);
    assert_int_equal(retry_after(head, "1970-01-01T00:00:00Z"), DAY_MS);
}

static void the_servers_own_date_counts_before_our_clock(void **state)
{
    const char *head = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:49:47 GMT\r\n";
    const char *undated = "Date: yesterday\r\nRetry-After: Sun, 06 Nov 1994 08:49:47 GMT\r\n";
    (void)state;
    assert_int_equal(retry_after(head, "2026-11-21T01:56:05Z"), 10000);
    assert_int_equal(retry_after(undated, "1994-11-06T08:49:37Z"), 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_in_any_case_and_values_trimmed),
        cmocka_unit_test(what_is_no_header_is_not_found),
        cmocka_unit_test(half_a_value_is_none),
        cmocka_unit_test(retry_after_in_seconds),
        cmocka_unit_test(retry_after_as_a_date),
        cmocka_unit_test(the_servers_own_date_counts_before_our_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
