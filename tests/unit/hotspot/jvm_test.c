/* SPDX-License-Identifier: Apache-2.0
 *
 * Made up JVMs: what their options come to, in HotSpot's order, with files of options inside a root of their own.
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

#include "base/file.h"
#include "base/mem.h"
#include "hotspot/attach.h"

enum { PID = 4711 };

static char root[] = "/tmp/jvm_test-XXXXXX";

static void write_file(const char *file, const char *text, size_t size)
{
    char path[PATH_MAX];
    CLEANUP_FD int fd = -1;

    snprintf(path, sizeof(path), "%s/%s", root, file);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(file_write(fd, text, size), 0);
}

static void make_folder(const char *name)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", root, name);
    assert_int_equal(file_mkdirs(AT_FDCWD, path, 0700), 0);
}

static void make_link(const char *target, const char *name)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", root, name);
    assert_int_equal(symlink(target, path), 0);
}

#define WRITE(file, text) write_file(file, text, sizeof(text) - 1)

static const char STATUS[] = "State:\tS (sleeping)\nUid:\t7\t7\t7\t7\nGid:\t8\t8\t8\t8\nNSpid:\t4711\t1\n"
                             "SigIgn:\t0\nSigCgt:\t0000000181005ccf\n";
static const char MAPS[] = "7f00-7f01 r-xp 00000000 00:01 1   /opt/jdk/lib/server/libjvm.so\n";

/* A process in a container whose root is root/container, and which works in its /app. */
static int make_jvm(void **state)
{
    char container[PATH_MAX];

    (void)state;
    if (!mkdtemp(root))
        return -1;
    make_folder("4711");
    make_folder("container/app");
    make_folder("container/opt/jdk/lib/server");
    snprintf(container, sizeof(container), "%s/container", root);
    make_link(container, "4711/root");
    snprintf(container, sizeof(container), "%s/container/app", root);
    make_link(container, "4711/cwd");
    return 0;
}

static int remove_jvm(void **state)
{
    (void)state;
    return file_remove_tree(AT_FDCWD, root) < 0 ? -1 : 0;
}

static void open_jvm(const char *command, size_t command_size, const char *variables, size_t variables_size,
                     struct jvm *ret)
{
    struct err e = {0};

    write_file("4711/cmdline", command, command_size);
    write_file("4711/environ", variables, variables_size);
    WRITE("4711/status", STATUS);
    WRITE("4711/maps", MAPS);
    if (jvm_open(root, PID, ret, &e) < 0)
        fail_msg("%s", e.msg);
}

#define OPEN(command, variables, ret) open_jvm(command, sizeof(command), variables, sizeof(variables), ret)

static void the_order_is_hotspots(void **state)
{
    CLEANUP(jvm_done) struct jvm j = JVM_NONE, other = JVM_NONE;

    (void)state;
    WRITE("container/app/flags", "HeapDumpPath=/flags\n+ExitOnOutOfMemoryError\nHeapDumpGzipLevel=2\n"
                                 "OnOutOfMemoryError=a\n");
    OPEN("java\0-XX:Flags=flags\0-XX:HeapDumpPath=/line\0-XX:OnOutOfMemoryError=b\0Main\0-XX:HeapDumpPath=/no",
         "A=b\0JAVA_TOOL_OPTIONS=-XX:HeapDumpPath=/tool -XX:-ExitOnOutOfMemoryError", &j);
    assert_string_equal(j.options.heap_dump_path, "/line");
    assert_string_equal(j.options.on_out_of_memory, "a\nb");
    assert_int_equal(j.options.exit_on_oom, 0);
    assert_int_equal(j.options.heap_dump_gzip_level, 2);
    assert_int_equal(j.status.inner_pid, 1);
    assert_string_equal(j.command, "java -XX:Flags=flags -XX:HeapDumpPath=/line -XX:OnOutOfMemoryError=... Main "
                                   "(1 argument)");
    OPEN("java\0-XX:HeapDumpPath=/line\0Main",
         "JDK_JAVA_OPTIONS=-XX:HeapDumpPath=/jdk -XX:+ExitOnOutOfMemoryError\0"
         "_JAVA_OPTIONS=-XX:HeapDumpPath=/last",
         &other);
    assert_string_equal(other.options.heap_dump_path, "/last");
    assert_int_equal(other.options.exit_on_oom, 1);
}

