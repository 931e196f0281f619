/* SPDX-License-Identifier: Apache-2.0
 *
 * Which faults are tried again, how soon, for how long, and why it ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "base/fault.h"
#include "base/retry.h"

static const struct retry_policy AGENT = {.soon = {1000, 60000}, .slowly = {60000, 300000}};
static const struct retry_policy COMMAND = {.soon = {1000, 60000}, .give_up_ms = 10000};

static void what_may_pass_is_tried_soon(void **state)
{
    struct retry_state s = {0};
    struct retry_decision d = retry_decide(&s, &AGENT, -FAULT_UNREACHABLE, 0, 5);

    (void)state;
    assert_int_equal(d.verdict, RETRY_WAIT);
    assert_in_range(d.delay_ms, 500, 1000);
    d = retry_decide(&s, &AGENT, -FAULT_UNREACHABLE, 0, 1000);
    assert_in_range(d.delay_ms, 1000, 2000);
}

static void what_an_operator_must_mend_is_tried_slowly_by_an_agent_and_not_by_a_command(void **state)
{
    struct retry_state s = {0}, t = {0};
    struct retry_decision d = retry_decide(&s, &AGENT, -FAULT_DENIED, 0, 5);

    (void)state;
    assert_int_equal(d.verdict, RETRY_WAIT);
    assert_in_range(d.delay_ms, 30000, 60000);
    assert_int_equal(retry_decide(&t, &COMMAND, -FAULT_DENIED, 0, 5).verdict, RETRY_GIVE_UP_FAULT);
}

static void a_policy_of_one_try_gives_up_at_once(void **state)
{
    const struct retry_policy once = {.soon = {1, 1}, .slowly = {1, 1}, .tries_most = 1};
    struct retry_state s = {0};

    (void)state;
    assert_int_equal(retry_decide(&s, &once, -FAULT_UNREACHABLE, 0, 5).verdict, RETRY_GIVE_UP_TRIES);
}

static void the_last_of_so_many_tries_is_not_waited_for(void **state)
{
    const struct retry_policy five = {.soon = {500, 4000}, .give_up_ms = 60000, .tries_most = 5};
    struct retry_state s = {0};

    (void)state;
    for (unsigned failures = 1; failures < 5; failures++)
        assert_int_equal(retry_decide(&s, &five, -FAULT_BUSY, 0, 5).verdict, RETRY_WAIT);
    assert_int_equal(retry_decide(&s, &five, -FAULT_BUSY, 0, 5).verdict, RETRY_GIVE_UP_TRIES);
    retry_succeeded(&s);
    assert_int_equal(retry_decide(&s, &five, -FAULT_BUSY, 0, 5).verdict, RETRY_WAIT);
}

static void the_same_fault_again_is_not_fresh(void **state)
{
    struct retry_state s = {0};

    (void)state;
    assert_true(retry_decide(&s, &AGENT, -FAULT_BUSY, 0, 5).fresh);
    assert_false(retry_decide(&s, &AGENT, -FAULT_BUSY, 0, 6).fresh);
    assert_true(retry_decide(&s, &AGENT, -EIO, 0, 7).fresh);
    retry_succeeded(&s);
    assert_true(retry_decide(&s, &AGENT, -EIO, 0, 8).fresh);
}

static void a_success_begins_anew(void **state)
{
    struct retry_state s = {.backoff.tries = 9, .since_ms = 1, .last = -EIO};

    (void)state;
    retry_succeeded(&s);
    assert_in_range(retry_decide(&s, &COMMAND, -EIO, 0, 50000).delay_ms, 500, 1000);
    assert_int_equal(s.since_ms, 50000);
}

/* From the first failure on. */
static void the_last_try_is_at_the_end_of_the_time(void **state)
{
    struct retry_state s = {0};
    uint64_t now = 700;
    unsigned tries = 0;

    (void)state;
    for (struct retry_decision d; (d = retry_decide(&s, &COMMAND, -FAULT_STALLED, 0, now)).verdict == RETRY_WAIT;) {
        assert_true(d.delay_ms > 0);
        now += d.delay_ms;
        assert_true(now <= 700 + 10000);
        tries++;
    }
    assert_int_equal(now, 700 + 10000);
    assert_in_range(tries, 4, 7);
    assert_int_equal(retry_decide(&s, &COMMAND, -FAULT_STALLED, 0, now).verdict, RETRY_GIVE_UP_TIME);
}

static void time_spent_before_the_first_failure_counts_where_the_caller_says_so(void **state)
{
    struct retry_state s = {.since_ms = 1000};

    (void)state;
    assert_int_equal(retry_decide(&s, &COMMAND, -FAULT_BUSY, 0, 10999).delay_ms, 1);
    assert_int_equal(retry_decide(&s, &COMMAND, -FAULT_BUSY, 0, 11000).verdict, RETRY_GIVE_UP_TIME);
    s = (struct retry_state){.since_ms = 1000};
    assert_int_equal(retry_decide(&s, &COMMAND, -FAULT_BUSY, 0, 999).verdict, RETRY_WAIT); /* a clock that differs */
}

static void a_store_that_asks_for_more_patience_than_is_left_is_given_up(void **state)
{
    struct retry_state s = {0};

    (void)state;
    assert_int_equal(retry_decide(&s, &COMMAND, -FAULT_BUSY, 3000, 5).delay_ms, 3000);
    assert_int_equal(retry_decide(&s, &COMMAND, -FAULT_BUSY, 8000, 3005).verdict, RETRY_GIVE_UP_TIME);
}

static void without_a_limit_it_never_ends(void **state)
{
    struct retry_state s = {0};

    (void)state;
    for (uint64_t now = 1; now < UINT64_MAX / 4; now *= 2)
        assert_int_equal(retry_decide(&s, &AGENT, -FAULT_DENIED, 0, now).verdict, RETRY_WAIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_may_pass_is_tried_soon),
        cmocka_unit_test(what_an_operator_must_mend_is_tried_slowly_by_an_agent_and_not_by_a_command),
        cmocka_unit_test(a_policy_of_one_try_gives_up_at_once),
        cmocka_unit_test(the_last_of_so_many_tries_is_not_waited_for),
        cmocka_unit_test(the_same_fault_again_is_not_fresh),
        cmocka_unit_test(a_success_begins_anew),
        cmocka_unit_test(the_last_try_is_at_the_end_of_the_time),
        cmocka_unit_test(time_spent_before_the_first_failure_counts_where_the_caller_says_so),
        cmocka_unit_test(a_store_that_asks_for_more_patience_than_is_left_is_given_up),
        cmocka_unit_test(without_a_limit_it_never_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
