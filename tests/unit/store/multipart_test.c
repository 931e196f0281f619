/* SPDX-License-Identifier: Apache-2.0
 *
 * Part sizes: within the store's limits, within our memory, and enough for the object.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <string.h>

#include "store/multipart.h"

#define KIB 1024ull
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

enum { S3_PARTS = 10000 };
#define S3_MIN (5 * MIB)
#define S3_MAX (5 * GIB)

static struct multipart_plan plan(uint64_t object, uint64_t memory, uint64_t slack, unsigned wanted)
{
    struct multipart_plan p = {0};
    struct err e = {0};

    assert_int_equal(
        multipart_plan(&(struct multipart_need){object, memory, slack, S3_MIN, S3_MAX, S3_PARTS, wanted}, &p, &e), 0);
    return p;
}

/* What every plan promises. */
static void check(uint64_t object, uint64_t memory, uint64_t slack, unsigned wanted)
{
    struct multipart_plan p = plan(object, memory, slack, wanted);

    assert_true(p.part_size >= S3_MIN);
    assert_true(p.part_size + slack <= S3_MAX);
    assert_true((object + p.part_size - 1) / p.part_size <= S3_PARTS);
    assert_true((p.in_flight + 1) * (p.part_size + slack) <= memory);
    assert_true(p.in_flight >= 1 && p.in_flight <= wanted);
}

static void plans_keep_to_store_memory_and_object(void **state)
{
    (void)state;
    for (uint64_t object = 0; object < 400 * GIB; object = object * 3 + 12345)
        for (uint64_t memory = 256 * MIB; memory <= GIB; memory += 111 * MIB)
            for (unsigned wanted = 1; wanted <= 16; wanted *= 2)
                check(object, memory, 600 * KIB, wanted);
}

static void parts_are_of_good_size_where_nothing_speaks_against_it(void **state)
{
    (void)state;
    struct multipart_plan p = plan(GIB, 100 * MIB, MIB, 4);

    assert_int_equal(p.part_size, MULTIPART_GOOD_SIZE);
    assert_int_equal(p.in_flight, 4);
}

static void little_memory_means_smaller_parts_then_fewer(void **state)
{
    (void)state;
    struct multipart_plan p = plan(GIB, 35 * MIB, MIB, 4); /* five buffers of 7 MiB */

    assert_int_equal(p.part_size, 6 * MIB);
    assert_int_equal(p.in_flight, 4);

    p = plan(GIB, 20 * MIB, MIB, 4);
    assert_true(p.part_size >= S3_MIN);
    assert_int_equal(p.in_flight, 2);

    p = plan(GIB, 12 * MIB, MIB, 4);
    assert_int_equal(p.part_size, S3_MIN);
    assert_int_equal(p.in_flight, 1);
}

static void too_little_memory_is_told_with_what_is_needed(void **state)
{
    (void)state;
    struct multipart_plan p = {.part_size = 7};
    struct err e = {0};

    assert_int_equal(
        multipart_plan(&(struct multipart_need){GIB, 12 * MIB - 1, MIB, S3_MIN, S3_MAX, S3_PARTS, 4}, &p, &e),
        -FAULT_USAGE);
    assert_non_null(strstr(e.msg, "12.0 MiB"));
    assert_non_null(strstr(e.msg, "--memory"));
    assert_int_equal(p.part_size, 7);
}

static void large_objects_get_larger_parts(void **state)
{
    (void)state;
    struct multipart_plan p = plan(200 * GIB, GIB, MIB, 4);

    assert_true(p.part_size * S3_PARTS >= 200 * GIB);
    assert_true(p.part_size > MULTIPART_GOOD_SIZE);
    assert_true(p.part_size < 2 * 200 * GIB / S3_PARTS); /* and no larger than it takes */
}

static void exactly_what_fits_fits(void **state)
{
    (void)state;
    struct multipart_plan p;
    struct err e;

    assert_int_equal(multipart_plan(&(struct multipart_need){100, 200, 0, 1, 10, 10, 4}, &p, &e), 0);
    assert_int_equal(p.part_size, 10);
    assert_int_equal(multipart_plan(&(struct multipart_need){101, 200, 0, 1, 10, 10, 4}, &p, &e), -FAULT_USAGE);
    assert_non_null(strstr(e.msg, "too large"));
}

static void slack_counts_against_the_largest_part(void **state)
{
    (void)state;
    struct multipart_plan p;
    struct err e;

    assert_int_equal(multipart_plan(&(struct multipart_need){100, 1000, 1, 1, 10, 10, 4}, &p, &e), -FAULT_USAGE);
    assert_int_equal(multipart_plan(&(struct multipart_need){90, 1000, 1, 1, 10, 10, 4}, &p, &e), 0);
    assert_int_equal(multipart_plan(&(struct multipart_need){1, 1000, 10, 1, 10, 10, 4}, &p, &e), -FAULT_USAGE);
}

static void extremes_do_not_overflow(void **state)
{
    (void)state;
    struct multipart_plan p;
    struct err e;

    assert_int_equal(
        multipart_plan(&(struct multipart_need){UINT64_MAX, UINT64_MAX, MIB, S3_MIN, S3_MAX, S3_PARTS, 4}, &p, &e),
        -FAULT_USAGE);
    assert_int_equal(multipart_plan(&(struct multipart_need){UINT64_MAX, MIB, MIB, 0, UINT64_MAX, 1, 4}, &p, &e),
                     -FAULT_USAGE);
    assert_int_equal(multipart_plan(&(struct multipart_need){0, UINT64_MAX, 0, 0, UINT64_MAX, UINT32_MAX, 0}, &p, &e),
                     0);
    assert_true(p.part_size > 0);
    assert_int_equal(p.in_flight, 1);
    assert_int_equal(multipart_plan(&(struct multipart_need){0, 2, 0, 0, UINT64_MAX, UINT32_MAX, UINT32_MAX}, &p, &e),
                     -FAULT_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_keep_to_store_memory_and_object),
        cmocka_unit_test(parts_are_of_good_size_where_nothing_speaks_against_it),
        cmocka_unit_test(little_memory_means_smaller_parts_then_fewer),
        cmocka_unit_test(too_little_memory_is_told_with_what_is_needed),
        cmocka_unit_test(large_objects_get_larger_parts),
        cmocka_unit_test(exactly_what_fits_fits),
        cmocka_unit_test(slack_counts_against_the_largest_part),
        cmocka_unit_test(extremes_do_not_overflow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
