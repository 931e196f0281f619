/* SPDX-License-Identifier: Apache-2.0
 *
 * Targets as they come, are polled, trigger and go: a cgroup that is a folder of files, and processes of our own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "guard/target_set.h"
#include "scratch.h"

static struct target_set set;
static struct rule_policy rules;
static unsigned added, polled, removed;
static struct reading last;
static struct rule_decision decision;

static void on_added(void *ctx, struct target *t, const char *notices)
{
    (void)ctx;
    (void)t;
    (void)notices;
    added++;
}

static void on_renamed(void *ctx, struct target *t, const char *before)
{
    (void)ctx;
    (void)t;
    (void)before;
}

static void on_polled(void *ctx, struct target *t, struct reading *r, uint64_t now_ms)
{
    (void)ctx;
    polled++;
    target_set_evaluate(&set, t, r, now_ms, &decision);
    last = *r;
}

static void on_removed(void *ctx, struct target *t)
{
    (void)ctx;
    (void)t;
    removed++;
}

static void on_unwatched(void *ctx, pid_t pid, const char *cgroup, const struct err *e)
{
    (void)ctx;
    fail_msg("%d %s %s", (int)pid, cgroup, e->msg);
}

static const struct target_set_ops OPS = {
    .added = on_added, .renamed = on_renamed, .polled = on_polled, .removed = on_removed, .unwatched = on_unwatched};

static int set_up(void **state)
{
    added = polled = removed = 0;
    rules = (struct rule_policy){.count = 1, .cooldown_ms = UINT64_C(60) * 1000, .targets = RULE_TARGETS_MAX};
    if (scratch_set_up(state) < 0)
        return -1;
    return condition_parse("memory>=80%", &rules.when[0], NULL);
}

static int tear_down(void **state)
{
    target_set_done(&set);
    return scratch_tear_down(state);
}

static void poll_all(void)
{
    unsigned before = polled + removed;

    for (size_t i = 0; i < set.count; i++)
        set.target[i]->due_ms = 0;
    target_set_turn(&set);
    assert_true(polled + removed > before);
}

static void put_usage(const char *bytes)
{
    scratch_put("cg", "memory.max", "104857600\n");
    scratch_put("cg", "memory.current", bytes);
    scratch_put("cg", "memory.stat", "inactive_file 0\n");
    scratch_put("cg", "memory.events", "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\n");
}

static void a_cgroup_triggers_once_until_it_is_well_below(void **state)
{
    char path[64];
    const char *paths[] = {path, path};
    struct target_selection selection = {.cgroups = paths, .cgroup_count = 2};

    (void)state;
    put_usage("1048576\n");
    snprintf(path, sizeof(path), "%s/cg", scratch_root);
    assert_int_equal(target_set_init(&set, &(struct target_set_config){&selection, &rules, &OPS, NULL}, NULL), 0);
    assert_int_equal(target_set_start(&set, NULL), 0);
    assert_int_equal(added, 1); /* the same twice is one */
    assert_int_equal(set.count, 1);
    assert_int_equal(target_set_due_ms(&set), 0); /* its notices are to be opened */
    poll_all();
    assert_int_equal(decision.answer, RULE_QUIET);
    put_usage("94371840\n");
    poll_all();
    assert_int_equal(decision.answer, RULE_TRIGGER);
    assert_int_equal(reading_memory_share(&last).value, 9000);
    poll_all();
    assert_int_equal(decision.answer, RULE_QUIET);
    rule_done(set.rule, set.target[0]->number, true, clock_mono_ms());
    put_usage("83000000\n"); /* 79.2 %: not by the margin */
    poll_all();
    put_usage("94371840\n");
    poll_all();
    assert_int_equal(decision.answer, RULE_QUIET);
    put_usage("1048576\n");
    poll_all();
    put_usage("94371840\n");
    poll_all();
    assert_int_equal(decision.answer, RULE_WAIT);
    assert_true(decision.report);
    for (unsigned i = 0; i < 10; i++)
        target_set_turn(&set);
    assert_false(set.notices_missing);
    assert_true(target_set_due_ms(&set) > clock_mono_ms());
    assert_int_equal(removed, 0);
}

/* With that number if it may be chosen. */
static pid_t start_process(pid_t pid)
{
    struct clone_args args = {
        .exit_signal = SIGCHLD, .set_tid = pid ? (uint64_t)(uintptr_t)&pid : 0, .set_tid_size = pid ? 1 : 0};
    pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

    if (child == 0)
        for (;;)
            pause();
    return child;
}

static void end_process(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void a_given_process_is_gone_though_its_number_is_used_again(void **state)
{
    pid_t pid = start_process(0), again;
    struct target_selection selection = {.pids = &pid, .pid_count = 1};
    struct err e = {0};
    int r;

    (void)state;
    assert_true(pid > 0);
    assert_int_equal(target_set_init(&set, &(struct target_set_config){&selection, &rules, &OPS, NULL}, &e), 0);
    if ((r = target_set_start(&set, &e)) < 0) {
        end_process(pid);
        assert_int_not_equal(r, -ESRCH);
        skip(); /* no memory cgroup is seen from here */
    }
    poll_all();
    assert_int_equal(removed, 0);
    assert_false(target_has_ended(set.target[0]));
    end_process(pid);
    if ((again = start_process(pid)) > 0)
        assert_int_equal(again, pid);
    poll_all();
    assert_int_equal(removed, 1);
    assert_int_equal(set.count, 0);
    if (again > 0)
        end_process(again);
}

static void what_is_not_there_is_an_error(void **state)
{
    const char *path = "/nowhere";
    struct target_selection selection = {.cgroups = &path, .cgroup_count = 1};
    struct err e = {0};

    (void)state;
    assert_int_equal(target_set_init(&set, &(struct target_set_config){&selection, &rules, &OPS, NULL}, &e), 0);
    assert_int_equal(target_set_start(&set, &e), -ENOENT);
    assert_non_null(strstr(e.msg, "/nowhere"));
    assert_int_equal(added, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_cgroup_triggers_once_until_it_is_well_below, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_given_process_is_gone_though_its_number_is_used_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_there_is_an_error, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
