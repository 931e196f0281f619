/* SPDX-License-Identifier: Apache-2.0
 *
 * A JVM's start is noticed by the file of its counters, whoever makes it, and nothing else in /tmp is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "hotspot/jvmstart.h"
#include "scratch.h"

static struct jvmstart s = JVMSTART_NONE;

static int tear_down(void **state)
{
    jvmstart_done(&s);
    return scratch_tear_down(state);
}

static void make_folder(const char *name)
{
    assert_int_equal(mkdirat(scratch_fd, name, 0755), 0);
}

static void a_file_of_counters_in_a_folder_that_was_there(void **state)
{
    (void)state;
    make_folder("hsperfdata_app");
    jvmstart_open(&s, scratch_root);
    assert_false(jvmstart_read(&s));
    scratch_put("hsperfdata_app", "1", "");
    assert_true(jvmstart_read(&s));
    assert_false(jvmstart_read(&s));
}

static void the_first_jvm_of_a_user_makes_the_folder_too(void **state)
{
    (void)state;
    jvmstart_open(&s, scratch_root);
    make_folder("hsperfdata_app");
    assert_true(jvmstart_read(&s));
    scratch_put("hsperfdata_app", "17", "");
    assert_true(jvmstart_read(&s));
}

static void other_files_and_folders_are_no_start(void **state)
{
    (void)state;
    make_folder("other");
    jvmstart_open(&s, scratch_root);
    make_folder("hsperf");
    scratch_put("other", "1", "");
    scratch_put(".", "hsperfdata_file", "");
    scratch_put(".", ".attach_pid1", "");
    assert_false(jvmstart_read(&s));
}

static void a_link_in_the_folders_place_is_not_followed(void **state)
{
    (void)state;
    make_folder("elsewhere");
    assert_int_equal(symlinkat("elsewhere", scratch_fd, "hsperfdata_app"), 0);
    jvmstart_open(&s, scratch_root);
    scratch_put("elsewhere", "1", "");
    assert_false(jvmstart_read(&s));
}

static void a_jvms_end_is_no_start(void **state)
{
    (void)state;
    scratch_put("hsperfdata_app", "1", "");
    jvmstart_open(&s, scratch_root);
    assert_int_equal(unlinkat(scratch_fd, "hsperfdata_app/1", 0), 0);
    assert_false(jvmstart_read(&s));
}

static void without_the_folder_nothing_is_noticed_and_nothing_fails(void **state)
{
    (void)state;
    jvmstart_open(&s, "does/not/exist");
    assert_false(jvmstart_read(&s));
    jvmstart_done(&s);
    assert_int_equal(s.fd, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_of_counters_in_a_folder_that_was_there, scratch_set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_first_jvm_of_a_user_makes_the_folder_too, scratch_set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_files_and_folders_are_no_start, scratch_set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_link_in_the_folders_place_is_not_followed, scratch_set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_jvms_end_is_no_start, scratch_set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_the_folder_nothing_is_noticed_and_nothing_fails, scratch_set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
