/* SPDX-License-Identifier: Apache-2.0
 *
 * Delays double up to their ceiling, differ, and obey the store's own word, within reason.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>

#include "base/backoff.h"

enum { HOUR_MS = 60 * 60 * 1000 };

static void delays_double_up_to_the_ceiling(void **state)
{
    struct backoff b = {.first_ms = 1000, .most_ms = 30000};
    uint64_t ceilings[] = {1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000};

    (void)state;
    for (unsigned i = 0; i < sizeof(ceilings) / sizeof(ceilings[0]); i++) {
        assert_in_range(backoff_next(&b, 0), ceilings[i] / 2, ceilings[i]);
        assert_int_equal(b.tries, i + 1);
    }
}

static void a_success_begins_anew(void **state)
{
    struct backoff b = {.first_ms = 1000, .most_ms = 30000, .tries = 9};

    (void)state;
    assert_in_range(backoff_next(&b, 0), 15000, 30000);
    b.tries = 0;
    assert_in_range(backoff_next(&b, 0), 500, 1000);
}

static void any_number_of_tries_is_fine(void **state)
{
    struct backoff b = {.first_ms = UINT32_MAX, .most_ms = UINT32_MAX};

    (void)state;
    for (unsigned tries = 0; tries < 200; tries++)
        assert_in_range(backoff_next(&b, 0), UINT32_MAX / 2, UINT32_MAX);
    b = (struct backoff){.first_ms = 1, .most_ms = 1000, .tries = UINT_MAX};
    assert_in_range(backoff_next(&b, 0), 500, 1000);
    assert_int_equal(b.tries, UINT_MAX);
}

static void no_delay_is_a_delay_too(void **state)
{
    struct backoff b = {0};

    (void)state;
    assert_int_equal(backoff_next(&b, 0), 0);
    b = (struct backoff){.first_ms = 1, .most_ms = 1};
    assert_in_range(backoff_next(&b, 0), 0, 1);
}

static void delays_differ(void **state)
{
    uint64_t least = UINT64_MAX, most = 0;

    (void)state;
    for (int i = 0; i < 200; i++) {
        struct backoff b = {.first_ms = 1000000, .most_ms = 1000000};
        uint64_t delay = backoff_next(&b, 0);

        least = delay < least ? delay : least;
        most = delay > most ? delay : most;
    }
    assert_true(most - least > 250000); /* of 500000: by chance once in 10^57 runs */
}

static void the_stores_word_is_a_least(void **state)
{
    struct backoff b = {.first_ms = 1000, .most_ms = 30000};

    (void)state;
    assert_int_equal(backoff_next(&b, 120000), 120000);
    b.tries = 5;
    assert_in_range(backoff_next(&b, 1000), 15000, 30000);
}

static void beyond_an_hour_the_stores_word_is_a_joke(void **state)
{
    struct backoff b = {.first_ms = 1000, .most_ms = 30000};

    (void)state;
    assert_int_equal(backoff_next(&b, HOUR_MS), HOUR_MS);
    assert_int_equal(backoff_next(&b, HOUR_MS + 1), HOUR_MS);
    assert_int_equal(backoff_next(&b, UINT64_MAX), HOUR_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delays_double_up_to_the_ceiling),
        cmocka_unit_test(a_success_begins_anew),
        cmocka_unit_test(any_number_of_tries_is_fine),
        cmocka_unit_test(no_delay_is_a_delay_too),
        cmocka_unit_test(delays_differ),
        cmocka_unit_test(the_stores_word_is_a_least),
        cmocka_unit_test(beyond_an_hour_the_stores_word_is_a_joke),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
