/* SPDX-License-Identifier: Apache-2.0
 *
 * When a case is made, and when not: marks, rests, caps, many targets, restarts, clocks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "guard/rule_internal.h"

enum { MIB = 1 << 20, SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

static const uint64_t START = 5000000;

DEFINE_CLEANUP(struct rule *, rule_free)

static struct rule *make(const char *first, const char *second, struct rule_policy p)
{
    struct rule *rule;

    assert_int_equal(condition_parse(first, &p.when[0], NULL), 0);
    if (second)
        assert_int_equal(condition_parse(second, &p.when[1], NULL), 0);
    p.count = second ? 2 : 1;
    assert_int_equal(rule_new(&p, &rule), 0);
    return rule;
}

/* A container of 100 MiB. */
static struct reading at(int64_t percent, int64_t growth)
{
    return (struct reading){.own = reading_known(percent * MIB),
                            .used = reading_known(percent * MIB),
                            .limit = reading_known(100ll * MIB),
                            .room = reading_known((100 - percent) * MIB),
                            .growth = reading_known(growth),
                            .events = reading_known(0)};
}

static struct rule_decision evaluate(struct rule *rule, int target, struct reading r, uint64_t now_ms)
{
    struct rule_decision d;

    rule_evaluate(rule, target, &r, now_ms, &d);
    assert_true(d.report == (d.why[0] != '\0'));
    return d;
}

static enum rule_answer answer(struct rule *rule, int target, int64_t percent, uint64_t now_ms)
{
    return evaluate(rule, target, at(percent, 0), now_ms).answer;
}

static void a_case_is_made_with_its_reason(void **state)
{
    CLEANUP(rule_free_ptr)
    struct rule *rule = make("event:oom", "memory>=90%,oom-in<=1s", (struct rule_policy){.targets = 4});
    int t = rule_join(rule, "pod/app", START);
    struct rule_decision d;

    (void)state;
    assert_int_equal(evaluate(rule, t, at(89, 48 * MIB), START).answer, RULE_QUIET);
    assert_int_equal(evaluate(rule, t, at(93, MIB), START).answer, RULE_QUIET);
    d = evaluate(rule, t, at(93, 10 * MIB), START);
    assert_int_equal(d.answer, RULE_TRIGGER);
    assert_int_equal(d.condition, 1);
    assert_string_equal(d.why, "memory>=90%,oom-in<=1s: memory 93% of 100.0 MiB, growing 10.0 MiB/s, limit in 0.7 s");
    assert_int_equal(rule->running, 1);
    rule_done(rule, t, true, START + 5);
    assert_int_equal(rule->running, 0);
    rule_done(rule, t, true, START + 5); /* once too often */
    assert_int_equal(rule->running, 0);
}

static void a_steady_value_fires_once(void **state)
{
    CLEANUP(rule_free_ptr) struct rule *rule = make("memory>=90%", NULL, (struct rule_policy){.targets = 4});
    int t = rule_join(rule, "a", START);

    (void)state;
    assert_int_equal(answer(rule, t, 95, START), RULE_TRIGGER);
    assert_int_equal(answer(rule, t, 95, START), RULE_QUIET);
    rule_done(rule, t, true, START);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(answer(rule, t, i % 2 ? 95 : 85, START + i * HOUR), RULE_QUIET);
    /* What is not known lets nothing go. */
    assert_int_not_equal(evaluate(rule, t, (struct reading){0}, START + 100ull * HOUR).answer, RULE_TRIGGER);
    assert_int_equal(answer(rule, t, 95, START + 101ull * HOUR), RULE_QUIET);
    assert_int_equal(answer(rule, t, 84, START + 102ull * HOUR), RULE_QUIET);
    assert_int_equal(answer(rule, t, 90, START + 103ull * HOUR), RULE_TRIGGER);
}

