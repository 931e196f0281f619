/* SPDX-License-Identifier: Apache-2.0
 *
 * Which file is a JVM's dump, and which only looks like it. This process stands for the JVM.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "ship/oomdump.h"

enum { PID = 7 };

static char root[PATH_MAX];

static int make_root(void **state)
{
    (void)state;
    snprintf(root, sizeof(root), "/tmp/oomdump_test-XXXXXX");
    return mkdtemp(root) && chdir(root) == 0 ? 0 : -1;
}

static int remove_root(void **state)
{
    (void)state;
    return chdir("/") < 0 || file_remove_tree(AT_FDCWD, root) < 0 ? -1 : 0;
}

/* age_s: how long ago it was written to. Its birth is now: a file system's own word. */
static void write_dump(const char *path, int age_s)
{
    struct timespec times[2] = {{0}, {0}};
    CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    times[0].tv_sec = times[1].tv_sec = (time_t)(clock_wall_ns() / 1000000000 - age_s);
    assert_int_equal(futimens(fd, times), 0);
}

/* A JVM that was started so long ago. */
static void make_jvm(struct jvm *j, int age_s)
{
    *j = (struct jvm)JVM_NONE;
    assert_int_equal(proc_open("/proc", getpid(), &j->proc), 0);
    assert_int_equal(proc_status(&j->proc, &j->status), 0);
    j->status.inner_pid = PID;
    j->started_ns = clock_wall_ns() - age_s * INT64_C(1000000000);
}

static void find(struct jvm *j, char *path, struct oomdump *ret)
{
    struct jvmopts o = JVMOPTS_NONE;
    struct err e = {0};

    o.heap_dump = 1;
    o.heap_dump_path = path;
    assert_int_equal(oomdump_find(j, &o, ret, &e), 0);
}

static void assert_found(const char *heap_dump_path, int jvm_age_s, const char *name)
{
    CLEANUP(jvm_done) struct jvm j = JVM_NONE;
    CLEANUP(oomdump_done) struct oomdump d = {0};
    CLEANUP_FREE char *path = heap_dump_path ? strdup(heap_dump_path) : NULL;
    char expected[PATH_MAX + 64];

    make_jvm(&j, jvm_age_s);
    find(&j, path, &d);
    snprintf(expected, sizeof(expected), "%s/%s", root, name);
    assert_true(d.here);
    assert_string_equal(d.path, expected);
}

static void assert_not_found(const char *heap_dump_path, int jvm_age_s)
{
    CLEANUP(jvm_done) struct jvm j = JVM_NONE;
    CLEANUP(oomdump_done) struct oomdump d = {0};
    CLEANUP_FREE char *path = heap_dump_path ? strdup(heap_dump_path) : NULL;

    make_jvm(&j, jvm_age_s);
    find(&j, path, &d);
    assert_false(d.here);
    assert_non_null(d.path);
}

static void a_dump_has_the_name_of_its_process_or_the_given_one(void **state)
{
    (void)state;
    write_dump("java_pid7.hprof", 0);
    assert_found(NULL, 60, "java_pid7.hprof");
    assert_found("", 60, "java_pid7.hprof");
    assert_found(root, 60, "java_pid7.hprof");
    assert_found(".", 60, "./java_pid7.hprof");
    assert_not_found("java_pid8.hprof", 60);
    assert_int_equal(rename("java_pid7.hprof", "java_pid7.hprof.gz"), 0);
    assert_found(NULL, 60, "java_pid7.hprof.gz");
    write_dump("app-7.hprof", 0);
    assert_found("app-%p.hprof", 60, "app-7.hprof");
    assert_int_equal(rename("app-7.hprof", "app-%p.hprof"), 0); /* before JDK 23 */
    assert_found("app-%p.hprof", 60, "app-%p.hprof");
}

static void the_newest_of_several_counts(void **state)
{
    (void)state;
    write_dump("app.hprof", 20);
    write_dump("app.hprof.1", 10);
    write_dump("app.hprof.10", 1);
    write_dump("app.hprof.p0", 0);
    write_dump("app.hprof.", 0);
    write_dump("app.hprofs", 0);
    assert_found("app.hprof", 60, "app.hprof.10");
}

static void what_is_older_than_its_process_is_another_ones(void **state)
{
    CLEANUP(jvm_done) struct jvm j = JVM_NONE;
    CLEANUP(oomdump_done) struct oomdump d = {0};
    char name[] = "app.hprof", why[400];
    struct jvmopts o = JVMOPTS_NONE;

    (void)state;
    write_dump(name, 120);
    assert_found("app.hprof", 600, "app.hprof");
    make_jvm(&j, 60);
    find(&j, name, &d);
    assert_false(d.here);
    assert_non_null(d.leftover);
    o.heap_dump = 1;
    assert_non_null(strstr(oomdump_why(&o, &d, why, sizeof(why)), "from an older process"));
    write_dump(name, 3600); /* and not this out of memory's either */
    assert_not_found("app.hprof", 7200);
}

static void a_link_or_a_folder_is_no_dump(void **state)
{
    (void)state;
    write_dump("elsewhere", 0);
    assert_int_equal(symlink("elsewhere", "app.hprof"), 0);
    assert_not_found("app.hprof", 60);
    assert_int_equal(mkdir("java_pid7.hprof", 0700), 0);
    assert_not_found(NULL, 60);
    assert_not_found("/nowhere/at/all/x.hprof", 60);
}

static void a_watch_is_seen_by_its_lock(void **state)
{
    CLEANUP(jvm_done) struct jvm j = JVM_NONE;
    CLEANUP(oomdump_done) struct oomdump without = {0}, with = {0};
    CLEANUP_FD int lock = -1;
    char name[] = "sub/app.hprof";
    struct jvmopts o = JVMOPTS_NONE;

    (void)state;
    o.heap_dump = 1;
    assert_int_equal(mkdir("sub", 0700), 0);
    assert_int_equal(mkdir(".salvage", 0700), 0);
    lock = open(".salvage/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(lock >= 0);
    make_jvm(&j, 60);
    find(&j, name, &without);
    assert_false(without.watched);
    assert_false(oomdump_taken(&o, &without));
    assert_int_equal(flock(lock, LOCK_EX), 0);
    find(&j, name, &with);
    assert_true(with.watched);
    assert_true(oomdump_taken(&o, &with));
    o.heap_dump = 0;
    assert_false(oomdump_taken(&o, &with));
    o.heap_dump = 1;
    with.here = true;
    assert_false(oomdump_taken(&o, &with));
    oomdump_await_watch(&with); /* it is not there: taken */
    assert_false(with.here);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_root, remove_root)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_dump_has_the_name_of_its_process_or_the_given_one),
        TEST(the_newest_of_several_counts),
        TEST(what_is_older_than_its_process_is_another_ones),
        TEST(a_link_or_a_folder_is_no_dump),
        TEST(a_watch_is_seen_by_its_lock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
