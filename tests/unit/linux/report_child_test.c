/* SPDX-License-Identifier: Apache-2.0
 *
 * A child's records arrive in order; its end, its crash and its silence are told apart; it never outlives its parent's
 * interest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "linux/report_child.h"

enum { SOON_MS = 10 * 1000 };

struct record {
    int number;
    char text[60];
};

static void report_three(int to, const void *ctx)
{
    struct record r = {.number = *(const int *)ctx, .text = "x"};

    for (int i = 0; i < 3; i++, r.number++)
        report_child_write(to, &r, sizeof(r));
}

static void report_half(int to, const void *ctx)
{
    struct record r = {.number = 1};

    (void)ctx;
    report_child_write(to, &r, sizeof(r) / 2);
}

static void report_and_crash(int to, const void *ctx)
{
    report_three(to, ctx);
    raise(SIGKILL);
}

static void hang(int to, const void *ctx)
{
    (void)to;
    (void)ctx;
    for (;;)
        pause();
}

static int next(struct report_child *c, struct record *ret)
{
    return report_child_read(c, ret, sizeof(*ret), clock_mono_ms() + SOON_MS, -1);
}

static void records_come_in_order_and_then_the_end(void **state)
{
    struct report_child c = REPORT_CHILD_NONE;
    struct record r;
    int first = 5;

    (void)state;
    assert_int_equal(report_child_start(&c, report_three, &first), 0);
    for (int i = 5; i < 8; i++) {
        assert_int_equal(next(&c, &r), 1);
        assert_int_equal(r.number, i);
        assert_string_equal(r.text, "x");
    }
    assert_int_equal(next(&c, &r), 0);
    assert_int_equal(c.pid, 0);
    report_child_end(&c);
}

static void a_crash_is_no_end(void **state)
{
    struct report_child c = REPORT_CHILD_NONE;
    struct record r;
    int first = 0;

    (void)state;
    assert_int_equal(report_child_start(&c, report_and_crash, &first), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(next(&c, &r), 1);
    assert_int_equal(next(&c, &r), -ECHILD);
}

static void half_a_record_is_none(void **state)
{
    struct report_child c = REPORT_CHILD_NONE;
    struct record r;

    (void)state;
    assert_int_equal(report_child_start(&c, report_half, NULL), 0);
    assert_int_equal(next(&c, &r), 0);
}

static void a_silent_child_is_waited_for_until_its_time_and_then_ended(void **state)
{
    struct report_child c = REPORT_CHILD_NONE;
    struct record r;
    pid_t pid;

    (void)state;
    assert_int_equal(report_child_start(&c, hang, NULL), 0);
    pid = c.pid;
    assert_int_equal(report_child_read(&c, &r, sizeof(r), clock_mono_ms() + 20, -1), -ETIMEDOUT);
    report_child_end(&c);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(errno, ESRCH);
    report_child_end(&c);
}

static void another_descriptor_stops_the_wait(void **state)
{
    struct report_child c = REPORT_CHILD_NONE;
    struct record r;
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(report_child_start(&c, hang, NULL), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(report_child_read(&c, &r, sizeof(r), clock_mono_ms() + SOON_MS, ends[0]), -ECANCELED);
    report_child_end(&c);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_in_order_and_then_the_end),
        cmocka_unit_test(a_crash_is_no_end),
        cmocka_unit_test(half_a_record_is_none),
        cmocka_unit_test(a_silent_child_is_waited_for_until_its_time_and_then_ended),
        cmocka_unit_test(another_descriptor_stops_the_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