static void one_tenants_cases_leave_others_theirs(void **state)
{
    CLEANUP(rule_free_ptr)
    struct rule *rule =
        make("memory>=90%", NULL,
             (struct rule_policy){
                 .targets = 8, .per_tenant = {2, HOUR}, .shared = {5, HOUR}, .at_once = 1, .at_once_all = 2});
    const char *tenants[] = {"uid 1", "uid 1", "uid 1", "uid 2", "uid 3", "uid 4"},
               *keys[] = {"a", "b", "c", "d", "e", "f"};
    int t[6];

    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        t[i] = rule_join(rule, keys[i], START);
        rule_tenant(rule, t[i], tenants[i]);
    }
    assert_int_equal(answer(rule, t[0], 95, START), RULE_TRIGGER);
    assert_int_equal(answer(rule, t[1], 95, START), RULE_WAIT); /* at once, of one tenant */
    assert_int_equal(answer(rule, t[3], 95, START), RULE_TRIGGER);
    assert_int_equal(answer(rule, t[4], 95, START), RULE_WAIT); /* of all */
    rule_done(rule, t[0], true, START);
    rule_done(rule, t[3], true, START);
    assert_int_equal(answer(rule, t[1], 95, START), RULE_TRIGGER);
    rule_done(rule, t[1], true, START);
    assert_non_null(strstr(evaluate(rule, t[2], at(95, 0), START).why, "its tenant's cap of 2/hour"));
    for (unsigned i = 4; i < 6; i++) {
        assert_int_equal(answer(rule, t[i], 95, START), RULE_TRIGGER);
        rule_done(rule, t[i], true, START);
    }
    assert_int_equal(answer(rule, t[2], 95, START + HOUR - 1), RULE_WAIT);
    assert_int_equal(answer(rule, t[2], 95, START + HOUR), RULE_TRIGGER);
}

static void a_case_that_could_not_be_begun_is_begun_later(void **state)
{
    CLEANUP(rule_free_ptr)
    struct rule *rule = make("memory>=90%", "event:oom",
                             (struct rule_policy){.targets = 2, .per_target = {1, HOUR}, .cooldown_ms = HOUR});
    int t = rule_join(rule, "a", START);
    struct reading r = at(50, 0);

    (void)state;
    assert_int_equal(answer(rule, t, 95, START), RULE_TRIGGER);
    rule_refused(rule, t, START);
    assert_int_equal(rule->running, 0);
    assert_int_equal(answer(rule, t, 95, START + 999), RULE_WAIT);
    assert_int_equal(answer(rule, t, 95, START + 1000), RULE_TRIGGER);
    rule_refused(rule, t, START + 1000);
    assert_int_equal(answer(rule, t, 50, START + 2000), RULE_QUIET);
    r.events = reading_known(READING_OOM); /* the kernel counts it once */
    assert_int_equal(evaluate(rule, t, r, START + 2000).answer, RULE_TRIGGER);
    rule_refused(rule, t, START + 2000);
    assert_int_equal(answer(rule, t, 50, START + 3000), RULE_TRIGGER);
    rule_done(rule, t, true, START + 3000);
    assert_int_equal(answer(rule, t, 95, START + 4000), RULE_WAIT);
}

static void a_second_condition_may_fire_while_the_first_is_held(void **state)
{
    CLEANUP(rule_free_ptr)
    struct rule *rule = make("memory>=80%", "memory>=95%", (struct rule_policy){.targets = 4, .cooldown_ms = MINUTE});
    int t = rule_join(rule, "a", START);
    struct rule_decision d;

    (void)state;
    assert_int_equal(answer(rule, t, 80, START), RULE_TRIGGER);
    assert_int_equal(answer(rule, t, 96, START), RULE_WAIT); /* its own case */
    rule_done(rule, t, true, START);
    assert_int_equal(answer(rule, t, 96, START + MINUTE - 1), RULE_WAIT);
    d = evaluate(rule, t, at(96, 0), START + MINUTE);
    assert_int_equal(d.answer, RULE_TRIGGER);
    assert_int_equal(d.condition, 1);
    rule_done(rule, t, true, START + MINUTE);
    assert_int_equal(answer(rule, t, 99, START + HOUR), RULE_QUIET);
}

