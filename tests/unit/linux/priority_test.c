/* SPDX-License-Identifier: Apache-2.0
 *
 * Idle for a while, and back: never idle for good.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/thread.h"
#include "linux/capability.h"
#include "linux/priority.h"

static int policy_after, ends[2];

static void *report_policy(void *ctx)
{
    char byte;

    (void)ctx;
    if (read(ends[0], &byte, 1) == 1)
        policy_after = sched_getscheduler(0);
    return NULL;
}

static void a_thread_and_what_it_starts_are_idle_until_all_return(void **state)
{
    pthread_t thread;

    (void)state;
    if (!capability_has(CAP_SYS_NICE))
        skip();
    assert_int_equal(pipe(ends), 0);
    assert_true(priority_idle());
    assert_int_equal(sched_getscheduler(0), SCHED_IDLE);
    assert_false(priority_idle()); /* it is not the usual one now */
    assert_int_equal(thread_start(&thread, 65536, report_policy, NULL), 0);
    priority_usual_all();
    assert_int_equal(sched_getscheduler(0), SCHED_OTHER);
    assert_int_equal(write(ends[1], "", 1), 1);
    pthread_join(thread, NULL);
    assert_int_equal(policy_after, SCHED_OTHER);
    close(ends[0]);
    close(ends[1]);
}

/* 1: it became idle. */
static int try_without_the_right(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}};

    setrlimit(RLIMIT_NICE, &(struct rlimit){0});
    if (syscall(SYS_capset, &head, none) < 0)
        return 2;
    return priority_idle() || sched_getscheduler(0) != SCHED_OTHER;
}

static void without_the_right_to_return_nothing_changes(void **state)
{
    pid_t child = fork();
    int status;

    (void)state;
    if (child == 0)
        _exit(try_without_the_right());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_and_what_it_starts_are_idle_until_all_return),
        cmocka_unit_test(without_the_right_to_return_nothing_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
