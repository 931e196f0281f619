/* SPDX-License-Identifier: Apache-2.0
 *
 * Limits of threads in a made up /proc.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "linux/threadroom.h"

static char root[] = "/tmp/threadroom_test-XXXXXX";

static void write_file(const char *name, const char *text)
{
    char path[PATH_MAX], folder[PATH_MAX];
    CLEANUP_FD int fd = -1;

    snprintf(path, sizeof(path), "%s/%s", root, name);
    snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
    assert_int_equal(file_mkdirs(AT_FDCWD, folder, 0700), 0);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(file_write(fd, text, strlen(text)), 0);
}

static void write_process(const char *uid, const char *capabilities, const char *map)
{
    char status[200];

    snprintf(status, sizeof(status), "Uid:\t%s\t%s\t%s\t%s\nVmSize:\t 1000 kB\nThreads:\t20\nCapEff:\t%s\n", uid, uid,
             uid, uid, capabilities);
    write_file("7/status", status);
    write_file("8/status", "Uid:\t1001\t1001\t1001\t1001\nThreads:\t5\n");
    write_file("7/limits", "Limit  Soft Limit  Hard Limit  Units\nMax processes             30    40    processes\n"
                           "Max address space         unlimited  unlimited  bytes\n");
    write_file("7/uid_map", map);
    write_file("loadavg", "0.20 0.18 0.12 1/80 11206\n");
    write_file("sys/kernel/threads-max", "1000\n");
    write_file("sys/kernel/pid_max", "4194304\n");
}

static struct threadroom room_of_7(void)
{
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    struct threadroom room;

    assert_int_equal(proc_open(root, 7, &p), 0);
    threadroom_get(root, &p, &room);
    return room;
}

static void test_the_users_limit_counts_all_of_its_threads(void **state)
{
    struct threadroom room;

    (void)state;
    write_process("1001", "0000000000000000", "0 0 4294967295\n");
    room = room_of_7();
    assert_int_equal(room.used, 25);
    assert_int_equal(room.limit, 30);
    assert_int_equal(room.room, 5);
    assert_non_null(strstr(room.what, "RLIMIT_NPROC (ulimit -u) of uid 1001"));
}

static void test_root_and_capabilities_are_exempt_in_the_first_user_namespace_only(void **state)
{
    (void)state;
    write_process("0", "0000000000000000", "0 0 4294967295\n");
    assert_string_equal(room_of_7().what, "kernel.threads-max");
    write_process("1001", "0000000001000000", "0 0 4294967295\n");
    assert_string_equal(room_of_7().what, "kernel.threads-max");
    write_process("1001", "0000000001000000", "0 100000 65536\n");
    assert_int_equal(room_of_7().room, 5);
}

static void test_the_limit_with_the_least_room_counts(void **state)
{
    (void)state;
    write_process("1001", "0000000000000000", "0 0 4294967295\n");
    write_file("sys/kernel/threads-max", "82\n");
    assert_string_equal(room_of_7().what, "kernel.threads-max");
    assert_int_equal(room_of_7().room, 2);
    write_file("sys/kernel/pid_max", "381\n"); /* 300 of them are kept */
    assert_string_equal(room_of_7().what, "kernel.pid_max");
    assert_int_equal(room_of_7().room, 1);
    write_file("sys/kernel/pid_max", "4194304\n");
    write_file("sys/kernel/threads-max", "70\n"); /* lowered below what is used */
    assert_int_equal(room_of_7().room, 0);
}

static int setup(void **state)
{
    (void)state;
    return mkdtemp(root) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    return file_remove_tree(AT_FDCWD, root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_users_limit_counts_all_of_its_threads),
        cmocka_unit_test(test_root_and_capabilities_are_exempt_in_the_first_user_namespace_only),
        cmocka_unit_test(test_the_limit_with_the_least_room_counts),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
