/* SPDX-License-Identifier: Apache-2.0
 *
 * A heap that fills, moves and shrinks is not taken for native growth; native growth is found at every speed.
 * The heap is one of 384 MiB in Serial's places, as seen from outside a container of 512 MiB.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "guard/native_growth.h"

enum { MIB = 1 << 20, NATIVE = 20, STEP_MS = 50, NO_LEAK = 3 * MIB };

static struct jvmheap make_heap(int64_t eden, int64_t old)
{
    return (struct jvmheap){
        .collector = "Serial",
        .used = (eden + old) * MIB,
        .max = 384 * MIB,
        .placed = true,
        .space = {{eden * MIB, 102 * MIB}, {0, 13 * MIB}, {0, 13 * MIB}, {old * MIB, 256 * MIB}},
    };
}

static void add(struct native_growth *b, uint64_t *at_ms, uint64_t after_ms, const struct jvmheap *heap, int64_t own)
{
    *at_ms += after_ms;
    native_growth_add(b, heap, own * MIB, *at_ms);
}

static void what_a_collector_moves_is_the_heaps(void **state)
{
    struct jvmheap heap = make_heap(100, 60);
    struct native_growth b = {0};
    uint64_t now = 1000000;

    (void)state;
    add(&b, &now, STEP_MS, &heap, 160 + NATIVE);
    assert_false(b.moving);
    assert_int_equal(b.left, (384 - 160) * MIB);
    heap.collecting = true;
    for (int moved = 10; moved <= 90; moved += 10) {
        add(&b, &now, STEP_MS * 4, &heap, 160 + moved + NATIVE); /* 1.8 s */
        assert_true(b.moving);
        assert_int_equal(b.speed, 0);
        assert_int_equal(native_growth_heap_left(&b, (160 + moved + NATIVE) * MIB), (384 - 160 - moved) * MIB);
    }
    heap = make_heap(5, 150);
    heap.collected[0] = 1;
    add(&b, &now, STEP_MS, &heap, 160 + 90 + NATIVE);
    assert_true(b.moving);
    add(&b, &now, STEP_MS, &heap, 160 + 90 + NATIVE);
    assert_false(b.moving);
    assert_int_equal(b.left, (384 - 250) * MIB);
    assert_in_range(b.speed, 0, NO_LEAK);
}

static void what_was_full_between_two_looks_is_in_memory(void **state)
{
    struct jvmheap heap = make_heap(10, 100);
    struct native_growth b = {0};
    uint64_t now = 1000000;

    (void)state;
    add(&b, &now, STEP_MS, &heap, 110 + NATIVE);
    heap = make_heap(5, 40);
    heap.had_filled = true;
    heap.collected[0] = heap.collected[1] = 7;
    add(&b, &now, 900, &heap, 102 + 256 + NATIVE);
    assert_true(b.moving);
    add(&b, &now, STEP_MS, &heap, 102 + 256 + NATIVE);
    assert_false(b.moving);
    assert_int_equal(b.left, (384 - 358) * MIB);
    assert_in_range(b.speed, 0, NO_LEAK);
}

static void more_than_there_is_cannot_be_the_heaps(void **state)
{
    struct jvmheap heap = make_heap(100, 250);
    struct native_growth b = {0};
    uint64_t now = 1000000;

    (void)state;
    add(&b, &now, STEP_MS, &heap, 350 + NATIVE);
    heap = make_heap(10, 40);
    add(&b, &now, STEP_MS, &heap, 200); /* given back, and committed anew */
    assert_int_equal(b.touched, 200 * MIB);
    for (int used = 50; used <= 350; used += 10) {
        heap = make_heap(used > 100 ? 100 : used, used > 100 ? used - 100 : 0);
        add(&b, &now, STEP_MS * 2, &heap, used + NATIVE > 200 ? used + NATIVE : 200);
        assert_in_range(b.speed + 20 * MIB, 0, 23 * MIB);
    }
}

