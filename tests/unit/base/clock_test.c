/* SPDX-License-Identifier: Apache-2.0
 *
 * Dates there and back, at the calendar's awkward places, and strictness about everything that is not one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"

#define S(seconds) ((int64_t)(seconds)*1000000000)

static const struct {
    int64_t wall_ns;
    const char *text, *basic;
} DATES[] = {
    {0, "1970-01-01T00:00:00.000Z", "19700101T000000Z"},
    {S(-1), "1969-12-31T23:59:59.000Z", "19691231T235959Z"},
    {S(951782400), "2000-02-29T00:00:00.000Z", "20000229T000000Z"},
    {S(1709251199) + 999000000, "2024-02-29T23:59:59.999Z", "20240229T235959Z"},
    {S(1709251200), "2024-03-01T00:00:00.000Z", "20240301T000000Z"},
    {S(1795226165) + 123000000, "2026-11-21T01:56:05.123Z", "20261121T015605Z"},
    {S(4102444800), "2100-01-01T00:00:00.000Z", "21000101T000000Z"},
    {S(4107542399), "2100-02-28T23:59:59.000Z", "21000228T235959Z"},
    {S(4107542400), "2100-03-01T00:00:00.000Z", "21000301T000000Z"},
};

static void dates_are_written_in_utc(void **state)
{
    char out[CLOCK_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(DATES); i++) {
        assert_string_equal(clock_format(DATES[i].wall_ns, out), DATES[i].text);
        assert_string_equal(clock_format_basic(DATES[i].wall_ns, out), DATES[i].basic);
    }
}

static void what_was_written_is_read_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(DATES); i++) {
        int64_t back = 1;

        assert_int_equal(clock_parse(DATES[i].text, &back), 0);
        assert_int_equal(back, DATES[i].wall_ns);
    }
}

static void the_ends_of_time_are_dates(void **state)
{
    char out[CLOCK_TEXT_MAX];
    int64_t back = 0;

    (void)state;
    assert_string_equal(clock_format(INT64_MIN, out), "1677-09-21T00:12:43.145Z");
    assert_string_equal(clock_format(INT64_MAX, out), "2262-04-11T23:47:16.854Z");
    assert_int_equal(clock_parse("2262-04-11T23:47:16.854775807Z", &back), 0);
    assert_true(back == INT64_MAX);
    assert_int_equal(clock_parse("2262-04-11T23:47:16.854775808Z", &back), -EINVAL);
    assert_int_equal(clock_parse("9999-12-31T23:59:59Z", &back), -EINVAL);
    assert_int_equal(clock_parse("0000-01-01T00:00:00Z", &back), -EINVAL);
    assert_true(back == INT64_MAX);
}

/* The C library's calendar is the judge: a day of every month of three centuries. */
static void the_calendar_agrees_with_the_c_librarys(void **state)
{
    char out[CLOCK_TEXT_MAX], expected[CLOCK_TEXT_MAX];

    (void)state;
    for (int64_t t = -8 * INT64_C(1000000000); t < 9 * INT64_C(1000000000); t += 86399 * 29) {
        time_t seconds = (time_t)t;
        struct tm tm;
        int64_t back;

        assert_non_null(gmtime_r(&seconds, &tm));
        strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S.000Z", &tm);
        assert_string_equal(clock_format(S(t), out), expected);
        assert_int_equal(clock_parse(out, &back), 0);
        assert_int_equal(back, S(t));
    }
}

static void fractions_may_have_any_length(void **state)
{
    static const struct {
        const char *text;
        int64_t ns;
    } dates[] = {
        {"1970-01-01T00:00:01Z", 1000000000},           {"1970-01-01T00:00:01.5Z", 1500000000},
        {"1970-01-01T00:00:01.000000001Z", 1000000001}, {"1970-01-01T00:00:01.0000000019999999999999999Z", 1000000001},
        {"1969-12-31T23:59:59.250Z", -750000000},       {"2016-12-31T23:59:60Z", S(1483228800)}, /* a leap second */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(dates); i++) {
        int64_t ns = 0;

        assert_int_equal(clock_parse(dates[i].text, &ns), 0);
        assert_int_equal(ns, dates[i].ns);
    }
}

