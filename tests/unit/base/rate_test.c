/* SPDX-License-Identifier: Apache-2.0
 *
 * Caps as they are written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "base/rate.h"

static void rates_are_a_count_and_a_time(void **state)
{
    static const struct {
        const char *text;
        unsigned count;
        uint64_t per_ms;
        const char *printed;
    } rows[] = {
        {"3/day", 3, 86400000, "3/day"},
        {"3/d", 3, 86400000, "3/day"},
        {"3/24h", 3, 86400000, "3/day"},
        {"1/hour", 1, 3600000, "1/hour"},
        {"100/week", 100, 604800000, "100/week"},
        {"5/minute", 5, 60000, "5/minute"},
        {"5/12h", 5, 43200000, "5/43200s"},
        {"5/100ms", 5, 100, "5/100ms"},
        {"none", 0, 0, "none"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct rate r = {77, 77}, again = {77, 77};
        char text[RATE_TEXT_MAX];

        assert_int_equal(rate_parse(rows[i].text, &r, NULL), 0);
        assert_int_equal(r.count, rows[i].count);
        assert_int_equal(r.per_ms, rows[i].per_ms);
        assert_string_equal(rate_print(&r, text), rows[i].printed);
        assert_int_equal(rate_parse(text, &again, NULL), 0);
        assert_int_equal(again.count, r.count);
        assert_int_equal(again.per_ms, r.per_ms);
    }
}

static void what_is_no_rate_is_refused(void **state)
{
    static const struct {
        const char *text, *said;
    } rows[] = {
        {"", "not a rate"},
        {"3", "has no period: for example 3/day"},
        {"day", "not a rate"},
        {"/day", "not a rate"},
        {"3/", "not a rate"},
        {"3/month", "not a rate"},
        {"3/0s", "not a rate"},
        {"3/400d", "not a rate"},
        {"3 / day", "not a rate"},
        {"-3/day", "not a rate"},
        {"1.5/day", "not a rate"},
        {"0/day", "from 1 to 100"},
        {"101/day", "from 1 to 100"},
        {"18446744073709551617/day", "not a rate"},
        {"9999999999999999999/day", "from 1 to 100"},
        {"none/day", "not a rate"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct rate r = {77, 77};
        struct err e = {0};

        assert_int_equal(rate_parse(rows[i].text, &r, &e), -FAULT_USAGE);
        if (!strstr(e.msg, rows[i].said))
            fail_msg("%s: %s", rows[i].text, e.msg);
        assert_int_equal(r.count, 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_are_a_count_and_a_time),
        cmocka_unit_test(what_is_no_rate_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
