/* SPDX-License-Identifier: Apache-2.0
 *
 * When the limit is reached: with and without a heap that fills up by itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "guard/reading.h"

enum { MIB = 1 << 20 };

static void the_limit_is_reached_at_the_present_speed(void **state)
{
    static const struct {
        int64_t room, growth, ms;
    } rows[] = {
        {100 * MIB, 100 * MIB, 1000},
        {100 * MIB, 50 * MIB, 2000},
        {1, INT64_MAX, 0},
        {0, 1, 0},
        {-5, 1, 0},
        {INT64_MAX, 1, INT64_MAX},
        {INT64_MAX, INT64_MAX, 1000},
        {100 * MIB, 0, INT64_MAX},
        {100 * MIB, -1, INT64_MAX},
        {0, 0, INT64_MAX}, /* at the limit, and stays there */
        {0, INT64_MIN, INT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct reading r = {.room = reading_known(rows[i].room), .growth = reading_known(rows[i].growth)};
        struct reading_value v = reading_oom_in(&r);

        assert_true(v.known);
        assert_true(v.value == rows[i].ms);
    }
}

static void a_heap_that_fills_up_stops_at_its_maximum(void **state)
{
    static const struct {
        int64_t room, growth, heap_left, native, ms;
    } rows[] = {
        /* Heap alone grows, and fits. */
        {200 * MIB, 100 * MIB, 150 * MIB, 0, INT64_MAX},
        {200 * MIB, 100 * MIB, 150 * MIB, -MIB, INT64_MAX},
        /* It doesn't fit: a heap larger than the container. */
        {200 * MIB, 100 * MIB, 400 * MIB, 0, 2000},
        {200 * MIB, 100 * MIB, 200 * MIB, 0, 2000},
        /* A native leak, and a heap that does not grow. */
        {200 * MIB, 100 * MIB, 150 * MIB, 100 * MIB, 2000},
        {200 * MIB, 100 * MIB, 0, 100 * MIB, 2000},
        /* Both: the heap is full after 1 s; then the rest, 100 MiB, goes at 10 MiB/s. */
        {200 * MIB, 100 * MIB, 100 * MIB, 10 * MIB, 10000},
        /* A heap that shrinks for now. */
        {200 * MIB, 100 * MIB, 50 * MIB, 150 * MIB, 2000},
        {200 * MIB, -MIB, 50 * MIB, 150 * MIB, INT64_MAX},
        /* Nonsense is no trap. */
        {200 * MIB, 100 * MIB, -5, 100 * MIB, 2000},
        {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MIN, INT64_MAX},
        {INT64_MAX, INT64_MAX, 0, INT64_MIN, INT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct reading r = {.room = reading_known(rows[i].room),
                            .growth = reading_known(rows[i].growth),
                            .heap_left = reading_known(rows[i].heap_left),
                            .growth_native = reading_known(rows[i].native)};
        struct reading_value v = reading_oom_in(&r);

        assert_true(v.known);
        assert_true(v.value == rows[i].ms);
    }
}

static void half_of_what_is_known_of_a_heap_is_not_used(void **state)
{
    struct reading r = {.room = reading_known(200 * MIB), .growth = reading_known(100 * MIB)};

    (void)state;
    r.heap_left = reading_known(150 * MIB);
    assert_int_equal(reading_oom_in(&r).value, 2000);
    r.heap_left = reading_unknown("no JVM");
    r.growth_native = reading_known(0);
    assert_int_equal(reading_oom_in(&r).value, 2000);
}

static void what_is_not_known_says_why(void **state)
{
    struct reading r = {0};
    struct reading_value v = reading_oom_in(&r);

    (void)state;
    assert_false(v.known);
    assert_string_equal(reading_why(&v), "not read yet");
    r.room = reading_unknown("no limit");
    r.growth = reading_known(5);
    v = reading_oom_in(&r);
    assert_false(v.known);
    assert_string_equal(reading_why(&v), "no limit");
    r.room = reading_known(5);
    r.growth = reading_unknown("first reading");
    v = reading_oom_in(&r);
    assert_string_equal(reading_why(&v), "first reading");
    r.limit = reading_unknown("no limit");
    v = reading_memory_share(&r);
    assert_string_equal(reading_why(&v), "no limit");
    r.limit = reading_known(5);
    assert_false(reading_memory_share(&r).known);
    r.used = reading_known(1);
    assert_int_equal(reading_memory_share(&r).value, 2000);
    r.limit = reading_known(0);
    assert_false(reading_memory_share(&r).known);
    r.limit = reading_known(1);
    r.used = reading_known(INT64_MAX);
    assert_true(reading_memory_share(&r).value == INT64_MAX);
}

static void a_dump_takes_longer_than_its_bytes(void **state)
{
    (void)state;
    assert_false(reading_dump_ms(100, 0).known);
    assert_int_equal(reading_dump_ms(0, 1).value, 500);
    assert_int_equal(reading_dump_ms(400 * MIB, 400 * MIB).value, 2000);
    assert_true(reading_dump_ms(UINT64_MAX, 1).value == INT64_MAX - 1);
    assert_true(reading_dump_ms(UINT64_MAX, UINT64_MAX).value == 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_limit_is_reached_at_the_present_speed),
        cmocka_unit_test(a_heap_that_fills_up_stops_at_its_maximum),
        cmocka_unit_test(half_of_what_is_known_of_a_heap_is_not_used),
        cmocka_unit_test(what_is_not_known_says_why),
        cmocka_unit_test(a_dump_takes_longer_than_its_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