static void what_is_no_date_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "2026",
                                      "2026-11-21",
                                      "2026-11-21T01:56:05",
                                      "2026-11-21T01:56:05z",
                                      "2026-11-21t01:56:05Z",
                                      "2026-11-21 01:56:05Z",
                                      "2026-11-21T01:56:05.Z",
                                      "2026-11-21T01:56:05.1",
                                      "2026-11-21T01:56:05,1Z",
                                      "2026-11-21T01:56:05+00:00",
                                      "2026-11-21T01:56:05Z ",
                                      " 2026-11-21T01:56:05Z",
                                      "2026-11-21T01:56:05ZZ",
                                      "2026-00-21T01:56:05Z",
                                      "2026-13-21T01:56:05Z",
                                      "2026-11-00T01:56:05Z",
                                      "2026-11-31T01:56:05Z",
                                      "2026-02-29T01:56:05Z",
                                      "2100-02-29T01:56:05Z",
                                      "2026-11-21T24:00:00Z",
                                      "2026-11-21T01:60:05Z",
                                      "2026-11-21T01:56:61Z",
                                      "2026-1-21T01:56:05Z",
                                      "-026-11-21T01:56:05Z",
                                      "20261121T015605Z"};
    int64_t ns = 4711;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        if (clock_parse(bad[i], &ns) != -EINVAL)
            fail_msg("'%s' was accepted", bad[i]);
    assert_int_equal(clock_parse(NULL, &ns), -EINVAL);
    assert_int_equal(ns, 4711);
}

static void http_dates_are_read(void **state)
{
    int64_t ns = 0;

    (void)state;
    assert_int_equal(clock_parse_http("Sun, 06 Nov 1994 08:49:37 GMT", &ns), 0);
    assert_int_equal(ns, S(784111777));
    assert_int_equal(clock_parse_http("Thu, 29 Feb 2024 23:59:59 GMT", &ns), 0);
    assert_int_equal(ns, S(1709251199));
    assert_int_equal(clock_parse_http("Mon, 01 Mar 2100 00:00:00 GMT", &ns), 0);
    assert_int_equal(ns, S(4107542400));
}

static void http_dates_are_written(void **state)
{
    static const int64_t days[] = {784111777, 1709251199, 4107542400, 0, -1, 951782400};
    char text[CLOCK_TEXT_MAX];
    int64_t ns;

    (void)state;
    assert_string_equal(clock_format_http(S(784111777) + 999999999, text), "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_string_equal(clock_format_http(0, text), "Thu, 01 Jan 1970 00:00:00 GMT");
    assert_string_equal(clock_format_http(-1, text), "Wed, 31 Dec 1969 23:59:59 GMT");
    assert_string_equal(clock_format_http(S(1709251199), text), "Thu, 29 Feb 2024 23:59:59 GMT");
    for (size_t i = 0; i < ARRAY_SIZE(days); i++) {
        assert_int_equal(clock_parse_http(clock_format_http(S(days[i]), text), &ns), 0);
        assert_int_equal(ns, S(days[i]));
    }
}

static void malformed_http_dates_are_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "120",
                                      "Sun, 06 Nov 1994 08:49:37",
                                      "Sun, 06 Nov 1994 08:49:37 UTC",
                                      "Sun, 06 Nov 1994 08:49:37 GMT ",
                                      "Sun, 06 Nov 1994 08:49:37 +0000",
                                      "Sun, 6 Nov 1994 08:49:37 GMT",
                                      "Sun, 06 nov 1994 08:49:37 GMT",
                                      "Sun, 06 ovD 1994 08:49:37 GMT",
                                      "Sun, 06 Xyz 1994 08:49:37 GMT",
                                      "Xyz, 06 Nov 1994 08:49:37 GMT",
                                      "Sun, 00 Nov 1994 08:49:37 GMT",
                                      "Sun, 31 Nov 1994 08:49:37 GMT",
                                      "Sun, 29 Feb 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 1994 24:49:37 GMT",
                                      "Sun, 06 Nov 94 08:49:37 GMT",
                                      "Sunday, 06-Nov-94 08:49:37 GMT",
                                      "Sun, 06 N"};
    int64_t ns = 4711;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        if (clock_parse_http(bad[i], &ns) != -EINVAL)
            fail_msg("'%s' was accepted", bad[i]);
    assert_int_equal(clock_parse_http(NULL, &ns), -EINVAL);
    assert_int_equal(ns, 4711);
}

static void sleeping_takes_at_least_as_long_as_asked(void **state)
{
    uint64_t before = clock_mono_ms();

    (void)state;
    clock_sleep_ms(0);
    clock_sleep_ms(30);
    assert_in_range(clock_mono_ms() - before, 29, 20000); /* both ends are cut to ms */
}

static void the_wall_clock_is_the_systems(void **state)
{
    time_t before = time(NULL);
    int64_t now = clock_wall_ns();

    (void)state;
    assert_in_range(now / 1000000000, before - 2, before + 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_are_written_in_utc),
        cmocka_unit_test(what_was_written_is_read_back),
        cmocka_unit_test(the_ends_of_time_are_dates),
        cmocka_unit_test(the_calendar_agrees_with_the_c_librarys),
        cmocka_unit_test(fractions_may_have_any_length),
        cmocka_unit_test(what_is_no_date_is_refused),
        cmocka_unit_test(http_dates_are_read),
        cmocka_unit_test(http_dates_are_written),
        cmocka_unit_test(malformed_http_dates_are_refused),
        cmocka_unit_test(sleeping_takes_at_least_as_long_as_asked),
        cmocka_unit_test(the_wall_clock_is_the_systems),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
