/* SPDX-License-Identifier: Apache-2.0
 *
 * What becomes of a dump that lies there; the JVM is this process, and its working folder is where the test runs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fnmatch.h>
#include <sys/stat.h>

#include "hotspot/heapdump.h"
#include "scratch.h"

static struct jvm self(void)
{
    struct jvm j = JVM_NONE;

    assert_int_equal(proc_open("/proc", getpid(), &j.proc), 0);
    assert_int_equal(proc_status(&j.proc, &j.status), 0);
    return j;
}

/* As heapdump_make returns it. */
static struct heapdump make(const struct jvm *j)
{
    struct heapdump d = HEAPDUMP_NONE;
    CLEANUP_FD int fd = -1;

    assert_int_equal(dumpfolder_make(j, scratch_root, &d.own), 0);
    d.folder = dup(scratch_fd);
    d.name = strdup("java_pid7.hprof");
    d.outer = strdup(scratch_root);
    fd = openat(d.own.fd, d.name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_int_equal(file_write(fd, "dump", 4), 0);
    d.fd = openat(d.own.fd, d.name, O_RDONLY | O_CLOEXEC);
    assert_true(d.fd >= 0);
    return d;
}

static unsigned entries(int fd)
{
    DIR *folder = file_opendir(fd, ".");
    unsigned count = 0;

    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count - 2;
}

static void an_estimate_is_never_less_than_the_heap(void **state)
{
    (void)state;
    assert_true(heapdump_estimate(0) > 0);
    assert_true(heapdump_estimate(100 << 20) >= 175 << 20 && heapdump_estimate(100 << 20) < 200 << 20);
    assert_true(heapdump_estimate(UINT64_MAX) == UINT64_MAX);
    assert_true(heapdump_estimate(UINT64_MAX / 2 - 1) > UINT64_MAX / 2);
}

static void a_name_is_what_a_watch_knows(void **state)
{
    const struct jvm j = {.status.inner_pid = 7};
    char name[HEAPDUMP_NAME_MAX];

    (void)state;
    assert_int_equal(fnmatch("java_pid7-*Z.hprof", heapdump_name(&j, false, name), 0), 0);
    assert_int_equal(fnmatch("java_pid7-*Z.hprof.gz", heapdump_name(&j, true, name), 0), 0);
}

static void a_folder_of_its_own_is_hidden_and_closed_to_others(void **state)
{
    struct jvm j = self();
    struct dumpfolder one = DUMPFOLDER_NONE, missing = DUMPFOLDER_NONE;
    struct stat st;

    (void)state;
    assert_int_equal(dumpfolder_make(&j, scratch_root, &one), 0);
    assert_int_equal(fnmatch(".salvage-*", one.name, 0), 0);
    assert_true(strncmp(one.inner, scratch_root, strlen(scratch_root)) == 0);
    assert_int_equal(fstat(one.fd, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    dumpfolder_remove(&one);
    assert_int_equal(entries(scratch_fd), 0);
    assert_int_equal(dumpfolder_make(&j, "/proc/nowhere", &missing), -ENOENT);
    assert_int_equal(missing.fd, -1);
    jvm_done(&j);
}

static void one_that_is_removed_leaves_nothing(void **state)
{
    struct jvm j = self();
    struct heapdump d = make(&j);

    (void)state;
    assert_int_equal(mknodat(d.own.fd, "java_pid7.hprof.p0", S_IFREG | 0600, 0), 0);
    assert_int_equal(mknodat(d.own.fd, "java_pid7.hprof.p255", S_IFREG | 0600, 0), 0);
    heapdump_remove(&d);
    assert_int_equal(entries(scratch_fd), 0);
    heapdump_done(&d);
    jvm_done(&j);
}

static void one_that_stays_gets_a_name(void **state)
{
    struct jvm j = self();
    struct heapdump d = make(&j);
    CLEANUP_FREE char *path = NULL;
    struct stat st;

    (void)state;
    assert_int_equal(heapdump_leave(&d, &j, false, &path), 0);
    assert_int_equal(fnmatch("*/java_pid*.hprof", path, 0), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(entries(scratch_fd), 1);
    heapdump_done(&d);
    jvm_done(&j);
}

static void one_is_not_moved_over_another_file(void **state)
{
    struct jvm j = self();
    struct heapdump d = make(&j);

    (void)state;
    scratch_put(".", "x", "precious");
    assert_int_equal(heapdump_move(&d, scratch_fd, "x"), -EEXIST);
    assert_true(d.own.fd >= 0);
    assert_int_equal(heapdump_move(&d, scratch_fd, "y"), 0);
    assert_int_equal(entries(scratch_fd), 2);
    heapdump_done(&d);
    jvm_done(&j);
}

/* The JVM's user may write there as long as it is not ours. */
static void another_file_in_its_place_is_not_taken(void **state)
{
    struct jvm j = self();
    struct heapdump d = make(&j);
    struct stat st;

    (void)state;
    assert_int_equal(unlinkat(d.own.fd, d.name, 0), 0);
    assert_int_equal(symlinkat("/etc/passwd", d.own.fd, d.name), 0);
    assert_int_equal(heapdump_move(&d, scratch_fd, "x"), -EXDEV);
    assert_int_equal(fstatat(scratch_fd, "x", &st, AT_SYMLINK_NOFOLLOW), -1);
    heapdump_remove(&d);
    assert_int_equal(entries(scratch_fd), 0);
    heapdump_done(&d);
    jvm_done(&j);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_estimate_is_never_less_than_the_heap),
        cmocka_unit_test(a_name_is_what_a_watch_knows),
        TEST(a_folder_of_its_own_is_hidden_and_closed_to_others),
        TEST(one_that_is_removed_leaves_nothing),
        TEST(one_that_stays_gets_a_name),
        TEST(one_is_not_moved_over_another_file),
        TEST(another_file_in_its_place_is_not_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
