/* SPDX-License-Identifier: Apache-2.0
 *
 * Range headers: which bytes they name, and which are as if they were not there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "serve/range.h"

static void assert_range(const char *header, uint64_t size, uint64_t first, uint64_t bytes)
{
    struct ranges r = {0};

    if (range_parse(header, size, &r) != RANGE_SOME || r.count != 1)
        fail_msg("%s of %lu is not one range", header, (unsigned long)size);
    assert_int_equal(r.range[0].first, first);
    assert_int_equal(r.range[0].size, bytes);
}

static void single_ranges(void **state)
{
    (void)state;
    assert_range("bytes=0-0", 10, 0, 1);
    assert_range("bytes=0-9", 10, 0, 10);
    assert_range("bytes=3-", 10, 3, 7);
    assert_range("bytes=9-100", 10, 9, 1);
    assert_range("bytes=-3", 10, 7, 3);
    assert_range("bytes=-100", 10, 0, 10);
    assert_range("Bytes=1-2", 10, 1, 2);
    assert_range("bytes= 1-2 ", 10, 1, 2);
    assert_range("bytes=,1-2,,", 10, 1, 2);
    assert_range("bytes=20-30,1-2", 10, 1, 2); /* what does not exist is left out */
    assert_range("bytes=0-99999999999999999999999999", 10, 0, 10);
    assert_range("bytes=18446744073709551614-", UINT64_MAX, UINT64_MAX - 1, 1);
}

static void several_ranges_keep_their_order(void **state)
{
    struct ranges r;

    (void)state;
    assert_int_equal(range_parse("bytes=5-6, 0-1,-1", 10, &r), RANGE_SOME);
    assert_int_equal(r.count, 3);
    assert_int_equal(r.range[0].first, 5);
    assert_int_equal(r.range[1].first, 0);
    assert_int_equal(r.range[2].first, 9);
}

static void what_is_malformed_counts_as_absent(void **state)
{
    static const char *const HEADERS[] = {"",           "bytes",      "bytes=",        "bytes=,",
                                          "bytes=-",    "bytes=a-b",  "bytes=2-1",     "bytes=1",
                                          "bytes=1-2x", "bytes=1--2", "bytes=+1-",     "lines=1-2",
                                          "bytes 1-2",  "bytes=1- 2", "bytes=1-2 3-4", "bytes=0-1,5-4"};
    struct ranges r;

    (void)state;
    assert_int_equal(range_parse(NULL, 10, &r), RANGE_WHOLE);
    for (size_t i = 0; i < ARRAY_SIZE(HEADERS); i++)
        if (range_parse(HEADERS[i], 10, &r) != RANGE_WHOLE)
            fail_msg("'%s' counts", HEADERS[i]);
}

static void what_does_not_exist_is_unsatisfiable(void **state)
{
    struct ranges r;

    (void)state;
    assert_int_equal(range_parse("bytes=10-", 10, &r), RANGE_UNSATISFIABLE);
    assert_int_equal(range_parse("bytes=-0", 10, &r), RANGE_UNSATISFIABLE);
    assert_int_equal(range_parse("bytes=10-,-0,99-100", 10, &r), RANGE_UNSATISFIABLE);
    assert_int_equal(range_parse("bytes=0-0", 0, &r), RANGE_UNSATISFIABLE);
    assert_int_equal(range_parse("bytes=99999999999999999999999999-", 10, &r), RANGE_UNSATISFIABLE);
    assert_int_equal(range_parse("bytes=-1", 0, &r), RANGE_WHOLE); /* all of nothing */
}

static void too_many_or_overlapping_are_the_whole(void **state)
{
    char many[16 * (RANGES_MAX + 2)] = "bytes=";
    struct ranges r;

    (void)state;
    for (int i = 0; i < RANGES_MAX; i++)
        snprintf(many + strlen(many), sizeof(many) - strlen(many), "%d-%d,", 2 * i, 2 * i);
    assert_int_equal(range_parse(many, 1000, &r), RANGE_SOME);
    assert_int_equal(r.count, RANGES_MAX);
    snprintf(many + strlen(many), sizeof(many) - strlen(many), "900-");
    assert_int_equal(range_parse(many, 1000, &r), RANGE_WHOLE);
    assert_int_equal(range_parse("bytes=0-,0-,0-", 1000, &r), RANGE_WHOLE);
    assert_int_equal(range_parse("bytes=0-,0-0", 1000, &r), RANGE_WHOLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_ranges),
        cmocka_unit_test(several_ranges_keep_their_order),
        cmocka_unit_test(what_is_malformed_counts_as_absent),
        cmocka_unit_test(what_does_not_exist_is_unsatisfiable),
        cmocka_unit_test(too_many_or_overlapping_are_the_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
