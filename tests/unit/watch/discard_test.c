/* SPDX-License-Identifier: Apache-2.0
 *
 * Which evidence is given up first: scenarios, in megabytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "watch/discard.h"

enum { MOST = 64 };
#define MB (1ull << 20)

/* What waits, in the order in which it came: "A1" is of tenant A's series 1. */
struct scenario {
    struct discard_item items[MOST];
    char names[MOST][8];
    unsigned came[128][128]; /* of a tenant, of a series */
    size_t count;
    unsigned clock;
    char gone[1024];
};

static void comes(struct scenario *s, const char *series, uint64_t bytes)
{
    size_t n = s->count++;
    uint64_t tenant = (uint64_t)series[0], of = (uint64_t)series[1];
    unsigned nth = ++s->came[tenant][of];

    s->items[n] = (struct discard_item){tenant, of, 1000 + (int64_t)s->clock++, bytes, false, NULL};
    snprintf(s->names[n], sizeof(s->names[n]), "%s%u", series, nth);
}

/* Gives up until all fits; the names of what went, in this order, are in s->gone. */
static const char *fit(struct scenario *s, uint64_t room)
{
    for (;;) {
        struct discard_item copy[MOST];
        struct discard_choice c;
        size_t n;

        for (size_t i = 0; i < s->count; i++) {
            copy[i] = s->items[s->count - 1 - i]; /* the order in which they are passed does not matter */
            copy[i].ref = s->names[s->count - 1 - i];
        }
        c = discard_choose(copy, s->count, room);
        if (c.reason == DISCARD_NONE)
            return s->gone;
        n = (size_t)((char(*)[8])c.ref - s->names);
        snprintf(s->gone + strlen(s->gone), sizeof(s->gone) - strlen(s->gone), "%s%s", s->gone[0] ? " " : "",
                 s->names[n]);
        s->count--;
        memmove(&s->items[n], &s->items[n + 1], (s->count - n) * sizeof(s->items[0]));
        memmove(&s->names[n], &s->names[n + 1], (s->count - n) * sizeof(s->names[0]));
    }
}

/* One at a time, as a watch meets them. */
static const char *series_comes(struct scenario *s, const char *series, unsigned count, uint64_t bytes, uint64_t room)
{
    for (unsigned i = 0; i < count; i++) {
        comes(s, series, bytes);
        fit(s, room);
    }
    return s->gone;
}

static bool is_waiting(const struct scenario *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->names[i], name) == 0)
            return true;
    return false;
}

static void what_fits_stays(void **state)
{
    struct scenario s = {0};

    (void)state;
    assert_string_equal(fit(&s, 0), "");
    series_comes(&s, "A1", 4, 10 * MB, 40 * MB);
    assert_string_equal(s.gone, "");
    assert_int_equal(discard_choose(s.items, s.count, UINT64_MAX).reason, DISCARD_NONE);
}

static void of_a_crash_loop_the_middle_goes_first(void **state)
{
    struct scenario s = {0};

    (void)state;
    for (int i = 0; i < 5; i++)
        comes(&s, "A1", 10 * MB);
    assert_string_equal(fit(&s, 40 * MB), "A13");
    assert_string_equal(fit(&s, 20 * MB), "A13 A14 A12");
    assert_true(is_waiting(&s, "A11") && is_waiting(&s, "A15"));
}

static void then_the_newest_and_the_first_stays(void **state)
{
    struct scenario s = {0};

    (void)state;
    for (int i = 0; i < 4; i++)
        comes(&s, "A1", 10 * MB);
    assert_string_equal(fit(&s, 10 * MB), "A13 A12 A14");
    assert_true(is_waiting(&s, "A11"));
}

static void a_long_loop_leaves_its_first_and_its_newest_ones(void **state)
{
    struct scenario s = {0};

    (void)state;
    series_comes(&s, "A1", 40, 10 * MB, 40 * MB);
    assert_int_equal(s.count, 4);
    assert_true(is_waiting(&s, "A11") && is_waiting(&s, "A12") && is_waiting(&s, "A139") && is_waiting(&s, "A140"));
}

static void another_application_of_the_same_tenant_keeps_its_dump(void **state)
{
    struct scenario s = {0};

    (void)state;
    comes(&s, "A1", 10 * MB);
    comes(&s, "A2", 10 * MB);
    series_comes(&s, "A1", 20, 10 * MB, 40 * MB);
    assert_true(is_waiting(&s, "A21"));
    assert_true(is_waiting(&s, "A11"));
}

static void a_loop_costs_another_tenant_nothing(void **state)
{
    struct scenario s = {0};

    (void)state;
    comes(&s, "B1", 5 * MB);
    comes(&s, "B1", 5 * MB);
    comes(&s, "B1", 5 * MB);
    series_comes(&s, "A1", 20, 8 * MB, 40 * MB);
    assert_true(is_waiting(&s, "B11") && is_waiting(&s, "B12") && is_waiting(&s, "B13"));
    assert_null(strstr(s.gone, "B"));
}

static void a_tenant_that_comes_late_finds_its_share(void **state)
{
    struct scenario s = {0};

    (void)state;
    series_comes(&s, "A1", 20, 10 * MB, 40 * MB);
    series_comes(&s, "B1", 2, 10 * MB, 40 * MB);
    assert_true(is_waiting(&s, "B11") && is_waiting(&s, "A11"));
    assert_int_equal(s.count, 4);
    assert_true(is_waiting(&s, "B12"));
}

static void a_large_first_dump_is_not_the_price_of_small_ones(void **state)
{
    struct scenario s = {0};

    (void)state;
    comes(&s, "B1", 30 * MB);
    series_comes(&s, "A1", 10, 5 * MB, 40 * MB);
    assert_true(is_waiting(&s, "B11") && is_waiting(&s, "A11"));
    assert_int_equal(s.count, 3);
}

