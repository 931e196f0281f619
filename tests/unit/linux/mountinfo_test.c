/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel's list of mounts: names with blanks, lines cut short, and what lies below what.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "linux/mountinfo.h"

static char told[1024];

static int tell(void *ctx, const struct mount *m)
{
    size_t length = strlen(told);

    snprintf(told + length, sizeof(told) - length, "%d %u:%u %s at %s;", (int)m->id, m->major, m->minor, m->root,
             m->point);
    return ctx && *(int *)ctx == (int)m->id ? 7 : 0;
}

static int each(const char *text, int until)
{
    told[0] = '\0';
    return mountinfo_each(text, strlen(text), tell, until ? &until : NULL);
}

static void mounts_come_in_order_with_their_names(void **state)
{
    static const char text[] = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
                               "36 22 98:0 /pods/a\\040b /du\\011mps\\134x rw - xfs /dev/sdb rw\n";

    (void)state;
    assert_int_equal(each(text, 0), 0);
    assert_string_equal(told, "22 8:1 / at /;36 98:0 /pods/a b at /du\tmps\\x;");
    assert_int_equal(each(text, 22), 7);
    assert_string_equal(told, "22 8:1 / at /;");
}

static void odd_lines_are_passed_over(void **state)
{
    (void)state;
    assert_int_equal(each("", 0), 0);
    assert_int_equal(each("1 2 3:4 /a\n1 2 x:4 /a /b -\n\n1 2 3:4 a /b -\n1 2 3:4x /a /b\n1 2 3:4 /a b -\n"
                          "5 2 3:4 net:[4026531] /run/x -\n9 8 7:6 /r\\04 /p\\777",
                          0),
                     0);
    assert_string_equal(told, "9 7:6 /r\\04 at /p\\777;");
}

static int tell_file_system(void *ctx, const struct mount *m)
{
    size_t length = strlen(told);

    (void)ctx;
    snprintf(told + length, sizeof(told) - length, "%s(%s);", m->type, m->options);
    return 0;
}

static void the_file_system_is_behind_a_dash(void **state)
{
    static const char text[] = "1 2 3:4 / /a rw shared:1 master:2 - cgroup cgroup rw,memory\n"
                               "1 2 3:4 / /b rw - cgroup2  rw,nsdelegate\n"
                               "1 2 3:4 / /c rw - tmpfs\n"
                               "1 2 3:4 / /d rw shared:1\n";

    (void)state;
    told[0] = '\0';
    assert_int_equal(mountinfo_each(text, strlen(text), tell_file_system, NULL), 0);
    assert_string_equal(told, "cgroup(rw,memory);cgroup2(rw,nsdelegate);tmpfs();();");
}

static void what_lies_below(void **state)
{
    (void)state;
    assert_string_equal(mountinfo_below("/a/b", "/a"), "/b");
    assert_string_equal(mountinfo_below("/a/b", "/"), "/a/b");
    assert_string_equal(mountinfo_below("/a", "/a"), "");
    assert_string_equal(mountinfo_below("/", "/"), "");
    assert_null(mountinfo_below("/ab", "/a"));
    assert_null(mountinfo_below("/a", "/a/b"));
    assert_null(mountinfo_below("/", "/a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mounts_come_in_order_with_their_names),
        cmocka_unit_test(odd_lines_are_passed_over),
        cmocka_unit_test(the_file_system_is_behind_a_dash),
        cmocka_unit_test(what_lies_below),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