static void collections_without_an_end_do_not_hide_a_leak(void **state)
{
    static const int speeds[] = {5, 20, 50, 100};

    (void)state;
    for (size_t i = 0; i < sizeof(speeds) / sizeof(*speeds); i++) {
        struct jvmheap heap = make_heap(100, 200);
        struct native_growth b = {0};
        uint64_t now = 1000000;

        for (int step = 0; step < 200 && speeds[i] * step * STEP_MS / 1000 < 400; step++) {
            heap.collected[0]++;
            add(&b, &now, STEP_MS, &heap, 300 + NATIVE + speeds[i] * step * STEP_MS / 1000);
        }
        assert_in_range(b.speed, speeds[i] * MIB / 3, speeds[i] * MIB * 2);
    }
}

/* No poll comes between two of them. */
static void pauses_without_an_end_do_not_hide_a_leak(void **state)
{
    static const struct {
        uint64_t pause_ms, gap_ms;
        int speed;
    } cases[] = {{100, 15, 5}, {100, 10, 20}, {40, 10, 5}, {3000, 10, 50}, {1 << 30, 0, 5}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct jvmheap heap = make_heap(100, 200);
        struct native_growth b = {0};
        uint64_t now = 1000000, begun = now, since = cases[i].pause_ms + cases[i].gap_ms;

        while (now < begun + 40000) {
            uint64_t ms = now - begun, within = ms % since;

            heap.collecting = within < cases[i].pause_ms;
            heap.collected[0] = (int64_t)(ms / since) + !heap.collecting;
            add(&b, &now, 20, &heap, 300 + NATIVE + (int64_t)ms * cases[i].speed / 1000);
        }
        assert_in_range(b.speed, cases[i].speed * MIB / 2, cases[i].speed * MIB * 2);
    }
}

static void why_it_came_may_be_said_later(void **state)
{
    struct jvmheap heap = make_heap(10, 20);
    struct native_growth b = {0};
    uint64_t now = 1000000;

    (void)state;
    add(&b, &now, STEP_MS, &heap, 30 + NATIVE);
    heap.collected[0] = 7;
    add(&b, &now, STEP_MS, &heap, 122 + NATIVE);
    heap.had_filled = true;
    add(&b, &now, STEP_MS, &heap, 122 + NATIVE);
    assert_false(b.moving);
    assert_int_equal(b.touched, 122 * MIB);
}

static void a_pause_is_not_waited_for_without_end(void **state)
{
    struct jvmheap heap = make_heap(100, 200);
    struct native_growth b = {0};
    uint64_t now = 1000000;

    (void)state;
    add(&b, &now, STEP_MS, &heap, 300 + NATIVE);
    heap.collecting = true;
    for (int second = 0; second < 10; second++) {
        add(&b, &now, 1000, &heap, 400);
        assert_true(b.moving);
    }
    add(&b, &now, 1000, &heap, 450);
    assert_false(b.moving);
    assert_int_equal(b.own, 450 * MIB);
}

static void what_was_not_watched_begins_anew(void **state)
{
    struct jvmheap heap = make_heap(100, 200);
    struct native_growth b = {0};
    uint64_t now = 1000000;

    (void)state;
    add(&b, &now, STEP_MS, &heap, 300 + NATIVE);
    native_growth_forget(&b);
    heap = make_heap(10, 50);
    add(&b, &now, 60000, &heap, 300 + 3 * NATIVE);
    assert_int_equal(b.speed, 0);
    assert_int_equal(b.touched, 300 * MIB); /* still committed */
}

static struct jvmheap make_regions(int64_t used)
{
    return (struct jvmheap){.collector = "G1",
                            .used = used * MIB,
                            .max = 384 * MIB,
                            .space = {{0, 0}, {0, 0}, {0, 0}, {used * MIB, 384 * MIB}}};
}

