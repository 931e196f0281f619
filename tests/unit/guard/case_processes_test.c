/* SPDX-License-Identifier: Apache-2.0
 *
 * A case whose process cannot be started uses no slot and has no cool-down: it is begun when a process can be started.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guard/case_processes.h"

static const struct whoami SELF = {.machine = (char *)"m"};
static struct case_processes cases;
static struct target target;
static unsigned forks, failures; /* tries; failures to come */
static int error;

static pid_t fake_fork(void)
{
    forks++;
    if (failures == 0)
        return 100000 + (pid_t)forks;
    failures--;
    errno = error;
    return -1;
}

static int set_up(void **state)
{
    static char *args[] = {NULL};
    const struct limit_override_policy policy = {0};
    struct err e;

    (void)state;
    forks = failures = 0;
    target = (struct target){.name = "a", .number = 3, .given_pid = getpid(), .memcg = MEMCG_NONE};
    if (case_processes_init(&cases, &(struct case_processes_config){&SELF, args, &policy, 1 << 20, 0}, &e) < 0)
        return -1;
    cases.fork = fake_fork;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    case_processes_done(&cases);
    whoami_done(&target.last.who);
    return 0;
}

static void refused_by(int number, const char *words)
{
    struct err e = {0};
    bool made = true;

    error = number;
    failures = 3;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(case_processes_begin(&cases, &target, "why", -1, &e), -number);
        assert_non_null(strstr(e.msg, words));
        assert_int_equal(case_processes_count(&cases), 0);
    }
    assert_int_equal(case_processes_begin(&cases, &target, "why", -1, &e), 0);
    assert_int_equal(case_processes_count(&cases), 1);
    assert_int_equal(forks, 4);
    assert_int_equal(case_processes_reap(&cases, -1, 0, &made), -1);
    assert_int_equal(case_processes_reap(&cases, 100004, 0, &made), 3);
    assert_true(made);
    assert_int_equal(case_processes_count(&cases), 0);
    assert_int_equal(case_processes_reap(&cases, 100004, 0, &made), -1); /* another child's number by now */
}

static void without_room_for_a_process(void **state)
{
    (void)state;
    refused_by(EAGAIN, "pids.max");
}

static void without_memory(void **state)
{
    (void)state;
    refused_by(ENOMEM, "memory");
}

static void no_place_is_lost_to_failures(void **state)
{
    struct err e = {0};

    (void)state;
    error = EAGAIN;
    failures = 5 * CASE_PROCESSES_MAX;
    for (unsigned i = 0; i < 5 * CASE_PROCESSES_MAX; i++)
        assert_int_equal(case_processes_begin(&cases, &target, "why", -1, &e), -EAGAIN);
    for (unsigned i = 0; i < CASE_PROCESSES_MAX; i++)
        assert_int_equal(case_processes_begin(&cases, &target, "why", -1, &e), 0);
    assert_int_equal(case_processes_begin(&cases, &target, "why", -1, &e), -EAGAIN);
    assert_non_null(strstr(e.msg, "already"));
    assert_int_equal(forks, 6 * CASE_PROCESSES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_room_for_a_process, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_place_is_lost_to_failures, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
