/* SPDX-License-Identifier: Apache-2.0
 *
 * A folder for each run, and what becomes of those of earlier ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "run/rundir.h"

static char root[] = "rundir_test.XXXXXX";
static char base[sizeof(root) + 8];
static struct err e;

static int set_up(void **state)
{
    (void)state;
    memset(root + sizeof(root) - 7, 'X', 6);
    if (!mkdtemp(root))
        return -1;
    snprintf(base, sizeof(base), "%s/a/base", root);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return file_remove_tree(AT_FDCWD, root);
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static char *below(const char *folder, const char *name)
{
    char *path;

    assert_true(asprintf(&path, "%s/%s", folder, name) > 0);
    return path;
}

static void each_run_has_its_own(void **state)
{
    struct rundir a = RUNDIR_NONE, b = RUNDIR_NONE;
    CLEANUP_FREE char *first = NULL;

    (void)state;
    assert_int_equal(rundir_make(base, &a, &e), 0);
    assert_int_equal(rundir_make(base, &b, &e), 0);
    assert_string_not_equal(a.path, b.path);
    assert_true(a.base[0] == '/' && text_starts(a.path, a.base) && is_there(a.path) && is_there(b.path));
    first = strdup(a.path);
    rundir_done(&a);
    assert_false(is_there(first));
    assert_true(is_there(b.path));
    rundir_done(&b);
    assert_true(is_there(base));
    rundir_done(&b);
}

static void what_lies_in_it_stays(void **state)
{
    struct rundir a = RUNDIR_NONE, b = RUNDIR_NONE;
    CLEANUP_FREE char *file = NULL, *folder = NULL;

    (void)state;
    assert_int_equal(rundir_make(base, &a, &e), 0);
    folder = strdup(a.path);
    file = below(a.path, "java_pid7.hprof");
    close(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    rundir_done(&a);
    assert_true(is_there(file));
    assert_int_equal(rundir_make(base, &b, &e), 0);
    assert_true(is_there(file));
    unlink(file);
    rundir_done(&b);
    assert_int_equal(rundir_make(base, &b, &e), 0);
    assert_false(is_there(folder)); /* its run has ended, and it is empty */
    rundir_done(&b);
}

static void a_state_with_nothing_in_it_counts_as_empty(void **state)
{
    struct rundir a = RUNDIR_NONE;
    CLEANUP_FREE char *spool = NULL, *lock = NULL, *claim = NULL, *folder = NULL;

    (void)state;
    for (int full = 1; full >= 0; full--) {
        assert_int_equal(rundir_make(base, &a, &e), 0);
        free(folder);
        free(spool);
        free(lock);
        free(claim);
        folder = strdup(a.path);
        spool = below(a.path, ".salvage/spool");
        lock = below(a.path, ".salvage/lock");
        claim = below(spool, "0123456789abcdef");
        assert_int_equal(file_mkdirs(AT_FDCWD, full ? claim : spool, 0700), 0);
        close(open(lock, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        rundir_done(&a);
        assert_int_equal(is_there(folder), full);
        assert_int_equal(is_there(lock), full);
    }
}

static void nobody_else_may_write_there(void **state)
{
    struct rundir a = RUNDIR_NONE;
    struct stat st;

    (void)state;
    assert_int_equal(rundir_make(base, &a, &e), 0);
    assert_int_equal(stat(a.base, &st), 0);
    assert_int_equal(st.st_mode & 07777 & ~0111u, 0600);
    assert_int_equal(stat(a.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, geteuid() == 0 ? 01777 : 0700);
    rundir_done(&a);
}

static void what_cannot_be_used_is_refused(void **state)
{
    struct rundir a = RUNDIR_NONE;
    CLEANUP_FREE char *file = below(root, "file");

    (void)state;
    close(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    assert_int_equal(rundir_make(file, &a, &e), -FAULT_FOLDER);
    assert_non_null(strstr(e.msg, "Not a directory"));
    assert_non_null(strstr(e.msg, "--dir"));
    assert_int_equal(rundir_make("/proc/self", &a, &e), -FAULT_FOLDER);
    assert_null(a.path);
    assert_int_equal(a.lock_fd, -1);
    if (geteuid() == 0) {
        assert_int_equal(file_mkdirs(AT_FDCWD, base, 0700), 0);
        assert_int_equal(chown(base, 65534, 65534), 0);
        assert_int_equal(rundir_make(base, &a, &e), -FAULT_FOLDER);
        assert_non_null(strstr(e.msg, "belongs to uid 65534"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_run_has_its_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_lies_in_it_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_state_with_nothing_in_it_counts_as_empty, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_else_may_write_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_used_is_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
