/* SPDX-License-Identifier: Apache-2.0
 *
 * A loop that hangs, one that has seen the signal and hangs then, and one that ends by itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "watch/loop_watchdog.h"

enum { PATIENCE_MS = 200, GRACE_MS = 300, CODE = 75, OWN_CODE = 3, WITHIN_MS = 5000 };

static int to_loop; /* what a handler writes to, as libuv's does */

static void on_signal(int number)
{
    if (write(to_loop, &(char){(char)number}, 1) < 0)
        _exit(99);
}

static void last(void)
{
}

static _Noreturn void stay(void)
{
    for (;;)
        pause();
}

/* A loop's thread. hangs: it reads no signal. stays: it has seen one, and ends never. */
static _Noreturn void loop(int ready, bool hangs, bool stays)
{
    struct loop_watchdog *w;
    int ends[2];
    char number;

    if (pipe(ends) < 0)
        _exit(98);
    to_loop = ends[1];
    signal(SIGTERM, on_signal);
    w = loop_watchdog_start(PATIENCE_MS, GRACE_MS, last, CODE);
    if (!w || write(ready, "r", 1) != 1)
        _exit(97);
    if (hangs)
        stay();
    if (read(ends[0], &number, 1) != 1 || number != SIGTERM)
        _exit(96);
    loop_watchdog_seen(w);
    if (stays)
        stay();
    _exit(OWN_CODE);
}

/* The exit code after a SIGTERM, and how long that took. */
static int end_of(bool hangs, bool stays, uint64_t *ret_ms)
{
    int ready[2], status;
    uint64_t begun_ms;
    char byte;
    pid_t child;

    assert_return_code(pipe(ready), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        loop(ready[1], hangs, stays);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    begun_ms = clock_mono_ms();
    kill(child, SIGTERM);
    assert_int_equal(waitpid(child, &status, 0), child);
    *ret_ms = clock_mono_ms() - begun_ms;
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void a_loop_that_hangs_is_ended_after_a_while(void **state)
{
    uint64_t took_ms;

    (void)state;
    assert_int_equal(end_of(true, false, &took_ms), CODE);
    assert_in_range(took_ms, PATIENCE_MS, WITHIN_MS);
}

static void one_that_hangs_while_it_stops_is_ended_after_its_grace(void **state)
{
    uint64_t took_ms;

    (void)state;
    assert_int_equal(end_of(false, true, &took_ms), CODE);
    assert_in_range(took_ms, GRACE_MS + PATIENCE_MS, WITHIN_MS);
}

static void one_that_stops_ends_by_itself(void **state)
{
    uint64_t took_ms;

    (void)state;
    assert_int_equal(end_of(false, false, &took_ms), OWN_CODE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loop_that_hangs_is_ended_after_a_while),
        cmocka_unit_test(one_that_hangs_while_it_stops_is_ended_after_its_grace),
        cmocka_unit_test(one_that_stops_ends_by_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
