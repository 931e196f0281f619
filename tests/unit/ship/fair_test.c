/* SPDX-License-Identifier: Apache-2.0
 *
 * Turns: no tenant waits behind all that another has.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ship/fair.h"
#include "ship/tenant.h"

static struct fair f;

static int set_up(void **state)
{
    (void)state;
    fair_init(&f, 12345);
    return 0;
}

static size_t first_of(const struct fair_claim *c, size_t count)
{
    size_t best = 0;

    for (size_t i = 1; i < count; i++)
        if (fair_before(&f, &c[i], &c[best]))
            best = i;
    return best;
}

static void a_large_one_waits_for_one_small_one_of_another_tenant_only(void **state)
{
    struct fair_claim c[101];
    size_t chosen;

    (void)state;
    for (unsigned i = 0; i < 100; i++)
        c[i] = (struct fair_claim){.key = {1001, 0}, .size = 1, .since_ns = i};
    c[100] = (struct fair_claim){.key = {1002, 0}, .size = 8000000, .since_ns = 1000};
    chosen = first_of(c, 101);
    fair_serve(&f, &c[chosen].key);
    if (chosen == 100)
        return;
    assert_int_equal(first_of(c, 101), 100);
}

static void folders_of_one_tenant_take_turns_too(void **state)
{
    struct fair_claim c[2] = {{.key = {0, 1}, .size = 1}, {.key = {0, 2}, .size = 1000}};
    unsigned served[2] = {0};

    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        size_t chosen = first_of(c, 2);

        served[chosen]++;
        fair_serve(&f, &c[chosen].key);
    }
    assert_int_equal(served[0], 5);
    assert_int_equal(served[1], 5);
}

/* A folder with many parts has no more turns than one with one. */
static void folders_without_end_give_no_more_turns(void **state)
{
    struct fair_claim c[51];
    unsigned other = 0;

    (void)state;
    for (unsigned i = 0; i < 50; i++)
        c[i] = (struct fair_claim){.key = {1001, 7 + i}, .size = 1};
    c[50] = (struct fair_claim){.key = {1002, 0}, .size = 1000};
    for (unsigned i = 0; i < 100; i++) {
        size_t chosen = first_of(c, 51);

        other += chosen == 50;
        fair_serve(&f, &c[chosen].key);
    }
    assert_int_equal(other, 50);
}

/* New small ones come without end, in the same folder. */
static void a_large_one_among_small_ones_has_its_turn(void **state)
{
    struct fair_claim c[2] = {{.size = 1, .since_ns = 10}, {.size = 1000, .since_ns = 1}};
    unsigned turn = 1;

    (void)state;
    for (; first_of(c, 2) != 1; turn++) {
        assert_true(turn < 5);
        c[0].since_ns++;
        fair_serve(&f, &c[0].key);
    }
    assert_int_equal(turn, 4);
}

static void what_was_put_back_comes_after_the_others(void **state)
{
    struct fair_claim c[2] = {{.size = 0, .returned = 1}, {.size = 1000}};

    (void)state;
    assert_int_equal(first_of(c, 2), 1);
}

static void each_tenant_is_counted(void **state)
{
    struct fair_key a = {1, 1}, b = {1, 2}, c = {2, 1};

    (void)state;
    fair_enter(&f, &a);
    fair_enter(&f, &a);
    fair_enter(&f, &b);
    fair_enter(&f, &c);
    assert_int_equal(fair_of_tenant(&f, &a), 3);
    assert_int_equal(fair_of_part(&f, &a), 2);
    fair_leave(&f, &a);
    assert_int_equal(fair_of_tenant(&f, &b), 2);
    assert_int_equal(fair_of_part(&f, &a), 1);
    assert_int_equal(fair_of_tenant(&f, &c), 1);
}

static bool same(struct fair_key a, struct fair_key b)
{
    return a.tenant == b.tenant && a.part == b.part;
}

static void a_tenant_is_a_namespace_or_an_owner(void **state)
{
    struct layout layout;
    struct err e;

    (void)state;
    assert_int_equal(layout_parse("namespace/pod", &layout, &e), 0);
    assert_true(tenant_of(&layout, "/d", "/d/shop/cart/a.hprof", 1).tenant ==
                tenant_of(&layout, "/d", "/d/shop/other/a.hprof", 2).tenant);
    assert_true(tenant_of(&layout, "/d", "/d/shop/cart/a.hprof", 1).tenant !=
                tenant_of(&layout, "/d", "/d/bank/cart/a.hprof", 1).tenant);
    assert_true(tenant_of(&layout, "/d", "/d/a.hprof", 7).tenant == 7);
    assert_true(tenant_of(NULL, "/d", "/d/shop/a.hprof", 7).tenant == 7);
    assert_true(same(tenant_of(NULL, "/d", "/d/shop/x/a", 7), tenant_of(NULL, "/d/", "/d//shop/b", 7)));
    assert_false(same(tenant_of(NULL, "/d", "/d/shop/a", 7), tenant_of(NULL, "/d", "/d/bank/a", 7)));
    assert_int_equal(tenant_of(NULL, "/d", "/elsewhere/shop/a", 7).part, 0);
    assert_int_equal(tenant_of(NULL, "/d", "/d/a", 7).part, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_large_one_waits_for_one_small_one_of_another_tenant_only, set_up),
        cmocka_unit_test_setup(folders_of_one_tenant_take_turns_too, set_up),
        cmocka_unit_test_setup(folders_without_end_give_no_more_turns, set_up),
        cmocka_unit_test_setup(a_large_one_among_small_ones_has_its_turn, set_up),
        cmocka_unit_test_setup(what_was_put_back_comes_after_the_others, set_up),
        cmocka_unit_test_setup(each_tenant_is_counted, set_up),
        cmocka_unit_test_setup(a_tenant_is_a_namespace_or_an_owner, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