static void a_target_rests_after_a_case_and_that_is_said_once(void **state)
{
    CLEANUP(rule_free_ptr)
    struct rule *rule = make("growth>=1M/s", NULL, (struct rule_policy){.targets = 4, .cooldown_ms = 10ull * MINUTE});
    int t = rule_join(rule, "a", START);
    struct rule_decision d;

    (void)state;
    assert_int_equal(evaluate(rule, t, at(50, MIB), START).answer, RULE_TRIGGER);
    assert_int_equal(evaluate(rule, t, at(50, 0), START).answer, RULE_QUIET);
    d = evaluate(rule, t, at(50, MIB), START);
    assert_int_equal(d.answer, RULE_WAIT); /* while the case is made: silently */
    assert_false(d.report);
    rule_done(rule, t, true, START + MINUTE); /* the rest begins here */
    d = evaluate(rule, t, at(50, MIB), START + 4ull * MINUTE);
    assert_int_equal(d.answer, RULE_WAIT);
    assert_true(d.report);
    assert_int_equal(d.until_ms, START + 11ull * MINUTE);
    assert_string_equal(d.why, "growth>=1M/s holds, but the cool-down after the last case goes on for another 7:00");
    /* Though it comes and goes. */
    for (unsigned i = 0; i < 100; i++) {
        d = evaluate(rule, t, at(50, i % 2 ? MIB : 0), START + 5ull * MINUTE + i);
        assert_int_equal(d.answer, i % 2 ? RULE_WAIT : RULE_QUIET);
        assert_false(d.report);
    }
    assert_int_equal(evaluate(rule, t, at(50, MIB), START + 11ull * MINUTE - 1).answer, RULE_WAIT);
    assert_int_equal(evaluate(rule, t, at(50, MIB), START + 11ull * MINUTE).answer, RULE_TRIGGER);
    /* The next cool-down is reported again. */
    rule_done(rule, t, false, START + 11ull * MINUTE);
    evaluate(rule, t, at(50, 0), START + 12ull * MINUTE);
    d = evaluate(rule, t, at(50, MIB), START + 12ull * MINUTE);
    assert_int_equal(d.answer, RULE_WAIT);
    assert_true(d.report);
}

/* Fires if it may, and ends the case at once. */
static enum rule_answer pulse(struct rule *rule, int t, uint64_t now_ms, struct rule_decision *ret)
{
    evaluate(rule, t, at(1, 0), now_ms);
    *ret = evaluate(rule, t, at(99, 0), now_ms);
    if (ret->answer == RULE_TRIGGER)
        rule_done(rule, t, true, now_ms);
    return ret->answer;
}

static void a_cap_holds_in_any_stretch_of_its_time(void **state)
{
    CLEANUP(rule_free_ptr)
    struct rule *rule = make("memory>=90%", NULL, (struct rule_policy){.targets = 4, .per_target = {3, 24ull * HOUR}});
    int t = rule_join(rule, "a", START);
    struct rule_decision d;

    (void)state;
    assert_int_equal(pulse(rule, t, START, &d), RULE_TRIGGER);
    assert_int_equal(pulse(rule, t, START + 10ull * HOUR, &d), RULE_TRIGGER);
    assert_int_equal(pulse(rule, t, START + 20ull * HOUR, &d), RULE_TRIGGER);
    assert_int_equal(pulse(rule, t, START + 23ull * HOUR, &d), RULE_WAIT);
    assert_int_equal(d.until_ms, START + 24ull * HOUR);
    assert_string_equal(d.why, "memory>=90% holds, but its cap of 3/day is reached: none for another 1:00:00");
    assert_int_equal(pulse(rule, t, START + 24ull * HOUR - 1, &d), RULE_WAIT);
    assert_false(d.report);
    assert_int_equal(pulse(rule, t, START + 24ull * HOUR, &d), RULE_TRIGGER);
    assert_int_equal(pulse(rule, t, START + 33ull * HOUR, &d), RULE_WAIT);
    assert_int_equal(pulse(rule, t, START + 34ull * HOUR, &d), RULE_TRIGGER);
    for (unsigned i = 0; i < 50; i++) /* round the ring */
        assert_int_equal(pulse(rule, t, START + (100ull + 8 * i) * HOUR, &d), RULE_TRIGGER);
}

