/* SPDX-License-Identifier: Apache-2.0
 *
 * Candidates: the earliest is found first, whatever was scheduled, changed and dropped before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "watch/candidate.h"
#include "watch/source.h"

enum { MANY = 20000 };

static struct folder here, there;

static struct candidate *add(struct candidates *c, struct folder *f, unsigned n)
{
    char name[32];

    snprintf(name, sizeof(name), "app-%u.hprof", n);
    return candidate_add(c, f, name);
}

static void the_earliest_is_due_first(void **state)
{
    struct candidates c = {0};
    uint64_t next, last = 0, random = 1;
    struct candidate *one;
    unsigned left = 0;

    (void)state;
    for (unsigned n = 0; n < 1000; n++) {
        random = random * 6364136223846793005u + 1;
        candidate_schedule(&c, add(&c, &here, n), 1 + (random >> 40) % 500);
        if (n % 3 == 0) /* put off, or called off */
            candidate_schedule(&c, add(&c, &here, n / 2), n % 2 ? 700 : 0);
        if (n % 7 == 0)
            candidate_drop(&c, add(&c, &here, n));
    }
    assert_null(candidate_due(&c, 0, &next));
    assert_true(next >= 1 && next <= 500);
    for (; (one = candidate_due(&c, 1000, &next)); left++) {
        assert_true(one->due_ms >= last && next == one->due_ms);
        last = one->due_ms;
        candidate_drop(&c, one);
    }
    assert_true(left > 300 && c.scheduled == 0 && next == UINT64_MAX && c.count > 0);
    candidates_done(&c);
}

static void those_of_one_folder_are_listed(void **state)
{
    struct candidates c = {0};
    struct candidate **list;

    (void)state;
    for (unsigned n = 0; n < 10; n++)
        add(&c, n % 2 ? &here : &there, n);
    assert_int_equal(candidates_of(&c, &here, &list), 5);
    for (unsigned i = 0; i < 5; i++)
        candidate_drop(&c, list[i]);
    free(list);
    assert_int_equal(candidates_of(&c, &here, &list), 0);
    free(list);
    assert_int_equal(c.count, 5);
    candidates_done(&c);
}

/* A walk over all of them at each look would take a minute here. */
static void many_cost_no_more_than_their_number(void **state)
{
    struct candidates c = {0};
    uint64_t next, begun = clock_mono_ms();
    struct candidate *one;

    (void)state;
    for (unsigned n = 0; n < MANY; n++)
        candidate_schedule(&c, add(&c, &here, n), 1 + n % 100);
    for (unsigned n = 0; n < 5 * MANY; n++) {
        one = candidate_due(&c, UINT64_MAX, &next);
        candidate_schedule(&c, one, one->due_ms + 100);
    }
    assert_true(clock_mono_ms() - begun < 10000);
    candidates_done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_earliest_is_due_first),
        cmocka_unit_test(those_of_one_folder_are_listed),
        cmocka_unit_test(many_cost_no_more_than_their_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
