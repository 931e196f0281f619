/* SPDX-License-Identifier: Apache-2.0
 *
 * Noise is none, a leak is one at every speed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guard/noisy_growth.h"

enum { MIB = 1 << 20, ERROR = 32 * MIB, STEP = 50 };

/* From at_ms on, for so long; returns the speed at the end. */
static double run(struct noisy_growth *s, uint64_t *at_ms, uint64_t for_ms, int64_t *bytes, int64_t speed)
{
    double found = 0;

    for (uint64_t end = *at_ms + for_ms; *at_ms < end; *at_ms += STEP) {
        *bytes += speed / 1000 * STEP;
        noisy_growth_add(s, *at_ms, *bytes);
        found = noisy_growth_speed(s, *at_ms, *bytes, (double)speed, ERROR);
    }
    return found;
}

static void what_stays_does_not_grow(void **state)
{
    struct noisy_growth s = {0};
    uint64_t at = 1000;
    int64_t bytes = 100 * MIB;

    (void)state;
    assert_true(run(&s, &at, 20000, &bytes, 0) == 0);
}

static void a_fast_leak_is_known_after_the_error(void **state)
{
    struct noisy_growth s = {0};
    uint64_t at = 1000;
    int64_t bytes = 100 * MIB;

    (void)state;
    run(&s, &at, 5000, &bytes, 0);
    assert_true(run(&s, &at, 250, &bytes, 100 * MIB) < 5 * MIB);
    assert_true(run(&s, &at, 250, &bytes, 100 * MIB) > 99 * MIB);
}

static void a_slow_leak_is_known_by_its_trend(void **state)
{
    struct noisy_growth s = {0};
    uint64_t at = 1000;
    int64_t bytes = 0;
    double speed;

    (void)state;
    speed = run(&s, &at, 20000, &bytes, 1 * MIB);
    assert_true(speed > 0.9 * MIB && speed < 1.1 * MIB);
}

static void noise_is_no_leak(void **state)
{
    struct noisy_growth s = {0};
    uint64_t at = 1000;
    int64_t bytes = 0;

    (void)state;
    for (int i = 0; i < 20; i++) {
        assert_true(run(&s, &at, 300, &bytes, 100 * MIB) < 4 * MIB);
        run(&s, &at, 300, &bytes, -100 * MIB);
    }
}

static void what_is_given_back_shrinks(void **state)
{
    struct noisy_growth s = {0};
    uint64_t at = 1000;
    int64_t bytes = 500 * MIB;

    (void)state;
    assert_true(run(&s, &at, 5000, &bytes, -10 * MIB) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stays_does_not_grow),          cmocka_unit_test(a_fast_leak_is_known_after_the_error),
        cmocka_unit_test(a_slow_leak_is_known_by_its_trend), cmocka_unit_test(noise_is_no_leak),
        cmocka_unit_test(what_is_given_back_shrinks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