static void a_case_that_came_to_nothing_does_not_count(void **state)
{
    CLEANUP(rule_free_ptr)
    struct rule *rule =
        make("memory>=90%", NULL,
             (struct rule_policy){.targets = 4, .per_target = {1, HOUR}, .shared = {1, HOUR}, .cooldown_ms = MINUTE});
    int t = rule_join(rule, "a", START);
    struct rule_decision d;

    (void)state;
    assert_int_equal(answer(rule, t, 99, START), RULE_TRIGGER);
    rule_done(rule, t, false, START);
    assert_int_equal(pulse(rule, t, START + 1, &d), RULE_WAIT); /* but no hammering */
    assert_int_equal(pulse(rule, t, START + MINUTE, &d), RULE_TRIGGER);
    assert_int_equal(pulse(rule, t, START + 2ull * MINUTE, &d), RULE_WAIT);
}

static void all_targets_share_a_cap(void **state)
{
    CLEANUP(rule_free_ptr)
    struct rule *rule = make("memory>=90%", NULL, (struct rule_policy){.targets = 8, .shared = {2, HOUR}});
    struct rule_decision d;
    int t[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        char key[] = {(char)('a' + i), '\0'};

        t[i] = rule_join(rule, key, START);
        assert_int_equal(t[i], i);
    }
    assert_int_equal(pulse(rule, t[0], START, &d), RULE_TRIGGER);
    assert_int_equal(pulse(rule, t[1], START + MINUTE, &d), RULE_TRIGGER);
    assert_int_equal(pulse(rule, t[2], START + MINUTE, &d), RULE_WAIT);
    assert_int_equal(d.until_ms, START + HOUR);
    assert_string_equal(d.why, "memory>=90% holds, but the shared cap of 2/hour is reached: none for another 59:00");
    assert_int_equal(pulse(rule, t[0], START + MINUTE, &d), RULE_WAIT);
    assert_int_equal(pulse(rule, t[2], START + HOUR, &d), RULE_TRIGGER);
}

static void only_so_many_cases_are_made_at_once(void **state)
{
    CLEANUP(rule_free_ptr)
    struct rule *rule = make("memory>=90%", NULL, (struct rule_policy){.targets = 4, .at_once = 2});
    int a = rule_join(rule, "a", START), b = rule_join(rule, "b", START), c = rule_join(rule, "c", START);
    struct rule_decision d;

    (void)state;
    assert_int_equal(answer(rule, a, 99, START), RULE_TRIGGER);
    assert_int_equal(answer(rule, b, 99, START), RULE_TRIGGER);
    d = evaluate(rule, c, at(99, 0), START);
    assert_int_equal(d.answer, RULE_WAIT);
    assert_int_equal(d.until_ms, 0);
    assert_string_equal(d.why, "memory>=90% holds, but 2 cases are being made already: this one has to wait");
    assert_false(evaluate(rule, c, at(99, 0), START + 1).report);
    rule_leave(rule, a, START); /* it dies while its case is made */
    assert_int_equal(answer(rule, c, 99, START), RULE_WAIT);
    rule_done(rule, a, true, START);
    assert_int_equal(answer(rule, c, 99, START), RULE_TRIGGER);
}

static struct reading with_event(int64_t event)
{
    struct reading r = at(50, 0);

    r.events = reading_known(event);
    return r;
}

