/* SPDX-License-Identifier: Apache-2.0
 *
 * What tells one program from the next under the same pid: made up files, and ourselves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "linux/program.h"
#include "scratch.h"

#define STAT(name, started, code, stack)                                                                               \
    "7 (" name ") S 1 8 7 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 9 0 " started " 1000 200 18446744073709551615 " code       \
    " 30 " stack " 0 0 0\n"

static void the_same_until_it_executes_another(void **state)
{
    struct program first, second;

    (void)state;
    scratch_put("7", "stat", STAT("sh", "4711", "94", "140"));
    assert_int_equal(program_read(scratch_fd, 7, &first), 0);
    assert_int_equal(first.started, 4711);
    assert_int_equal(first.parent, 1);
    assert_int_equal(first.group, 8);
    assert_int_equal(first.code, 94);
    assert_int_equal(first.stack, 140);
    scratch_put("7", "stat", STAT("a) R 1 2 (b", "4711", "94", "140")); /* a name that it gave itself */
    assert_int_equal(program_read(scratch_fd, 7, &second), 0);
    assert_true(program_same(&first, &second));
    scratch_put("7", "stat", STAT("java", "4711", "95", "141"));
    assert_int_equal(program_read(scratch_fd, 7, &second), 0);
    assert_false(program_same(&first, &second));
    scratch_put("7", "stat", STAT("sh", "4712", "94", "140"));
    assert_int_equal(program_read(scratch_fd, 7, &second), 0);
    assert_false(program_same(&first, &second));
}

static void what_is_not_there_or_cut_short(void **state)
{
    struct program p = {.pid = 1};

    (void)state;
    assert_int_equal(program_read(scratch_fd, 8, &p), -ESRCH);
    scratch_put("8", "stat", "8 (x) S 1 2 3");
    assert_int_equal(program_read(scratch_fd, 8, &p), -EBADMSG);
    scratch_put("8", "stat", "");
    assert_int_equal(program_read(scratch_fd, 8, &p), -EBADMSG);
    assert_int_equal(p.pid, 1);
}

static void ourselves(void **state)
{
    CLEANUP_FD int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct program a, b;

    (void)state;
    assert_int_equal(program_read(proc, getpid(), &a), 0);
    assert_int_equal(program_read(proc, getpid(), &b), 0);
    assert_true(program_same(&a, &b) && a.started && a.code && a.stack);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_same_until_it_executes_another, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_there_or_cut_short, scratch_set_up, scratch_tear_down),
        cmocka_unit_test(ourselves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
