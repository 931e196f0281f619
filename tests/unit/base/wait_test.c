/* SPDX-License-Identifier: Apache-2.0
 *
 * Waits end when a child or a descriptor is ready, or in time, and signals do not end them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/wait.h"

static void on_alarm(int number)
{
    (void)number;
}

/* Interrupts whatever waits so often; 0: no longer. */
static void interrupt_every(suseconds_t us)
{
    struct sigaction handler = {.sa_handler = on_alarm};
    struct itimerval timer = {.it_interval = {.tv_usec = us}, .it_value = {.tv_usec = us}};

    sigaction(SIGALRM, &handler, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
}

static pid_t start_child(unsigned ms, int code)
{
    pid_t child = fork();

    if (child == 0) {
        clock_sleep_ms(ms);
        _exit(code);
    }
    assert_true(child > 0);
    return child;
}

static void a_child_is_reaped_once_whatever_signals_come(void **state)
{
    pid_t child = start_child(50, 7);
    int status;

    (void)state;
    interrupt_every(2000);
    status = wait_child(child);
    interrupt_every(0);
    assert_true(status >= 0 && WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
    assert_int_equal(wait_child(child), -ECHILD);
}

static void a_child_that_outlives_its_time_is_not_reaped(void **state)
{
    pid_t child = start_child(10000, 0);
    int status;

    (void)state;
    assert_int_equal(wait_child_until(child, clock_mono_ms() + 20), -ETIMEDOUT);
    kill(child, SIGKILL);
    status = wait_child_until(child, clock_mono_ms() + 10000);
    assert_true(status >= 0 && WIFSIGNALED(status));
}

static void a_descriptor_is_found_ready_even_if_the_time_is_up(void **state)
{
    int ends[2];
    struct pollfd fd = {.events = POLLIN};

    (void)state;
    assert_int_equal(pipe(ends), 0);
    fd.fd = ends[0];
    assert_int_equal(wait_ready(&fd, 1, 0), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(wait_ready(&fd, 1, 0), 1);
    close(ends[0]);
    close(ends[1]);
}

static void signals_do_not_end_a_wait_for_a_descriptor(void **state)
{
    struct pollfd none = {.fd = -1};
    uint64_t begun = clock_mono_ms();

    (void)state;
    interrupt_every(2000);
    assert_int_equal(wait_ready(&none, 1, begun + 40), 0);
    interrupt_every(0);
    assert_true(clock_mono_ms() - begun >= 40);
}

static void a_timeout_is_what_poll_takes(void **state)
{
    (void)state;
    assert_int_equal(wait_timeout(1000, 1250), 250);
    assert_int_equal(wait_timeout(1000, 1000), 0);
    assert_int_equal(wait_timeout(1000, 1), 0);
    assert_int_equal(wait_timeout(1000, UINT64_MAX), -1);
    assert_int_equal(wait_timeout(0, (uint64_t)INT_MAX + 1), INT_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_is_reaped_once_whatever_signals_come),
        cmocka_unit_test(a_child_that_outlives_its_time_is_not_reaped),
        cmocka_unit_test(a_descriptor_is_found_ready_even_if_the_time_is_up),
        cmocka_unit_test(signals_do_not_end_a_wait_for_a_descriptor),
        cmocka_unit_test(a_timeout_is_what_poll_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