static void an_event_waits_for_its_turn_but_not_for_long(void **state)
{
    CLEANUP(rule_free_ptr) struct rule *rule = make("event:oom", NULL, (struct rule_policy){.targets = 4});
    int a = rule_join(rule, "a", START), b = rule_join(rule, "b", START);
    struct rule_decision d;

    (void)state;
    assert_int_equal(evaluate(rule, a, with_event(READING_OOM), START).answer, RULE_TRIGGER);
    assert_int_equal(evaluate(rule, b, with_event(READING_OOM), START).answer, RULE_WAIT);
    assert_int_equal(evaluate(rule, b, with_event(0), START + 5ull * SECOND).answer, RULE_WAIT);
    rule_done(rule, a, true, START);
    d = evaluate(rule, b, with_event(0), START + 9ull * SECOND);
    assert_int_equal(d.answer, RULE_TRIGGER);
    assert_non_null(strstr(d.why, "event oom"));
    assert_int_equal(evaluate(rule, b, with_event(0), START + 9ull * SECOND).answer, RULE_QUIET);
    assert_int_equal(evaluate(rule, a, with_event(0), START + 9ull * SECOND).answer, RULE_QUIET);
    /* Another one, while b's case is being made. */
    assert_int_equal(evaluate(rule, a, with_event(READING_OOM), START + 10ull * SECOND).answer, RULE_WAIT);
    assert_int_equal(evaluate(rule, a, with_event(0), START + 19ull * SECOND).answer, RULE_WAIT);
    assert_int_equal(evaluate(rule, a, with_event(0), START + 20ull * SECOND).answer, RULE_QUIET);
    rule_done(rule, b, true, START);
    assert_int_equal(evaluate(rule, a, with_event(0), START + 20ull * SECOND).answer, RULE_QUIET);
    assert_int_equal(evaluate(rule, a, with_event(READING_OOM), START + 21ull * SECOND).answer, RULE_TRIGGER);
}

static void a_restart_keeps_the_count_and_the_rest(void **state)
{
    CLEANUP(rule_free_ptr)
    struct rule *rule =
        make("memory>=90%", NULL,
             (struct rule_policy){.targets = 4, .cooldown_ms = 10ull * MINUTE, .per_target = {2, 24ull * HOUR}});
    int t = rule_join(rule, "uid/app", START), again;

    (void)state;
    assert_int_equal(answer(rule, t, 99, START), RULE_TRIGGER);
    rule_leave(rule, t, START + 1);
    rule_done(rule, t, true, START + 2);
    again = rule_join(rule, "uid/app", START + MINUTE);
    assert_int_equal(again, t);
    assert_int_equal(answer(rule, again, 99, START + 2ull * MINUTE), RULE_WAIT);
    /* It was not the new one that had fired. */
    assert_int_equal(answer(rule, again, 99, START + 11ull * MINUTE), RULE_TRIGGER);
    rule_done(rule, again, true, START + 12ull * MINUTE);
    rule_leave(rule, again, START + 12ull * MINUTE);
    assert_int_equal(rule_join(rule, "uid/app", START + HOUR), t);
    assert_int_equal(answer(rule, t, 99, START + HOUR), RULE_WAIT);
    assert_int_equal(answer(rule, t, 99, START + 24ull * HOUR), RULE_TRIGGER);
}

