/* SPDX-License-Identifier: Apache-2.0
 *
 * Arrays grow to their ceiling and not an element further, and a failure changes nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"

static void elements_survive_growth_and_growth_is_by_doubling(void **state)
{
    CLEANUP_FREE uint64_t *item = NULL;
    size_t capacity = 0, reallocations = 0;

    (void)state;
    for (size_t i = 0; i < 10000; i++) {
        size_t before = capacity;

        assert_int_equal(array_reserve(&item, i + 1, &capacity, sizeof(*item), SIZE_MAX), 0);
        assert_true(capacity > i);
        reallocations += capacity != before;
        item[i] = i;
    }
    for (size_t i = 0; i < 10000; i++)
        assert_int_equal(item[i], i);
    assert_in_range(reallocations, 2, 14);
}

static void the_ceiling_is_reached_but_not_passed(void **state)
{
    CLEANUP_FREE char *item = NULL, *small = NULL;
    size_t capacity = 0, small_capacity = 0;

    (void)state;
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(array_reserve(&item, i + 1, &capacity, 1, 1000), 0);
    assert_int_equal(capacity, 1000);
    assert_int_equal(array_reserve(&item, 1001, &capacity, 1, 1000), -E2BIG);
    assert_int_equal(capacity, 1000);
    assert_int_equal(array_reserve(&small, 1, &small_capacity, 1, 3), 0);
    assert_true(small_capacity <= 3);
    assert_int_equal(array_reserve(&small, 4, &small_capacity, 1, 3), -E2BIG);
}

static void sizes_that_overflow_are_no_memory(void **state)
{
    CLEANUP_FREE uint64_t *item = NULL;
    uint64_t *before;
    size_t capacity = 0;

    (void)state;
    assert_int_equal(array_reserve(&item, 2, &capacity, sizeof(*item), SIZE_MAX), 0);
    before = item;
    item[1] = 7;
    assert_int_equal(array_reserve(&item, SIZE_MAX / 8 + 2, &capacity, sizeof(*item), SIZE_MAX), -ENOMEM);
    assert_ptr_equal(item, before);
    assert_int_equal(item[1], 7);
    assert_true(capacity < 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_survive_growth_and_growth_is_by_doubling),
        cmocka_unit_test(the_ceiling_is_reached_but_not_passed),
        cmocka_unit_test(sizes_that_overflow_are_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
