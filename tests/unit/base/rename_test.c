/* SPDX-License-Identifier: Apache-2.0
 *
 * A rename that never replaces a file, also where the file system can't do that in one step: the test stands in for the
 * kernel.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>

#include "base/buf.h"
#include "scratch.h"
#include "stand_in.h"

static int refusal; /* of renameat2; 0: it works */

REAL(real_renameat2, renameat2);
STANDS_IN(fake_renameat2, renameat2);
int fake_renameat2(int from_dirfd, const char *from, int to_dirfd, const char *to, unsigned flags)
{
    if (!refusal)
        return real_renameat2(from_dirfd, from, to_dirfd, to, flags);
    errno = refusal;
    return -1;
}

static void assert_text(const char *path, const char *text)
{
    CLEANUP(buf_done) struct buf found = {0};

    assert_int_equal(file_load(scratch_fd, path, &found), 0);
    assert_string_equal(buf_text(&found), text);
}

static void rename_each_way(int error)
{
    refusal = error;
    scratch_put(".", "new", "new");
    scratch_put("there", "old", "old");
    assert_int_equal(file_rename_new(scratch_fd, "new", scratch_fd, "there/old"), -EEXIST);
    assert_text("new", "new");
    assert_text("there/old", "old");
    assert_int_equal(file_rename_new(scratch_fd, "new", scratch_fd, "there/new"), 0);
    assert_text("there/new", "new");
    assert_int_equal(faccessat(scratch_fd, "new", F_OK, 0), -1);
    assert_int_equal(file_rename_new(scratch_fd, "none", scratch_fd, "x"), -ENOENT);
}

static void no_file_is_replaced(void **state)
{
    (void)state;
    rename_each_way(0);
}

static void no_file_is_replaced_on_nfs(void **state)
{
    (void)state;
    rename_each_way(EINVAL);
}

static void another_failure_is_one(void **state)
{
    (void)state;
    refusal = EROFS;
    scratch_put(".", "new", "new");
    assert_int_equal(file_rename_new(scratch_fd, "new", scratch_fd, "x"), -EROFS);
    assert_text("new", "new");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_file_is_replaced, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(no_file_is_replaced_on_nfs, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(another_failure_is_one, scratch_set_up, scratch_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
