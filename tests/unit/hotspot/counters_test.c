/* SPDX-License-Identifier: Apache-2.0
 *
 * The counters of made up JVMs, in roots of their own: found by the mapping and by the name, and what may lie there in
 * their place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "hotspot/counters.h"
#include "hsperf_make.h"
#include "scratch.h"

enum { PID = 4711 };

static const char NAME[] = "container/tmp/hsperfdata_app/1",
                  MAPPED[] = "7f00-7f08 rw-s 0 fd:01 7  /tmp/hsperfdata_app/1";

/* A process that is number 1 of its container, with a file mapped. */
static void make_process(struct proc *ret, const char *maps)
{
    char path[PATH_MAX], status[200];

    assert_non_null(realpath(scratch_root, path));
    snprintf(status, sizeof(status), "State:\tT\nUid:\t0\t%u\t0\t0\nGid:\t0\t0\t0\t0\nNSpid:\t4711\t1\n",
             (unsigned)geteuid());
    scratch_put("4711", "status", status);
    scratch_put("4711", "maps", maps);
    strncat(path, "/container", sizeof(path) - strlen(path) - 1);
    assert_int_equal(symlinkat(path, scratch_fd, "4711/root"), 0);
    assert_int_equal(file_mkdirs(scratch_fd, "container/tmp/hsperfdata_app", 0755), 0);
    assert_int_equal(proc_open(scratch_root, PID, ret), 0);
}

