/* SPDX-License-Identifier: Apache-2.0
 *
 * What is told is learned, within bounds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hotspot/dumpspeed.h"

enum { MIB = 1 << 20 };

static uint64_t learned(uint64_t bytes, uint64_t ms)
{
    struct dumpspeed s;

    assert_int_equal(dumpspeed_init(&s, 0), 0);
    dumpspeed_report(s.fd, bytes, ms);
    dumpspeed_update(&s);
    dumpspeed_done(&s);
    return s.rate;
}

static void the_last_dump_tells(void **state)
{
    (void)state;
    assert_int_equal(learned(UINT64_C(120) * MIB, 2000), 60 * MIB);
    assert_int_equal(learned(0, 0), DUMPSPEED_GUESS);
}

static void what_is_small_says_nothing(void **state)
{
    (void)state;
    assert_int_equal(learned(UINT64_C(15) * MIB, 2000), DUMPSPEED_GUESS);
    assert_int_equal(learned(UINT64_C(100) * MIB, 10), DUMPSPEED_GUESS);
}

static void it_is_bounded(void **state)
{
    (void)state;
    assert_int_equal(learned(UINT64_C(1) << 40, 20), DUMPSPEED_MAX);
    assert_int_equal(learned(UINT64_C(16) * MIB, 3600 * 1000), DUMPSPEED_MIN);
}

static void it_stays_until_another_one_is_made(void **state)
{
    struct dumpspeed s;

    (void)state;
    assert_int_equal(dumpspeed_init(&s, 0), 0);
    dumpspeed_report(s.fd, UINT64_C(120) * MIB, 2000);
    dumpspeed_update(&s);
    dumpspeed_update(&s);
    assert_int_equal(s.rate, 60 * MIB);
    dumpspeed_done(&s);
}

static void a_persons_word_stays(void **state)
{
    struct dumpspeed s;

    (void)state;
    assert_int_equal(dumpspeed_init(&s, 7 * MIB), 0);
    dumpspeed_report(s.fd, UINT64_C(120) * MIB, 2000);
    dumpspeed_update(&s);
    assert_int_equal(s.rate, 7 * MIB);
    dumpspeed_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_dump_tells),  cmocka_unit_test(what_is_small_says_nothing),
        cmocka_unit_test(it_is_bounded),        cmocka_unit_test(it_stays_until_another_one_is_made),
        cmocka_unit_test(a_persons_word_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
