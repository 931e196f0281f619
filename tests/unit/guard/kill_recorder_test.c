/* SPDX-License-Identifier: Apache-2.0
 *
 * Caps are per target, and a process that cannot be started costs no record.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>

#include "guard/kill_recorder.h"

static struct kill_recorder recorder;
static struct oomkill record;
static unsigned forks;
static pid_t answer;

static pid_t fake_fork(void)
{
    forks++;
    errno = EAGAIN;
    return answer;
}

static int set_up(void **state)
{
    (void)state;
    recorder = (struct kill_recorder){.fork = fake_fork};
    forks = 0;
    answer = -1;
    oomkill_init(&record);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    recorder.child = 0;
    kill_recorder_done(&recorder);
    return 0;
}

static int add(const char *target, uint64_t now_ms)
{
    struct err e = {0};

    return kill_recorder_add(&recorder, &(struct kill_record){.target = target, .kill = &record, .time_ns = 1}, now_ms,
                             &e);
}

static void what_cannot_be_started_waits(void **state)
{
    (void)state;
    assert_int_equal(add("a", 1000), 0);
    assert_int_equal(forks, 1);
    assert_int_equal(recorder.count, 1);
    assert_int_equal(kill_recorder_due_ms(&recorder), 1000 + KILL_RECORDER_AGAIN_MS);
    kill_recorder_start(&recorder, 1500); /* too early */
    assert_int_equal(forks, 1);
    answer = 4711;
    kill_recorder_start(&recorder, 1000 + KILL_RECORDER_AGAIN_MS);
    assert_int_equal(forks, 2);
    assert_int_equal(recorder.child, 4711);
    assert_int_equal(kill_recorder_due_ms(&recorder), UINT64_MAX);
    assert_false(kill_recorder_reap(&recorder, 1, 3000));
    assert_true(kill_recorder_reap(&recorder, 4711, 3000));
    assert_int_equal(recorder.count, 0);
}

static void one_target_costs_another_no_record(void **state)
{
    unsigned taken = 0;

    (void)state;
    answer = 4711;
    for (unsigned i = 0; i < 100; i++)
        taken += add("storm", 1000 + i) == 0;
    assert_int_equal(taken, KILL_RECORDER_TARGET_MOST);
    assert_int_equal(add("other", 2000), 0);
}

static void the_rate_is_each_targets_own(void **state)
{
    unsigned taken = 0;

    (void)state;
    answer = 4711;
    for (unsigned i = 0; i < 100; i++) {
        taken += add("storm", 1000 + i) == 0;
        kill_recorder_reap(&recorder, 4711, 1000 + i);
    }
    assert_int_equal(taken, KILL_RECORDER_RATE_MAX);
    assert_int_equal(add("storm", 2000), -EBUSY);
    assert_int_equal(add("other", 2000), 0);
    assert_int_equal(add("storm", 1000 + KILL_RECORDER_RATE_MS), 0);
}

static void of_very_many_targets_the_oldest_rate_is_forgotten(void **state)
{
    char name[16];

    (void)state;
    answer = 4711;
    for (unsigned i = 0; i < 3 * KILL_RECORDER_RATES; i++) {
        snprintf(name, sizeof(name), "t%u", i);
        assert_int_equal(add(name, 1000 + i), 0);
        kill_recorder_reap(&recorder, 4711, 1000 + i);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_cannot_be_started_waits),
        TEST(one_target_costs_another_no_record),
        TEST(the_rate_is_each_targets_own),
        TEST(of_very_many_targets_the_oldest_rate_is_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
