/* SPDX-License-Identifier: Apache-2.0
 *
 * A dump becomes a file that was not there, for the caller alone: by a rename, or by a copy where that can't be. The
 * test stands in for the rename.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "base/text.h"
#include "linux/interrupt.h"
#include "scratch.h"
#include "ship/new_file.h"
#include "stand_in.h"

static struct {
    char path[PATH_MAX + 16];
    struct heapdump dump;
    struct new_file to;
    int move_result; /* of heapdump_move; 0: the real one */
    int caught;      /* a signal */
    struct err e;
} t;

REAL(real_move, heapdump_move);
STANDS_IN(fake_move, heapdump_move);
int fake_move(struct heapdump *d, int folder, const char *name)
{
    return t.move_result ? t.move_result : real_move(d, folder, name);
}

STANDS_IN(fake_caught, interrupt_caught);
int fake_caught(void)
{
    return t.caught;
}

/* A dump in a folder of the JVM, which others could read. */
static void make_dump(const char *text)
{
    scratch_put("jvm", "heap.hprof", text);
    t.dump = (struct heapdump)HEAPDUMP_NONE;
    t.dump.folder = openat(scratch_fd, "jvm", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    t.dump.fd = openat(t.dump.folder, "heap.hprof", O_RDONLY | O_CLOEXEC);
    t.dump.name = strdup("heap.hprof");
    assert_true(t.dump.fd >= 0 && t.dump.name);
}

static int set_up(void **state)
{
    char folder[PATH_MAX];

    memset(&t, 0, sizeof(t));
    t.to = (struct new_file)NEW_FILE_NONE;
    t.dump = (struct heapdump)HEAPDUMP_NONE;
    stand_set_up();
    if (scratch_set_up(state) < 0 || !realpath(scratch_root, folder))
        return -1;
    snprintf(t.path, sizeof(t.path), "%s/out.hprof", folder);
    return 0;
}

static int tear_down(void **state)
{
    new_file_done(&t.to);
    heapdump_done(&t.dump);
    return scratch_tear_down(state);
}

static bool is_there(const char *path)
{
    return faccessat(scratch_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void assert_taken(const char *text)
{
    CLEANUP(buf_done) struct buf found = {0};
    struct stat st;

    assert_int_equal(file_load(scratch_fd, "out.hprof", &found), 0);
    assert_string_equal(buf_text(&found), text);
    assert_int_equal(fstatat(scratch_fd, "out.hprof", &st, AT_SYMLINK_NOFOLLOW), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_uid, geteuid());
    assert_false(is_there("jvm/heap.hprof"));
    assert_false(is_there(".out.hprof.part"));
}

static void a_dump_is_renamed_and_made_private(void **state)
{
    (void)state;
    make_dump("dump");
    assert_int_equal(new_file_open(t.path, &t.to, &t.e), 0);
    assert_false(is_there("out.hprof"));
    assert_int_equal(new_file_take_dump(&t.to, &t.dump), 0);
    assert_taken("dump");
}

static void a_dump_on_another_file_system_is_copied(void **state)
{
    (void)state;
    make_dump("dump");
    t.move_result = -EXDEV;
    assert_int_equal(new_file_open(t.path, &t.to, &t.e), 0);
    assert_int_equal(new_file_take_dump(&t.to, &t.dump), 0);
    assert_taken("dump");
}

static void a_file_that_is_there_is_refused_before_the_dump_is_made(void **state)
{
    (void)state;
    scratch_put(".", "out.hprof", "mine");
    assert_int_equal(new_file_open(t.path, &t.to, &t.e), -FAULT_EXISTS);
}

static void a_link_that_leads_nowhere_is_a_file_too(void **state)
{
    (void)state;
    assert_int_equal(symlinkat("nowhere", scratch_fd, "out.hprof"), 0);
    assert_int_equal(new_file_open(t.path, &t.to, &t.e), -FAULT_EXISTS);
}

static void a_folder_that_is_not_there_is_refused(void **state)
{
    (void)state;
    snprintf(t.path + strlen(t.path), sizeof(t.path) - strlen(t.path), "/deeper");
    assert_int_equal(new_file_open(t.path, &t.to, &t.e), -ENOENT);
}

static void assert_kept(int result)
{
    CLEANUP(buf_done) struct buf found = {0};

    assert_int_equal(new_file_take_dump(&t.to, &t.dump), result);
    assert_true(is_there("jvm/heap.hprof"));
    assert_false(is_there(".out.hprof.part"));
    if (file_load(scratch_fd, "out.hprof", &found) == 0)
        assert_string_equal(buf_text(&found), "mine");
}

static void a_file_that_came_meanwhile_is_not_replaced(void **state)
{
    (void)state;
    make_dump("dump");
    assert_int_equal(new_file_open(t.path, &t.to, &t.e), 0);
    scratch_put(".", "out.hprof", "mine");
    assert_kept(-EEXIST);
    t.move_result = -EXDEV;
    assert_kept(-EEXIST);
}

static void a_signal_ends_the_copy_and_the_dump_stays(void **state)
{
    (void)state;
    make_dump("dump");
    t.move_result = -EXDEV;
    assert_int_equal(new_file_open(t.path, &t.to, &t.e), 0);
    t.caught = SIGINT;
    assert_kept(-EINTR);
    assert_false(is_there("out.hprof"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_dump_is_renamed_and_made_private, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_dump_on_another_file_system_is_copied, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_is_there_is_refused_before_the_dump_is_made, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_link_that_leads_nowhere_is_a_file_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_that_is_not_there_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_came_meanwhile_is_not_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_signal_ends_the_copy_and_the_dump_stays, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