static void what_was_in_use_before_the_first_look_counts(void **state)
{
    struct jvmheap heap = make_regions(60);
    struct native_growth b = {0};
    uint64_t now = 1000000;

    (void)state;
    add(&b, &now, STEP_MS, &heap, 366);
    assert_in_range(b.left, 0, 60 * MIB);
    assert_int_equal(b.speed, 0);
}

static void what_was_given_back_unseen_is_in_memory_no_more(void **state)
{
    struct jvmheap heap = make_regions(300);
    struct native_growth b = {0};
    uint64_t now = 1000000;

    (void)state;
    add(&b, &now, STEP_MS, &heap, 300 + NATIVE);
    assert_int_equal(b.touched, 300 * MIB);
    native_growth_forget(&b);
    heap = make_regions(40);
    add(&b, &now, 60000, &heap, 250 + NATIVE);
    assert_int_equal(b.touched, 250 * MIB);
    native_growth_forget(&b);
    add(&b, &now, 60000, &heap, 300 + NATIVE); /* growth since then may be the heap's or native */
    assert_int_equal(b.touched, 250 * MIB);
}

/* G1 takes its time. */
static void what_is_to_be_given_back_is_in_memory_until_it_is(void **state)
{
    struct jvmheap heap = make_regions(300);
    struct native_growth b = {0};
    uint64_t now = 1000000;

    (void)state;
    add(&b, &now, STEP_MS, &heap, 300 + NATIVE);
    heap = make_regions(10);
    heap.space[JVMHEAP_OLD].committed = 24 * MIB;
    add(&b, &now, STEP_MS, &heap, 300 + NATIVE);
    assert_int_equal(b.left, 84 * MIB);
    add(&b, &now, STEP_MS, &heap, 150 + NATIVE);
    assert_int_equal(b.touched, 150 * MIB);
    add(&b, &now, STEP_MS, &heap, 24 + NATIVE);
    assert_int_equal(b.touched, 24 * MIB);
    assert_in_range(b.speed, 0, NO_LEAK);
}

/* ZGC's counters say what the last collection left: the kernel knows how much of the heap is in memory. */
static void the_kernels_word_is_exact(void **state)
{
    struct jvmheap heap = {.collector = "Z", .used = -1, .max = 384 * MIB};
    struct native_growth b = {0};
    uint64_t now = 1000000;

    (void)state;
    assert_true(jvmheap_is_shared(&heap));
    for (int in_memory = 40; in_memory <= 384; in_memory += 8) {
        jvmheap_in_memory(&heap, (uint64_t)in_memory * MIB);
        heap.collecting = in_memory % 3 == 0;
        add(&b, &now, STEP_MS, &heap, in_memory + NATIVE);
        assert_false(b.moving);
        assert_int_equal(b.speed, 0);
        assert_int_equal(b.left, (384 - in_memory) * MIB);
    }
    jvmheap_in_memory(&heap, UINT64_MAX);
    assert_int_equal(heap.used, 384 * MIB);
    for (int leak = 0; leak <= 100; leak += 5)
        add(&b, &now, STEP_MS, &heap, 384 + NATIVE + leak);
    assert_in_range(b.speed, 50 * MIB, 200 * MIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_collector_moves_is_the_heaps),
        cmocka_unit_test(what_was_full_between_two_looks_is_in_memory),
        cmocka_unit_test(more_than_there_is_cannot_be_the_heaps),
        cmocka_unit_test(collections_without_an_end_do_not_hide_a_leak),
        cmocka_unit_test(pauses_without_an_end_do_not_hide_a_leak),
        cmocka_unit_test(why_it_came_may_be_said_later),
        cmocka_unit_test(a_pause_is_not_waited_for_without_end),
        cmocka_unit_test(what_was_not_watched_begins_anew),
        cmocka_unit_test(what_was_in_use_before_the_first_look_counts),
        cmocka_unit_test(what_was_given_back_unseen_is_in_memory_no_more),
        cmocka_unit_test(what_is_to_be_given_back_is_in_memory_until_it_is),
        cmocka_unit_test(the_kernels_word_is_exact),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