static void a_large_newest_is_the_price_of_its_own_first(void **state)
{
    struct scenario s = {0};

    (void)state;
    comes(&s, "A1", 1 * MB);
    comes(&s, "A1", 1 * MB);
    comes(&s, "A1", 1 * MB);
    comes(&s, "B1", 30 * MB);
    comes(&s, "B1", 30 * MB);
    assert_string_equal(fit(&s, 40 * MB), "B12");
}

static void one_that_is_larger_than_the_room_stays(void **state)
{
    struct scenario s = {0};

    (void)state;
    comes(&s, "A1", 60 * MB);
    assert_string_equal(fit(&s, 40 * MB), "");
    comes(&s, "A1", 60 * MB);
    assert_string_equal(fit(&s, 40 * MB), "A12");
    assert_true(is_waiting(&s, "A11"));
}

/* 40 % of what the large one leaves of 100 MB is 16 MB. */
static void beside_one_that_is_larger_than_the_room_others_have_less(void **state)
{
    struct scenario s = {0};

    (void)state;
    comes(&s, "A1", 60 * MB);
    series_comes(&s, "B1", 9, 5 * MB, 40 * MB);
    assert_true(is_waiting(&s, "A11") && is_waiting(&s, "B11") && is_waiting(&s, "B19"));
    assert_int_equal(s.count, 4);
}

static void small_pieces_beside_a_large_one_are_not_given_up_in_vain(void **state)
{
    struct scenario s = {0};

    (void)state;
    for (int i = 0; i < 9; i++)
        comes(&s, "A1", 10 << 10);
    comes(&s, "A2", 30 * MB);
    comes(&s, "A2", 30 * MB);
    assert_string_equal(fit(&s, 40 * MB), "A22");
}

static void but_a_flood_of_small_ones_has_an_end(void **state)
{
    struct scenario s = {0};

    (void)state;
    for (int i = 0; i < 60; i++)
        comes(&s, "A1", 4 << 10);
    fit(&s, 100 << 10);
    assert_int_equal(s.count, 25);
    assert_true(is_waiting(&s, "A11") && is_waiting(&s, "A160"));
}

static void of_names_that_are_all_different_the_middle_goes_too(void **state)
{
    struct scenario s = {0};

    (void)state;
    for (const char *name = "abcdef"; *name; name++)
        comes(&s, (const char[]){'A', *name, '\0'}, 10 * MB);
    assert_string_equal(fit(&s, 20 * MB), "Ac1 Ad1 Ab1 Ae1");
    assert_string_equal(fit(&s, 10 * MB), "Ac1 Ad1 Ab1 Ae1 Af1");
}

static void what_is_being_shipped_cannot_go(void **state)
{
    struct scenario s = {0};

    (void)state;
    for (int i = 0; i < 4; i++)
        comes(&s, "A1", 10 * MB);
    s.items[2].busy = true;
    assert_string_equal(fit(&s, 30 * MB), "A12");
    assert_string_equal(fit(&s, 20 * MB), "A12 A14");
    assert_string_equal(fit(&s, 10 * MB), "A12 A14");
    s.items[1].busy = false; /* its attempt has failed */
    assert_string_equal(fit(&s, 10 * MB), "A12 A14 A13");
}

/* Neither does the first one go in place of a newer one that cannot. */
static void nobody_goes_in_place_of_what_is_being_shipped(void **state)
{
    struct scenario s = {0};

    (void)state;
    comes(&s, "B1", 10 * MB);
    comes(&s, "A1", 10 * MB);
    comes(&s, "A1", 30 * MB);
    s.items[2].busy = true;
    assert_string_equal(fit(&s, 20 * MB), "");
    s.items[2].busy = false;
    assert_string_equal(fit(&s, 20 * MB), "A12");
}

static void first_dumps_of_many_tenants_go_from_the_largest_on(void **state)
{
    struct scenario s = {0};

    (void)state;
    comes(&s, "A1", 10 * MB);
    comes(&s, "B1", 20 * MB);
    comes(&s, "C1", 15 * MB);
    assert_string_equal(fit(&s, 40 * MB), "B11");
    assert_string_equal(fit(&s, 15 * MB), "B11 C11");
    assert_string_equal(fit(&s, 10 * MB), "B11 C11");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_stays),
        cmocka_unit_test(of_a_crash_loop_the_middle_goes_first),
        cmocka_unit_test(then_the_newest_and_the_first_stays),
        cmocka_unit_test(a_long_loop_leaves_its_first_and_its_newest_ones),
        cmocka_unit_test(another_application_of_the_same_tenant_keeps_its_dump),
        cmocka_unit_test(a_loop_costs_another_tenant_nothing),
        cmocka_unit_test(a_tenant_that_comes_late_finds_its_share),
        cmocka_unit_test(a_large_first_dump_is_not_the_price_of_small_ones),
        cmocka_unit_test(a_large_newest_is_the_price_of_its_own_first),
        cmocka_unit_test(one_that_is_larger_than_the_room_stays),
        cmocka_unit_test(beside_one_that_is_larger_than_the_room_others_have_less),
        cmocka_unit_test(small_pieces_beside_a_large_one_are_not_given_up_in_vain),
        cmocka_unit_test(but_a_flood_of_small_ones_has_an_end),
        cmocka_unit_test(of_names_that_are_all_different_the_middle_goes_too),
        cmocka_unit_test(what_is_being_shipped_cannot_go),
        cmocka_unit_test(nobody_goes_in_place_of_what_is_being_shipped),
        cmocka_unit_test(first_dumps_of_many_tenants_go_from_the_largest_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
