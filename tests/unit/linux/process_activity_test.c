/* SPDX-License-Identifier: Apache-2.0
 *
 * Activity: a process that sleeps now and then or computes moves, one that is stopped does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "linux/process_activity.h"

static void rest(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static pid_t start(bool computes)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* not left to compute for ever when the test is killed */
    for (volatile unsigned n = 0;; n++)
        if (!computes)
            rest(10);
}

static bool moves(pid_t pid)
{
    uint64_t before, after;

    assert_int_equal(process_activity_get("/proc", pid, &before), 0);
    rest(300);
    assert_int_equal(process_activity_get("/proc", pid, &after), 0);
    return before != after;
}

static void what_is_stopped_does_not_move(void **state)
{
    (void)state;
    for (int computes = 0; computes < 2; computes++) {
        pid_t pid = start(computes != 0);

        assert_true(pid > 0);
        assert_true(moves(pid));
        assert_int_equal(kill(pid, SIGSTOP), 0);
        assert_int_equal(waitpid(pid, NULL, WUNTRACED), pid);
        assert_false(moves(pid));
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_true(process_activity_get("/proc", pid, &(uint64_t){0}) < 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_stopped_does_not_move)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