static void who_has_gone_is_forgotten_for_want_of_room_only(void **state)
{
    CLEANUP(rule_free_ptr)
    struct rule *rule = make("memory>=90%", NULL, (struct rule_policy){.targets = 3, .per_target = {1, 24ull * HOUR}});
    int a = rule_join(rule, "a", START), b = rule_join(rule, "b", START), c = rule_join(rule, "c", START);
    struct rule_decision d;

    (void)state;
    assert_int_equal(rule_join(rule, "d", START), -ENOSPC);
    assert_int_equal(pulse(rule, a, START, &d), RULE_TRIGGER);
    assert_int_equal(pulse(rule, b, START, &d), RULE_TRIGGER);
    rule_leave(rule, b, START + 1);
    rule_leave(rule, a, START + 2);
    rule_leave(rule, c, START + 3);
    assert_int_equal(rule_join(rule, "d", START + 4), c); /* nothing to store_history */
    assert_int_equal(rule_join(rule, "e", START + 4), b); /* the longest gone */
    assert_int_equal(rule_join(rule, "a", START + 4), a);
    assert_int_equal(pulse(rule, a, START + 4, &d), RULE_WAIT);
    assert_int_equal(pulse(rule, b, START + 4, &d), RULE_TRIGGER); /* e, with b's slot and without its case */
    /* One whose case is being made is needed. */
    assert_int_equal(answer(rule, c, 99, START + 5), RULE_TRIGGER);
    rule_leave(rule, c, START + 5);
    assert_int_equal(rule_join(rule, "f", START + 6), -ENOSPC);
    rule_done(rule, c, true, START + 7);
    assert_int_equal(rule_join(rule, "f", START + 8), c);
    /* Two of a key overlap: there until both have left. */
    assert_int_equal(rule_join(rule, "f", START + 9), c);
    rule_leave(rule, c, START + 10);
    assert_int_equal(rule_join(rule, "g", START + 11), -ENOSPC);
}

static void an_unknown_condition_is_reported_once_after_a_minute(void **state)
{
    CLEANUP(rule_free_ptr)
    struct rule *rule = make("memory>=90%", "heap>=90%", (struct rule_policy){.targets = 4});
    struct reading r = at(50, 0);
    struct rule_decision d;
    int t = rule_join(rule, "a", START);

    (void)state;
    r.limit = reading_unknown("no limit");
    assert_int_equal(evaluate(rule, t, r, START).answer, RULE_QUIET);
    assert_int_equal(evaluate(rule, t, at(50, 0), START + 30ull * SECOND).answer, RULE_QUIET);
    assert_int_equal(evaluate(rule, t, r, START + 40ull * SECOND).answer, RULE_QUIET);
    r.heap = reading_known(0);
    d = evaluate(rule, t, r, START + 61ull * SECOND); /* 21 s only */
    assert_int_equal(d.answer, RULE_QUIET);
    d = evaluate(rule, t, r, START + 100ull * SECOND);
    assert_int_equal(d.answer, RULE_UNKNOWN);
    assert_string_equal(d.why, "memory>=90% is unknown: no limit");
    assert_int_equal(evaluate(rule, t, r, START + HOUR).answer, RULE_QUIET);
    r.heap = reading_unknown("no JVM");
    evaluate(rule, t, r, START + HOUR);
    d = evaluate(rule, t, r, START + 2ull * HOUR);
    assert_string_equal(d.why, "heap>=90% is unknown: no JVM");
    assert_int_equal(d.condition, 1);
    assert_int_equal(evaluate(rule, t, r, START + 3ull * HOUR).answer, RULE_QUIET);
}

static void a_clock_that_goes_back_stands_still(void **state)
{
    CLEANUP(rule_free_ptr)
    struct rule *rule =
        make("memory>=90%", NULL, (struct rule_policy){.targets = 4, .cooldown_ms = MINUTE, .per_target = {2, HOUR}});
    int t = rule_join(rule, "a", START);
    struct rule_decision d;

    (void)state;
    assert_int_equal(pulse(rule, t, START, &d), RULE_TRIGGER);
    assert_int_equal(pulse(rule, t, 0, &d), RULE_WAIT);
    assert_int_equal(d.until_ms, START + MINUTE);
    assert_int_equal(pulse(rule, t, START + MINUTE, &d), RULE_TRIGGER);
    assert_int_equal(pulse(rule, t, UINT64_MAX, &d), RULE_TRIGGER);
}

