/* SPDX-License-Identifier: Apache-2.0
 *
 * Which processes of a made up /proc are taken for JVMs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "hotspot/jvm_find.h"
#include "scratch.h"

enum { NOBODY = 65534 };

static const char JVM[] = "5000-6000 r-xp 00000000 00:01 1   /opt/jdk/lib/server/libjvm.so\n";

static void jvms_are_found_in_the_order_of_their_numbers(void **state)
{
    CLEANUP(jvm_pids_done) struct jvm_pids found = {0};
    struct err e;

    (void)state;
    scratch_put("300", "maps", JVM);
    scratch_put("7", "maps", JVM);
    scratch_put("1000", "maps",
                "1000-2000 r--p 00000000 00:01 1   /usr/bin/cat\n"
                "5000-6000 r-xp 00000000 00:01 1   /opt/jdk/lib/server/libjvm.so (deleted)\n");
    scratch_put("2", "maps", ""); /* of the kernel */
    scratch_put("8", "maps", "1-2 r--p 0 00:01 1   /opt/libjvm.so.bak\n1-2 r--p 0 00:01 1   /opt/notlibjvm.so\n");
    scratch_put("self", "maps", JVM);
    scratch_put("12x", "maps", JVM);
    scratch_put("99999999999", "maps", JVM);
    assert_int_equal(file_mkdirs(scratch_fd, "9", 0755), 0); /* ends just now */
    assert_int_equal(jvm_find(scratch_root, &found, &e), 0);
    assert_int_equal(found.count, 3);
    assert_int_equal(found.pid[0], 7);
    assert_int_equal(found.pid[1], 300);
    assert_int_equal(found.pid[2], 1000);
    assert_int_equal(found.hidden, 0);
}

static void many_are_all_found(void **state)
{
    CLEANUP(jvm_pids_done) struct jvm_pids found = {0};
    struct err e;
    char name[16];

    (void)state;
    for (int i = 1; i <= 100; i++) {
        snprintf(name, sizeof(name), "%d", i);
        scratch_put(name, "maps", JVM);
    }
    assert_int_equal(jvm_find(scratch_root, &found, &e), 0);
    assert_int_equal(found.count, 100);
    for (int i = 0; i < 100; i++)
        assert_int_equal(found.pid[i], i + 1);
}

static void those_of_others_are_counted(void **state)
{
    CLEANUP(jvm_pids_done) struct jvm_pids found = {0};
    uid_t own = geteuid();
    struct err e;
    int r;

    (void)state;
    scratch_put("7", "maps", JVM);
    scratch_put("8", "maps", JVM);
    assert_int_equal(fchmodat(scratch_fd, "7/maps", 0, 0), 0);
    assert_int_equal(fchmod(scratch_fd, 0755), 0);
    if (geteuid() == 0) /* may read all */
        assert_int_equal(seteuid(NOBODY), 0);
    r = jvm_find(scratch_root, &found, &e);
    assert_int_equal(seteuid(own), 0);
    assert_int_equal(r, 0);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.hidden, 1);
}

static void without_proc_there_is_a_story(void **state)
{
    struct jvm_pids found = {.count = 4711};
    struct err e;

    (void)state;
    assert_int_equal(jvm_find("/nowhere", &found, &e), -ENOSYS);
    assert_non_null(strstr(e.msg, "/nowhere"));
    assert_int_equal(found.count, 4711);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(jvms_are_found_in_the_order_of_their_numbers, scratch_set_up,
                                        scratch_tear_down),
        cmocka_unit_test_setup_teardown(many_are_all_found, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(those_of_others_are_counted, scratch_set_up, scratch_tear_down),
        cmocka_unit_test(without_proc_there_is_a_story),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
