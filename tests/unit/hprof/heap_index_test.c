/* SPDX-License-Identifier: Apache-2.0
 *
 * Ids to numbers and back: near and far addresses, gaps, ids that are not there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>

#include "hprof/heap_index.h"

enum { IDS = 200000 };

static int ascending(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* base + multiples of 8 below span, in any order, some twice. */
static void check(uint64_t base, uint64_t span)
{
    uint64_t *id = malloc(IDS * sizeof(*id));
    struct heap_index *x;
    uint32_t count = 0;
    int next;

    assert_non_null(id);
    assert_int_equal(heap_index_new(3, 4096, &x), 0);
    for (int i = 0; i < IDS; i++) {
        uint64_t random = (uint64_t)rand() << 31 | (uint64_t)rand();

        id[i] = base + random % (span / 8) * 8;
        assert_in_range(heap_index_add(x, id[i]), 0, 1);
    }
    assert_int_equal(heap_index_add(x, base + 4), -EINVAL);
    assert_int_equal(heap_index_seal(x), 0);
    qsort(id, IDS, sizeof(*id), ascending);
    for (int i = 0; i < IDS; i++) {
        if (i > 0 && id[i] == id[i - 1])
            continue;
        assert_int_equal(heap_index_find(x, id[i]), count);
        assert_true(heap_index_id(x, count) == id[i]);
        for (next = i; next < IDS && id[next] == id[i]; next++)
            ;
        if (next == IDS || id[next] != id[i] + 8)
            assert_int_equal(heap_index_find(x, id[i] + 8), HEAP_NONE);
        count++;
    }
    assert_int_equal(heap_index_count(x), count);
    assert_int_equal(heap_index_find(x, 0), HEAP_NONE);
    assert_int_equal(heap_index_find(x, base - 8), HEAP_NONE);
    assert_int_equal(heap_index_find(x, UINT64_MAX), HEAP_NONE);
    heap_index_free(x);
    free(id);
}

static void addresses_of_one_heap(void **state)
{
    (void)state;
    check(UINT64_C(0x7f0000000000), 64 << 20);
    check(8, 4 << 20);
}

/* So far apart that there is no table of all pages. */
static void addresses_that_lie_far_apart(void **state)
{
    struct heap_index *x;

    (void)state;
    assert_int_equal(heap_index_new(3, 4096, &x), 0);
    for (uint64_t i = 1; i < 1000; i++)
        assert_int_equal(heap_index_add(x, i << 44), 0);
    assert_int_equal(heap_index_seal(x), 0);
    for (uint64_t i = 1; i < 1000; i++)
        assert_int_equal(heap_index_find(x, i << 44), i - 1);
    assert_int_equal(heap_index_find(x, (UINT64_C(5) << 44) + 8), HEAP_NONE);
    heap_index_free(x);
}

static void ids_that_lie_too_far_apart_are_refused(void **state)
{
    struct heap_index *x;

    (void)state;
    assert_int_equal(heap_index_new(3, 10, &x), 0);
    for (uint64_t i = 0; i < 10; i++)
        assert_int_equal(heap_index_add(x, i << 44), 0);
    assert_int_equal(heap_index_add(x, UINT64_C(11) << 44), -EOVERFLOW);
    assert_int_equal(heap_index_add(x, 8), 0);
    heap_index_free(x);
}

static void an_empty_index_knows_nothing(void **state)
{
    struct heap_index *x;

    (void)state;
    assert_int_equal(heap_index_new(0, 1, &x), 0);
    assert_int_equal(heap_index_seal(x), 0);
    assert_int_equal(heap_index_count(x), 0);
    assert_int_equal(heap_index_find(x, 8), HEAP_NONE);
    heap_index_free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_of_one_heap),
        cmocka_unit_test(addresses_that_lie_far_apart),
        cmocka_unit_test(ids_that_lie_too_far_apart_are_refused),
        cmocka_unit_test(an_empty_index_knows_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