static void files_of_options_take_the_place_of_their_names(void **state)
{
    CLEANUP(jvm_done) struct jvm j = JVM_NONE, off = JVM_NONE, odd = JVM_NONE;

    (void)state;
    WRITE("container/app/args", "-XX:HeapDumpPath=\"/a b\" # c\n-XX:VMOptionsFile=/opt/vm -cp x @args\n");
    WRITE("container/opt/vm", "-XX:+ExitOnOutOfMemoryError -XX:VMOptionsFile=/opt/vm '-XX:ErrorFile=/e f'\n");
    OPEN("/usr/bin/java\0@args\0-XX:-CrashOnOutOfMemoryError\0Main\0@args", "", &j);
    assert_string_equal(j.options.heap_dump_path, "/a b");
    assert_string_equal(j.options.error_file, "/e f");
    assert_int_equal(j.options.exit_on_oom, 1);
    assert_int_equal(j.options.crash_on_oom, 0);
    OPEN("java\0--disable-@files\0@args", "", &off);
    assert_null(off.options.heap_dump_path);
    OPEN("java\0@nowhere\0@\0@@args\0-XX:HeapDumpPath=/x", "", &odd);
    assert_string_equal(odd.options.heap_dump_path, "/x");
}

static void a_program_with_a_jvm_in_it_has_options_anywhere(void **state)
{
    CLEANUP(jvm_done) struct jvm j = JVM_NONE;

    (void)state;
    OPEN("/opt/server\0start\0-J-XX:HeapDumpPath=/x", "", &j);
    assert_string_equal(j.options.heap_dump_path, "/x");
    assert_string_equal(j.command, "/opt/server (2 arguments)");
}

static void the_version_is_the_runtimes(void **state)
{
    CLEANUP(jvm_done) struct jvm j = JVM_NONE, none = JVM_NONE;

    (void)state;
    OPEN("java", "", &none);
    assert_null(none.version);
    WRITE("container/opt/jdk/release", "IMPLEMENTOR=\"Us\"\nJAVA_VERSION=\"17.0.1\"\n"
                                       "JAVA_RUNTIME_VERSION=\"17.0.1+2\"\n");
    OPEN("java", "", &j);
    assert_string_equal(j.version, "17.0.1+2 (Us)");
}

static void what_is_no_jvm_is_not_taken_for_one(void **state)
{
    struct jvm j = JVM_NONE;
    struct err e = {0};

    (void)state;
    WRITE("4711/maps", "7f00-7f01 r-xp 00000000 00:01 1   /opt/libjvm.so.old\n7f00 r 0 0 1 /opt/xlibjvm.so\n");
    assert_int_equal(jvm_open(root, PID, &j, &e), -FAULT_FORMAT);
    WRITE("4711/maps", "7f00-7f01 r-xp 0 0 1 /j9/lib/server/libjvm.so\n7f00 r 0 0 1 /j9/lib/default/libj9vm29.so\n");
    assert_int_equal(jvm_open(root, PID, &j, &e), -FAULT_FORMAT);
    assert_non_null(strstr(e.msg, "OpenJ9"));
    assert_int_equal(jvm_open(root, 12, &j, &e), -ENOSYS); /* there is no "self" here */
    assert_int_equal(j.proc.fd, -1);
}

static void only_a_jvm_that_would_listen_is_asked(void **state)
{
    CLEANUP(jvm_done) struct jvm j = JVM_NONE, deaf = JVM_NONE;
    CLEANUP(buf_done) struct buf answer = {0};
    struct attach_wait at_once = {0};
    struct err e = {0};

    (void)state;
    OPEN("java\0-XX:+DisableAttachMechanism", "", &deaf);
    assert_int_equal(attach_possible(&deaf, &e), -FAULT_REFUSED);
    OPEN("java", "", &j);
    assert_int_equal(attach_possible(&j, &e), 0);
    j.status.caught = 0x180005ccb; /* no handler for SIGQUIT: it would end */
    assert_int_equal(attach_possible(&j, &e), -FAULT_REFUSED);
    assert_int_equal(attach_ask(&j, ATTACH_JCMD(NULL), &at_once, &answer, &e), -FAULT_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_order_is_hotspots),
        cmocka_unit_test(files_of_options_take_the_place_of_their_names),
        cmocka_unit_test(a_program_with_a_jvm_in_it_has_options_anywhere),
        cmocka_unit_test(the_version_is_the_runtimes),
        cmocka_unit_test(what_is_no_jvm_is_not_taken_for_one),
        cmocka_unit_test(only_a_jvm_that_would_listen_is_asked),
    };

    return cmocka_run_group_tests(tests, make_jvm, remove_jvm);
}
