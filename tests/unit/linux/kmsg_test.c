/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel log by a pipe that keeps packets apart, as /dev/kmsg does; and its clock.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "linux/kmsg.h"

enum { SECOND = 1000 * 1000 };

static const int64_t MS_NS = 1000 * 1000;
static struct kmsgrecord record;

static uint64_t mono_usec(void)
{
    return clock_mono_ms() * 1000;
}

static void put(int fd, uint64_t usec, const char *text)
{
    char line[256];
    int n = snprintf(line, sizeof(line), "6,1,%llu,-;%s\n", (unsigned long long)usec, text);

    assert_int_equal(write(fd, line, (size_t)n), n);
}

/* The log from its oldest record; *ret_in: to write to it. */
static struct kmsg open_pipe(int *ret_in)
{
    struct kmsg k = KMSG_NONE;
    struct err e;
    char path[32];
    int fd[2];

    assert_int_equal(pipe2(fd, O_DIRECT | O_CLOEXEC), 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd[0]);
    assert_int_equal(kmsg_open(path, true, &k, &e), 0);
    close(fd[0]);
    *ret_in = fd[1];
    return k;
}

static void records_one_by_one(void **state)
{
    CLEANUP_FD int in = -1;
    CLEANUP(kmsg_done) struct kmsg k = open_pipe(&in);

    (void)state;
    assert_int_equal(kmsg_read(&k, &record), 0);
    put(in, 5, "first");
    assert_int_equal(write(in, "nonsense", 8), 8);
    put(in, 6, "second");
    assert_int_equal(kmsg_read(&k, &record), 1);
    assert_string_equal(record.text, "first");
    assert_int_equal(kmsg_read(&k, &record), 1);
    assert_string_equal(record.text, "second");
    assert_int_equal(kmsg_read(&k, &record), 0);
}

static void expect_age(const struct kmsg *k, uint64_t usec, int64_t age_ms)
{
    int64_t told_ms = (clock_wall_ns() - kmsg_wall_ns(k, usec)) / MS_NS;

    if (told_ms < age_ms - 200 || told_ms > age_ms + 2000)
        fail_msg("%lld ms ago, and not %lld", (long long)told_ms, (long long)age_ms);
}

static void an_old_record_is_as_old_as_its_time_says(void **state)
{
    CLEANUP_FD int in = -1;
    CLEANUP(kmsg_done) struct kmsg k = open_pipe(&in);
    uint64_t now = mono_usec();

    (void)state;
    assert_true(now > 30 * SECOND);
    put(in, now - 20 * SECOND, "x");
    assert_int_equal(kmsg_read(&k, &record), 1);
    expect_age(&k, record.usec, 20 * 1000);
}

static void no_record_is_of_the_future(void **state)
{
    CLEANUP_FD int in = -1;
    CLEANUP(kmsg_done) struct kmsg k = open_pipe(&in);
    uint64_t now = mono_usec();

    (void)state;
    put(in, now + 30 * SECOND, "x");
    put(in, now + 10 * SECOND, "x");
    assert_int_equal(kmsg_read(&k, &record), 1);
    expect_age(&k, record.usec, 0);
    assert_int_equal(kmsg_read(&k, &record), 1);
    expect_age(&k, record.usec, 20 * 1000);
}

static void what_was_waited_for_is_of_now(void **state)
{
    CLEANUP_FD int in = -1;
    CLEANUP(kmsg_done) struct kmsg k = open_pipe(&in);
    uint64_t now = mono_usec();

    (void)state;
    assert_int_equal(kmsg_read(&k, &record), 0);
    put(in, now - 25 * SECOND, "x"); /* the kernel's clock is slow */
    assert_int_equal(kmsg_read(&k, &record), 1);
    expect_age(&k, record.usec, 0);
}

static void without_a_log_it_is_said_what_is_missing(void **state)
{
    struct kmsg k = KMSG_NONE;
    struct err e;

    (void)state;
    assert_int_equal(kmsg_open("/nonexistent/kmsg", true, &k, &e), -FAULT_UNREADABLE);
    assert_non_null(strstr(e.msg, "/nonexistent/kmsg"));
    assert_int_equal(k.fd, -1);
    /* A file that cannot be sought in has no "from now on". */
    CLEANUP_FD int in = -1;
    CLEANUP(kmsg_done) struct kmsg other = open_pipe(&in);
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", other.fd);
    assert_int_equal(kmsg_open(path, false, &k, &e), -FAULT_UNREADABLE);
    assert_int_equal(k.fd, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_one_by_one),
        cmocka_unit_test(an_old_record_is_as_old_as_its_time_says),
        cmocka_unit_test(no_record_is_of_the_future),
        cmocka_unit_test(what_was_waited_for_is_of_now),
        cmocka_unit_test(without_a_log_it_is_said_what_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
