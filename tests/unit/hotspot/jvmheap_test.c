/* SPDX-License-Identifier: Apache-2.0
 *
 * The collectors' counters as JDK 8 to 25 have them: whose generations add up, and whose do not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/mem.h"
#include "hotspot/jvmheap.h"
#include "hsperf_make.h"

enum { MIB = 1024 * 1024 };

static struct jvmheap read_back(const struct hsperf_made *m)
{
    struct jvmheap heap;
    struct hsperf h;

    assert_int_equal(hsperf_init(&h, m->data, m->size), 0);
    jvmheap_read(&h, &heap);
    return heap;
}

static void add_long(struct hsperf_made *m, const char *end, int64_t n)
{
    char name[64];

    snprintf(name, sizeof(name), "sun.gc.generation.%s", end);
    hsperf_make_long(m, name, n);
}

static void generations_with_a_place_of_their_own_add_up(void **state)
{
    static const struct {
        const char *policy, *collector;
    } cases[] = {{"Copy:MSC", "Serial"}, {"ParScav:MSC", "Parallel"}, {"ParNew:CMS", "ConcMarkSweep"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct hsperf_made m = hsperf_make(i == 1);
        struct jvmheap heap;

        hsperf_make_string(&m, "sun.gc.policy.name", cases[i].policy, 32);
        add_long(&m, "0.maxCapacity", 32 * MIB);
        add_long(&m, "1.maxCapacity", 64 * MIB);
        add_long(&m, "0.space.0.used", 1);
        add_long(&m, "0.space.1.used", 20);
        add_long(&m, "0.space.2.used", 300);
        add_long(&m, "1.space.0.used", 4000);
        heap = read_back(&m);
        assert_string_equal(heap.collector, cases[i].collector);
        assert_int_equal(heap.max, 96 * MIB);
        assert_int_equal(heap.used, 4321);
    }
}

static void generations_that_may_each_become_the_whole_do_not(void **state)
{
    static const struct {
        const char *counter, *says, *collector;
        int64_t young, old; /* maxCapacity; 0: none */
    } cases[] = {
        {"sun.gc.policy.name", "GarbageFirst", "G1", 96 * MIB + 24, 96 * MIB + 8}, /* JDK 17 */
        {"sun.gc.policy.name", "GarbageFirst", "G1", 96 * MIB, 96 * MIB},
        {"sun.gc.collector.0.name", "Shenandoah partial", "Shenandoah", 0, 96 * MIB},
        {"sun.gc.collector.2.name", "Z concurrent cycle pauses", "Z", 0, 96 * MIB},
        {"sun.gc.collector.0.name", "ZGC minor collection pauses", "Z", 96 * MIB, 96 * MIB}, /* generational */
        {"sun.gc.generation.1.name", "Heap", "Epsilon", 0, 96 * MIB},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct hsperf_made m = hsperf_make(false);
        struct jvmheap heap;

        hsperf_make_string(&m, cases[i].counter, cases[i].says, 64);
        if (cases[i].young > 0)
            add_long(&m, "0.maxCapacity", cases[i].young);
        add_long(&m, "1.maxCapacity", cases[i].old);
        add_long(&m, "0.space.0.used", 2 * MIB);
        add_long(&m, "1.space.0.used", 3 * MIB);
        heap = read_back(&m);
        assert_string_equal(heap.collector, cases[i].collector);
        assert_int_equal(heap.max, 96 * MIB);
        assert_int_equal(heap.used, 5 * MIB);
    }
}

static void what_is_not_there_or_makes_no_sense_is_unknown(void **state)
{
    static const int64_t bad[] = {-1, INT64_MIN, INT64_MAX};
    struct hsperf_made none = hsperf_make(false), zero = hsperf_make(false);
    struct jvmheap heap = read_back(&none);

    (void)state;
    assert_null(heap.collector);
    assert_int_equal(heap.used, -1);
    assert_int_equal(heap.max, -1);
    add_long(&zero, "0.space.0.used", 0); /* JDK 25 before the first collection */
    heap = read_back(&zero);
    assert_int_equal(heap.used, -1);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct hsperf_made m = hsperf_make(false);

        hsperf_make_string(&m, "sun.gc.policy.name", "Copy:MSC", 32);
        add_long(&m, "0.maxCapacity", 4096);
        add_long(&m, "1.maxCapacity", bad[i]);
        add_long(&m, "0.space.0.used", 1);
        add_long(&m, "1.space.0.used", bad[i]);
        heap = read_back(&m);
        assert_int_equal(heap.used, -1);
        assert_int_equal(heap.max, -1);
    }
}

static void add_collector(struct hsperf_made *m, unsigned i, int64_t began, int64_t ended)
{
    char name[64];

    snprintf(name, sizeof(name), "sun.gc.collector.%u.lastEntryTime", i);
    hsperf_make_long(m, name, began);
    snprintf(name, sizeof(name), "sun.gc.collector.%u.lastExitTime", i);
    hsperf_make_long(m, name, ended);
}

static void a_collection_that_began_and_did_not_end_is_under_way(void **state)
{
    struct hsperf_made never = hsperf_make(false), young = hsperf_make(false), over = hsperf_make(false);

    (void)state;
    add_collector(&never, 0, 0, 0);
    assert_false(read_back(&never).collecting);
    assert_int_equal(read_back(&never).collected[0], 0);
    add_collector(&young, 0, 900, 700);
    add_collector(&young, 1, 750, 800);
    assert_true(read_back(&young).collecting);
    assert_int_equal(read_back(&young).collected[0], 700);
    assert_int_equal(read_back(&young).collected[1], 800);
    add_collector(&over, 0, 600, 700);
    add_collector(&over, 1, 750, 800);
    assert_false(read_back(&over).collecting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generations_with_a_place_of_their_own_add_up),
        cmocka_unit_test(generations_that_may_each_become_the_whole_do_not),
        cmocka_unit_test(a_collection_that_began_and_did_not_end_is_under_way),
        cmocka_unit_test(what_is_not_there_or_makes_no_sense_is_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