static void an_earlier_runs_rest_and_caps_go_on(void **state)
{
    struct rule_policy p = {.targets = 4,
                            .cooldown_ms = 10 * MINUTE,
                            .per_target = {2, HOUR},
                            .per_tenant = {3, HOUR},
                            .shared = {3, HOUR}};
    CLEANUP(rule_free_ptr) struct rule *rule = make("memory>=90%", NULL, p);
    uint64_t now = START + HOUR;
    char key[RULE_KEY_MAX], tenant[RULE_TENANT_MAX];
    int a, b;

    (void)state;
    rule_restore(rule, "a", "shop", RULE_BEGUN, now - 2 * HOUR + 30 * MINUTE);
    rule_restore(rule, "a", "shop", RULE_MADE, now - 2 * HOUR + 31 * MINUTE);
    rule_restore(rule, "a", "shop", RULE_BEGUN, now - 30 * MINUTE);
    rule_restore(rule, "a", "shop", RULE_FAILED, now - 29 * MINUTE); /* counts for no cap */
    rule_restore(rule, "b", "shop", RULE_BEGUN, now - 20 * MINUTE);
    rule_restore(rule, "b", "shop", RULE_REFUSED, now - 20 * MINUTE);
    rule_restore(rule, "a", "shop", RULE_BEGUN, now - 9 * MINUTE); /* killed in the middle of it */
    assert_int_equal(rule->running, 0);
    a = rule_join(rule, "a", now);
    b = rule_join(rule, "b", now);
    rule_names(rule, a, key, tenant);
    assert_string_equal(key, "a");
    assert_string_equal(tenant, "shop");
    assert_int_equal(answer(rule, a, 95, now), RULE_WAIT);
    rule_tenant(rule, b, "shop");
    assert_int_equal(answer(rule, b, 95, now), RULE_TRIGGER);
    rule_done(rule, b, true, now);
    now += 2 * MINUTE;
    assert_int_equal(answer(rule, a, 95, now), RULE_TRIGGER);
    rule_done(rule, a, true, now);
    now += 11 * MINUTE;
    assert_int_equal(answer(rule, a, 10, now), RULE_QUIET);
    assert_non_null(strstr(evaluate(rule, a, at(95, 0), now).why, "its cap of 2/hour"));
    assert_int_equal(answer(rule, b, 10, now), RULE_QUIET);
    assert_non_null(strstr(evaluate(rule, b, at(95, 0), now).why, "its tenant's cap of 3/hour"));
}

static void what_is_wrong_of_a_policy_is_refused(void **state)
{
    struct rule_policy p = {.targets = 1};
    struct rule *rule = NULL;
    char key[RULE_KEY_MAX + 1];

    (void)state;
    assert_int_equal(rule_new(&p, &rule), -EINVAL);
    assert_int_equal(condition_parse("gc>=1%", &p.when[0], NULL), 0);
    p.count = RULE_CONDITIONS_MAX + 1;
    assert_int_equal(rule_new(&p, &rule), -EINVAL);
    p.count = 1;
    p.targets = 0;
    assert_int_equal(rule_new(&p, &rule), -EINVAL);
    p.targets = 1;
    p.shared = (struct rate){RATE_COUNT_MAX + 1, 1};
    assert_int_equal(rule_new(&p, &rule), -EINVAL);
    assert_null(rule);
    p.shared = (struct rate){RATE_COUNT_MAX, 1};
    assert_int_equal(rule_new(&p, &rule), 0);
    memset(key, 'k', sizeof(key) - 1);
    key[RULE_KEY_MAX] = '\0';
    assert_int_equal(rule_join(rule, key, START), -ENAMETOOLONG);
    key[RULE_KEY_MAX - 1] = '\0';
    assert_int_equal(rule_join(rule, key, START), 0);
    rule_free(rule);
    rule_free(NULL);
}