static void put_bytes(const char *path, const void *data, size_t size)
{
    CLEANUP_FD int fd = openat(scratch_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(file_write(fd, data, size), 0);
}

static void put_counters(const char *path, int64_t n)
{
    struct hsperf_made m = hsperf_make(false);

    hsperf_make_long(&m, "n", n);
    put_bytes(path, m.data, sizeof(m.data));
}

static void assert_reads(const struct proc *p, int64_t expected)
{
    CLEANUP(counters_done) struct counters c = {0};
    struct err e = {0};
    int64_t n = 0;

    if (counters_read(p, &c, &e) < 0)
        fail_msg("%s", e.msg);
    assert_true(hsperf_long(&c.perf, "n", &n));
    assert_int_equal(n, expected);
}

static void assert_fails(const struct proc *p, int code, const char *story)
{
    CLEANUP(counters_done) struct counters c = {0};
    struct err e = {0};

    assert_int_equal(counters_read(p, &c, &e), code);
    if (!strstr(e.msg, story))
        fail_msg("'%s' is not in: %s", story, e.msg);
    assert_null(c.bytes.data);
}

static void they_are_found_by_name_in_the_jvms_root(void **state)
{
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    char maps[200];

    (void)state;
    /* A tool that has mapped another JVM's. A root below ours stands before the path. */
    snprintf(maps, sizeof(maps), "7e00-7e08 r--s 0 fd:01 7 /tmp/hsperfdata_app/12\n%s\n",
             "7f00-7f08 rw-s 0 fd:01 7  /srv/jail/tmp/hsperfdata_app/1");
    make_process(&p, maps);
    put_counters(NAME, 42);
    put_counters("container/tmp/hsperfdata_app/12", 12);
    assert_reads(&p, 42);
}

static void they_are_found_by_the_mapping_when_the_name_is_gone(void **state)
{
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    char maps[200], path[PATH_MAX];

    (void)state;
    snprintf(maps, sizeof(maps), "%s (deleted)\n", MAPPED);
    make_process(&p, maps);
    put_counters(NAME, 1);
    assert_fails(&p, -EACCES, "were deleted: only root"); /* what lies there now is another's */
    assert_int_equal(file_mkdirs(scratch_fd, "4711/map_files", 0755), 0);
    put_counters("held", 2);
    assert_non_null(realpath(scratch_root, path));
    strncat(path, "/held", sizeof(path) - strlen(path) - 1);
    assert_int_equal(symlinkat(path, scratch_fd, "4711/map_files/7f00-7f08"), 0);
    assert_reads(&p, 2);
}

static void a_jvm_may_have_none(void **state)
{
    CLEANUP(proc_done) struct proc p = PROC_NONE;

    (void)state;
    make_process(&p, "7e00-7e08 r--s 0 fd:01 7 /tmp/hsperfdata_app/12\n7e00-7e08 r--s 0 fd:01 7 /1\n"
                     "7e00-7e08 r--s 0 fd:01 7 /tmp/hsperfdata_app/x/1\n7e00-7e08 r--s 0 fd:01 7 /hsperfdata/1\n");
    put_counters(NAME, 1);
    assert_fails(&p, -ENOENT, "-XX:-UsePerfData");
}

static void what_a_stranger_put_there_is_not_read(void **state)
{
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    char maps[200];

    (void)state;
    snprintf(maps, sizeof(maps), "%s\n", MAPPED);
    make_process(&p, maps);
    assert_fails(&p, -ENOENT, "cannot be read");
    put_counters("container/tmp/elsewhere", 1);
    assert_int_equal(symlinkat("/tmp/elsewhere", scratch_fd, NAME), 0);
    assert_fails(&p, -EPERM, "is a link");
    unlinkat(scratch_fd, NAME, 0);
    assert_int_equal(mkfifoat(scratch_fd, NAME, 0600), 0);
    assert_fails(&p, -EPERM, "is no regular file");
    unlinkat(scratch_fd, NAME, 0);
    assert_int_equal(mkdirat(scratch_fd, NAME, 0700), 0);
    assert_fails(&p, -EPERM, "is no regular file");
    unlinkat(scratch_fd, NAME, AT_REMOVEDIR);
    put_counters(NAME, 1);
    if (fchownat(scratch_fd, NAME, 4711, (gid_t)-1, 0) == 0)
        assert_fails(&p, -EPERM, "another user's file");
}

static void a_file_that_makes_no_sense_is_told_apart_from_one_in_the_making(void **state)
{
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    char maps[200];

    (void)state;
    snprintf(maps, sizeof(maps), "%s\n", MAPPED);
    make_process(&p, maps);
    put_bytes(NAME, "", 0);
    assert_fails(&p, -EAGAIN, "starting up");
    put_bytes(NAME, "\xca\xfe\xc0\xc0\1\2\0\1", 8);
    assert_fails(&p, -FAULT_FORMAT, "not in HotSpot's format");
    put_bytes(NAME, "garbage that is longer than a prologue is", 41);
    assert_fails(&p, -FAULT_FORMAT, "not in HotSpot's format");
    put_counters(NAME, 1);
    {
        CLEANUP_FD int fd = openat(scratch_fd, NAME, O_WRONLY | O_CLOEXEC);

        assert_int_equal(ftruncate(fd, 16 * 1024 * 1024 + 1), 0);
        assert_fails(&p, -FAULT_FORMAT, "larger than 16 MiB");
        assert_int_equal(ftruncate(fd, 16 * 1024 * 1024), 0);
    }
    assert_reads(&p, 1);
}

static void a_second_reading_sees_what_is_new(void **state)
{
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    CLEANUP(counters_done) struct counters c = {0};
    CLEANUP_FD int fd = -1;
    struct err e = {0};
    char maps[200];

    (void)state;
    snprintf(maps, sizeof(maps), "%s\n", MAPPED);
    make_process(&p, maps);
    put_counters(NAME, 1);
    assert_true((fd = counters_open(&p, &e)) >= 0);
    for (int64_t i = 1; i < 4; i++) {
        int64_t n;

        put_counters(NAME, i);
        assert_int_equal(counters_load(&p, fd, &c, &e), 0);
        assert_true(hsperf_long(&c.perf, "n", &n));
        assert_int_equal(n, i);
    }
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, scratch_set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(they_are_found_by_name_in_the_jvms_root),
        EACH(they_are_found_by_the_mapping_when_the_name_is_gone),
        EACH(a_jvm_may_have_none),
        EACH(what_a_stranger_put_there_is_not_read),
        EACH(a_file_that_makes_no_sense_is_told_apart_from_one_in_the_making),
        EACH(a_second_reading_sees_what_is_new),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
