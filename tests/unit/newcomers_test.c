/* SPDX-License-Identifier: Apache-2.0
 *
 * Real processes that come, execute another program, and go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/newcomers.h"

struct told {
    pid_t wanted;
    unsigned wanted_times, others;
};

static void hear(void *ctx, pid_t pid)
{
    struct told *t = ctx;

    t->wanted_times += pid == t->wanted;
    t->others += pid != t->wanted;
}

static unsigned look_for(struct newcomers *n, pid_t pid)
{
    struct told t = {.wanted = pid};

    assert_int_equal(newcomers_look(n, "/proc", hear, &t), 0);
    return t.wanted_times;
}

/* A child that waits, and executes another program when it is told to. */
static pid_t start(int *ret_pipe)
{
    int pipe_fds[2];
    pid_t child;
    char byte;

    assert_int_equal(pipe(pipe_fds), 0);
    child = fork();
    if (child == 0) {
        close(pipe_fds[1]);
        if (read(pipe_fds[0], &byte, 1) == 1)
            execl("/bin/sleep", "sleep", "60", (char *)NULL);
        _exit(1);
    }
    close(pipe_fds[0]);
    *ret_pipe = pipe_fds[1];
    return child;
}

static void each_process_is_told_once_and_again_as_another_program(void **state)
{
    struct newcomers n = {0};
    unsigned again = 0;
    int fd;
    pid_t child = start(&fd);

    (void)state;
    assert_int_equal(look_for(&n, getpid()), 1);
    assert_int_equal(look_for(&n, getpid()), 0);
    assert_int_equal(look_for(&n, child), 0);
    assert_int_equal(write(fd, "x", 1), 1);
    for (int i = 0; i < 500 && again == 0; i++) {
        usleep(10000);
        again = look_for(&n, child);
    }
    assert_int_equal(again, 1);
    assert_int_equal(look_for(&n, child), 0);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(fd);
    assert_int_equal(look_for(&n, child), 0);
    newcomers_done(&n);
}

static void a_child_that_came_in_between_is_told(void **state)
{
    struct newcomers n = {0};
    int fd;
    pid_t child;

    (void)state;
    look_for(&n, 0);
    child = start(&fd);
    assert_int_equal(look_for(&n, child), 1);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(fd);
    newcomers_done(&n);
}

static void without_a_proc_nothing_is_forgotten(void **state)
{
    struct newcomers n = {0};
    struct told t = {0};

    (void)state;
    look_for(&n, 0);
    assert_int_equal(newcomers_look(&n, "/nowhere", hear, &t), -ENOENT);
    assert_int_equal(t.others, 0);
    assert_int_equal(look_for(&n, getpid()), 0);
    newcomers_done(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_process_is_told_once_and_again_as_another_program),
        cmocka_unit_test(a_child_that_came_in_between_is_told),
        cmocka_unit_test(without_a_proc_nothing_is_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