static void the_windows_of_psi_are_known_beforehand(void **state)
{
    struct rule_policy p = {.count = 2};
    uint64_t windows[READING_PSI_MAX];

    (void)state;
    assert_int_equal(condition_parse("psi.some>=1%/10s,memory>=1%,psi.full>=1%/10s", &p.when[0], NULL), 0);
    assert_int_equal(condition_parse("psi.some>=1%/2s", &p.when[1], NULL), 0);
    assert_int_equal(rule_psi_windows(&p, windows), 2);
    assert_int_equal(windows[0], 10000);
    assert_int_equal(windows[1], 2000);
    assert_int_equal(
        condition_parse("psi.some>=1%/1s,psi.some>=1%/3s,psi.some>=1%/4s,psi.some>=1%/5s", &p.when[0], NULL), 0);
    assert_int_equal(condition_parse("psi.some>=1%/6s,psi.some>=1%/7s,psi.some>=1%/8s,psi.some>=1%/9s,psi.some>=1%/11s",
                                     &p.when[1], NULL),
                     0);
    assert_int_equal(rule_psi_windows(&p, windows), READING_PSI_MAX);
}

/* A leak is met in time, and a container that is steadily full is left alone. */
static void the_default_asks_for_growth_not_for_a_share(void **state)
{
    char text[] = RULE_DEFAULT_WHEN, *second = strchr(text, ' ');
    struct reading r;

    (void)state;
    assert_non_null(second);
    *second++ = '\0';
    for (int i = 0; i < 6; i++) {
        CLEANUP(rule_free_ptr) struct rule *rule = make(text, second, (struct rule_policy){.targets = 1});
        int t = rule_join(rule, "a", START);
        bool fires = i % 2;

        switch (i) {
        case 0: /* a steady 99 % */
            r = at(99, 0);
            r.need = reading_known(9900);
            r.dump_ms = reading_known(60000);
            break;
        case 1: /* a leak of 20 MiB/s */
            r = at(80, 20 * MIB);
            r.dump_ms = reading_known(1500);
            break;
        case 2: /* a heap fills up, and there is room for all of it */
            r = at(80, 20 * MIB);
            r.dump_ms = reading_known(1500);
            r.heap_left = reading_known(15 * MIB);
            r.growth_native = reading_known(0);
            break;
        case 3: /* the same without room */
            r = at(80, 20 * MIB);
            r.dump_ms = reading_known(1500);
            r.heap_left = reading_known(30 * MIB);
            r.growth_native = reading_known(0);
            break;
        case 4: /* no JVM, far from the limit */
            r = at(80, 20 * MIB);
            r.need = reading_known(8000);
            break;
        default: /* no JVM, nearly full, a slow leak */
            r = at(96, MIB / 10);
            r.need = reading_known(9600);
            break;
        }
        assert_int_equal(evaluate(rule, t, r, START).answer, fires ? RULE_TRIGGER : RULE_QUIET);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_case_is_made_with_its_reason),
        cmocka_unit_test(a_steady_value_fires_once),
        cmocka_unit_test(one_tenants_cases_leave_others_theirs),
        cmocka_unit_test(a_case_that_could_not_be_begun_is_begun_later),
        cmocka_unit_test(a_second_condition_may_fire_while_the_first_is_held),
        cmocka_unit_test(a_target_rests_after_a_case_and_that_is_said_once),
        cmocka_unit_test(a_cap_holds_in_any_stretch_of_its_time),
        cmocka_unit_test(a_case_that_came_to_nothing_does_not_count),
        cmocka_unit_test(all_targets_share_a_cap),
        cmocka_unit_test(only_so_many_cases_are_made_at_once),
        cmocka_unit_test(an_event_waits_for_its_turn_but_not_for_long),
        cmocka_unit_test(a_restart_keeps_the_count_and_the_rest),
        cmocka_unit_test(who_has_gone_is_forgotten_for_want_of_room_only),
        cmocka_unit_test(an_unknown_condition_is_reported_once_after_a_minute),
        cmocka_unit_test(a_clock_that_goes_back_stands_still),
        cmocka_unit_test(an_earlier_runs_rest_and_caps_go_on),
        cmocka_unit_test(what_is_wrong_of_a_policy_is_refused),
        cmocka_unit_test(the_windows_of_psi_are_known_beforehand),
        cmocka_unit_test(the_default_asks_for_growth_not_for_a_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
