/* SPDX-License-Identifier: Apache-2.0
 *
 * Speeds of values that grow in steps, jump, fall or stay; and when to sample again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guard/growth.h"

#define MIB INT64_C(1048576)

/* Readings of a steady growth, as the kernel's batches of charges cut it. */
static void grow(struct growth *g, uint64_t *at_ms, int64_t *bytes, double per_s, uint64_t for_ms, uint64_t step_ms)
{
    int64_t from = *bytes;

    for (uint64_t passed = step_ms; passed <= for_ms; passed += step_ms) {
        *at_ms += step_ms;
        *bytes = from + (int64_t)(per_s * (double)passed / 1000);
        growth_add(g, *at_ms, *bytes / (256 * 1024) * (256 * 1024));
    }
}

static void a_steady_growth_has_its_speed_at_any_interval(void **state)
{
    static const uint64_t steps[] = {5, 10, 50, 125, 300, 1000};

    (void)state;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct growth g = {0};
        uint64_t at = 777;
        int64_t bytes = 100 * MIB;

        grow(&g, &at, &bytes, 20.0 * MIB, 6000, steps[i]);
        assert_in_range((uint64_t)growth_speed(&g), 17 * MIB, 23 * MIB);
    }
}

static void a_slow_growth_is_not_lost_in_the_steps(void **state)
{
    struct growth g = {0};
    uint64_t at = 1;
    int64_t bytes = 0;

    (void)state;
    grow(&g, &at, &bytes, 2.0 * MIB, 5000, 5);
    assert_in_range((uint64_t)growth_speed(&g), MIB, 3 * MIB);
}

static void one_leap_is_no_trend(void **state)
{
    struct growth g = {0};
    uint64_t at = 1;
    int64_t bytes = 100 * MIB;

    (void)state;
    grow(&g, &at, &bytes, 0, 2000, 50);
    bytes += 60 * MIB;
    for (int i = 0; i < 40; i++) {
        grow(&g, &at, &bytes, 0, 50, 50);
        assert_true(growth_speed(&g) < 1.0 * MIB);
        if (i == 0)
            assert_true(growth_latest(&g) > 100.0 * MIB);
    }
}

static void a_growth_is_seen_within_a_second_of_its_beginning(void **state)
{
    struct growth g = {0};
    uint64_t at = 1;
    int64_t bytes = 0;

    (void)state;
    grow(&g, &at, &bytes, 0, 10000, 1000);
    grow(&g, &at, &bytes, 100.0 * MIB, 1000, 1000);
    assert_in_range((uint64_t)growth_latest(&g), 95 * MIB, 101 * MIB);
    grow(&g, &at, &bytes, 100.0 * MIB, 500, 25);
    assert_in_range((uint64_t)growth_speed(&g), 90 * MIB, 110 * MIB);
}

static void what_falls_has_no_time_to_the_limit(void **state)
{
    struct growth g = {0};
    uint64_t at = 1;
    int64_t bytes = 0;

    (void)state;
    grow(&g, &at, &bytes, 50.0 * MIB, 3000, 100);
    assert_true(growth_speed(&g) > 40.0 * MIB);
    bytes = 0; /* the process is gone */
    grow(&g, &at, &bytes, 0, 150, 150);
    assert_true(growth_speed(&g) < 0);
    assert_true(growth_time_to(1000, growth_speed(&g)) == UINT64_MAX);
    grow(&g, &at, &bytes, -1.0 * MIB, 3000, 100);
    assert_true(growth_speed(&g) < 0);
}

static void a_growth_goes_on_over_a_small_fall(void **state)
{
    struct growth g = {0};
    uint64_t at = 1;
    int64_t bytes = 0;

    (void)state;
    grow(&g, &at, &bytes, 50.0 * MIB, 2000, 25);
    bytes -= 10 * MIB;
    grow(&g, &at, &bytes, 50.0 * MIB, 250, 25);
    assert_in_range((uint64_t)growth_speed(&g), 42 * MIB, 55 * MIB);
}

