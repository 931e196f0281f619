/* SPDX-License-Identifier: Apache-2.0
 *
 * Work beside requests: what failed is not done again by itself, and what waits has an end.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "serve/background.h"

struct worker {
    atomic_bool held; /* the work does not end */
    atomic_int done;
    struct background *background;
};

static int work(void *ctx, const struct work *w, struct err *e)
{
    struct worker *k = ctx;

    while (k->held && !background_stops(k->background))
        clock_sleep_ms(1);
    k->done++;
    return strstr(w->id, "bad") ? err_set(e, -FAULT_FORMAT, "it is no heap dump") : 0;
}

static void begin(struct worker *k)
{
    struct err e;

    assert_int_equal(background_new(&(struct background_config){work, k, 2, 3}, &k->background, &e), 0);
    assert_int_equal(background_begin(k->background, &e), 0);
}

static void end(struct worker *k)
{
    background_stop(k->background);
    background_free(k->background);
}

static int add(struct worker *k, const char *id, bool by_person)
{
    struct err e;

    return background_add(k->background, &(struct work){(char *)id, (char *)"key", by_person, 0}, &e);
}

static struct work_state state_of(struct worker *k, const char *id)
{
    struct work_state s;

    background_state(k->background, id, &s);
    return s;
}

static struct work_state wait_for(struct worker *k, const char *id, enum work_phase phase)
{
    for (int i = 0; i < 10000 && state_of(k, id).phase != phase; i++)
        clock_sleep_ms(1);
    assert_int_equal(state_of(k, id).phase, phase);
    return state_of(k, id);
}

static void what_failed_is_done_again_for_a_person_only(void **state)
{
    struct worker k = {0};

    (void)state;
    begin(&k);
    assert_int_equal(state_of(&k, "shop/bad").phase, WORK_NONE);
    assert_int_equal(add(&k, "shop/bad", false), 0);
    assert_string_equal(wait_for(&k, "shop/bad", WORK_FAILED).why, "it is no heap dump");
    assert_int_equal(add(&k, "shop/bad", false), -FAULT_REFUSED);
    assert_int_equal(add(&k, "shop/good", false), 0);
    wait_for(&k, "shop/good", WORK_DONE);
    assert_int_equal(k.done, 2);
    assert_int_equal(add(&k, "shop/bad", true), 0);
    for (int i = 0; i < 10000 && k.done < 3; i++)
        clock_sleep_ms(1);
    assert_int_equal(k.done, 3);
    background_forget(k.background, "shop/good");
    assert_int_equal(state_of(&k, "shop/good").phase, WORK_NONE);
    end(&k);
}

static void what_waits_has_an_end_and_is_dropped_when_it_stops(void **state)
{
    struct worker k = {.held = true};
    struct background_counts counts;

    (void)state;
    begin(&k);
    assert_int_equal(add(&k, "shop/1", false), 0);
    wait_for(&k, "shop/1", WORK_RUNNING);
    assert_int_equal(add(&k, "shop/1", true), 0); /* it runs */
    assert_int_equal(add(&k, "shop/2", false), 0);
    assert_int_equal(add(&k, "shop/2", true), 0); /* it waits */
    assert_int_equal(add(&k, "shop/3", false), 0);
    assert_int_equal(add(&k, "shop/4", true), -FAULT_BUSY);
    assert_int_equal(add(&k, "pay/1", true), 0);
    assert_int_equal(add(&k, "bank/1", true), -FAULT_BUSY);
    assert_int_equal(state_of(&k, "pay/1").ahead, 2);
    background_count(k.background, &counts);
    assert_int_equal(counts.queued, 3);
    assert_int_equal(counts.running, 1);
    assert_int_equal(counts.refused, 2);
    background_stop(k.background);
    assert_int_equal(k.done, 1);
    assert_int_equal(add(&k, "bank/1", true), -FAULT_BUSY);
    assert_int_equal(state_of(&k, "shop/1").phase, WORK_NONE); /* broken off is not failed */
    background_free(k.background);
}

static void only_passing_trouble_of_the_store_is_tried_again(void **state)
{
    struct worker k = {0};

    (void)state;
    begin(&k);
    assert_false(background_tries_again(k.background, 0, -FAULT_FORMAT));
    assert_false(background_tries_again(k.background, 0, -FAULT_DENIED));
    assert_false(background_tries_again(k.background, 0, -ETIMEDOUT));
    assert_false(background_tries_again(k.background, 6, -FAULT_BUSY));
    background_stop(k.background);
    assert_false(background_tries_again(k.background, 5, -FAULT_UNREACHABLE)); /* does not wait */
    background_free(k.background);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_failed_is_done_again_for_a_person_only),
        cmocka_unit_test(only_passing_trouble_of_the_store_is_tried_again),
        cmocka_unit_test(what_waits_has_an_end_and_is_dropped_when_it_stops),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