static void readings_out_of_time_are_left_out(void **state)
{
    struct growth g = {0};

    (void)state;
    assert_true(growth_speed(&g) == 0 && growth_latest(&g) == 0);
    growth_add(&g, 1000, 5);
    assert_true(growth_speed(&g) == 0 && growth_latest(&g) == 0);
    growth_add(&g, 1000, 500);
    growth_add(&g, 900, 500);
    assert_true(growth_latest(&g) == 0);
    growth_add(&g, 1100, 105);
    assert_float_equal(growth_latest(&g), 1000, 1e-6);
}

static void time_to_a_limit(void **state)
{
    (void)state;
    assert_int_equal(growth_time_to(100 * MIB, 50.0 * MIB), 2000);
    assert_int_equal(growth_time_to(0, 1), 0);
    assert_true(growth_time_to(UINT64_MAX, 1) == UINT64_MAX);
    assert_true(growth_time_to(UINT64_MAX - 1, 1e-9) == UINT64_MAX);
}

static void the_nearer_the_more_often(void **state)
{
    (void)state;
    assert_int_equal(pace_ms(UINT64_MAX, UINT64_MAX, UINT64_MAX, 0), 1000);
    assert_int_equal(pace_ms(UINT64_MAX, UINT64_MAX, UINT64_MAX, 1e12), 1000);
    assert_int_equal(pace_ms(2048 * MIB, 1024 * MIB, UINT64_MAX, 0), 1000);
    assert_int_equal(pace_ms(512 * MIB, 64 * MIB, UINT64_MAX, 0), 250); /* quiet, yet it may leap */
    assert_int_equal(pace_ms(64 * MIB, 32 * MIB, UINT64_MAX, 0), 500);  /* in its own measure */
    assert_int_equal(pace_ms(1024 * MIB, 512 * MIB, 100 * MIB, 0),
                     1000); /* without growth a threshold does not matter */
    assert_int_equal(pace_ms(1024 * MIB, 512 * MIB, 100 * MIB, 100.0 * MIB), 250);
    assert_int_equal(pace_ms(1024 * MIB, 512 * MIB, 0, 100.0 * MIB), 1000); /* it is passed */
    assert_int_equal(pace_ms(1024 * MIB, 512 * MIB, MIB, 100.0 * MIB), PACE_MIN_MS);
    assert_int_equal(pace_ms(512 * MIB, MIB, UINT64_MAX, 0), PACE_MIN_MS);
    assert_int_equal(pace_ms(0, 0, 0, -1e9), PACE_MIN_MS);
}

/* How late a threshold is seen that is crossed at a steady speed, and at which cost. */
static void a_crossing_is_seen_within_five_milliseconds(void **state)
{
    static const int64_t speeds[] = {5, 20, 50, 100, 500};
    const int64_t limit = 512 * MIB, threshold = limit / 10 * 9;

    (void)state;
    for (size_t i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++) {
        struct growth g = {0};
        uint64_t at = 1, samples = 0;
        int64_t bytes = 0;

        growth_add(&g, at, bytes);
        at = 101; /* it is known to grow; a leap from rest may be seen a second late */
        bytes = speeds[i] * MIB / 10;
        growth_add(&g, at, bytes);
        while (bytes < threshold) {
            at += pace_ms((uint64_t)limit, (uint64_t)(limit - bytes), (uint64_t)(threshold - bytes), growth_latest(&g));
            bytes = speeds[i] * MIB * (int64_t)at / 1000;
            growth_add(&g, at, bytes);
            samples++;
        }
        assert_in_range(bytes - threshold, 0, speeds[i] * MIB * 6 / 1000);
        assert_in_range(samples, 4, 200);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_steady_growth_has_its_speed_at_any_interval),
        cmocka_unit_test(a_slow_growth_is_not_lost_in_the_steps),
        cmocka_unit_test(one_leap_is_no_trend),
        cmocka_unit_test(a_growth_is_seen_within_a_second_of_its_beginning),
        cmocka_unit_test(what_falls_has_no_time_to_the_limit),
        cmocka_unit_test(a_growth_goes_on_over_a_small_fall),
        cmocka_unit_test(readings_out_of_time_are_left_out),
        cmocka_unit_test(time_to_a_limit),
        cmocka_unit_test(the_nearer_the_more_often),
        cmocka_unit_test(a_crossing_is_seen_within_five_milliseconds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
