/* SPDX-License-Identifier: Apache-2.0
 *
 * What is told of made up JVMs that keep no counters, are not HotSpot's, or are none. With counters: tests/e2e.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <sys/stat.h>

#include "base/text.h"
#include "hotspot/jvm_info.h"
#include "scratch.h"

enum { PID = 4711 };

#define LIBJVM "7f00-7f01 r-xp 00000000 00:01 1   /opt/jdk/lib/server/libjvm.so\n"
#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void put_words(const char *file, const char *words, size_t size)
{
    CLEANUP_FD int folder = openat(scratch_fd, "4711", O_PATH | O_DIRECTORY | O_CLOEXEC);
    CLEANUP_FD int fd = openat(folder, file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(file_write(fd, words, size), 0);
}

/* A process in a container, whose root is the scratch folder's "container". */
static void make(const char *maps, const char *command, size_t command_size, const char *variables,
                 size_t variables_size)
{
    scratch_put("4711", "maps", maps);
    scratch_put("4711", "status", "State:\tS (sleeping)\nUid:\t7\t7\t7\t7\nGid:\t8\t8\t8\t8\nNSpid:\t4711\t1\n");
    scratch_put("4711", "cgroup", "0::/kubepods.slice/cri-containerd-" ID ".scope\n");
    put_words("cmdline", command, command_size);
    put_words("environ", variables, variables_size);
    scratch_put("container/etc", "hostname", "cart-7f\n");
    unlinkat(scratch_fd, "4711/root", 0);
    unlinkat(scratch_fd, "4711/cwd", 0);
    assert_int_equal(symlinkat("../container", scratch_fd, "4711/root"), 0);
    assert_int_equal(symlinkat("../container", scratch_fd, "4711/cwd"), 0);
}

#define MAKE(maps, command, variables) make(maps, command, sizeof(command), variables, sizeof(variables))

static struct jvm_info about(void)
{
    struct jvm_info a;
    struct err e;

    if (jvm_info_read(scratch_root, PID, &a, &e) < 0)
        fail_msg("%s", e.msg);
    return a;
}

static void without_counters_the_command_line_tells(void **state)
{
    static const char none[] = "";
    static const struct {
        const char *command;
        size_t size;
        const char *class, *short_name, *arguments, *jvm_arguments;
    } cases[] = {
#define LINE(text) text, sizeof(text) - 1
        {LINE("java\0-Xmx1g\0-cp\0a:b\0-Da=b c\0shop.Cart\0two words\0x"), "shop.Cart", "Cart", "two words x",
         "-Xmx1g -Da=b c"},
        {LINE("/usr/bin/java\0-Xmx1g\0-jar\0/opt/cart.jar\0x"), "/opt/cart.jar", "cart.jar", "x", "-Xmx1g"},
        {LINE("java\0-p\0mods\0-m\0cart/shop.Cart"), "cart/shop.Cart", "Cart", "", "-p mods"},
        {LINE("java\0--class-path=x\0--module=cart/shop.Cart\0y"), "cart/shop.Cart", "Cart", "y", ""},
        {LINE("java\0Main\0\033[31m\n\xff"), "Main", "Main", "?[31m??", ""},
        {LINE("java\0-version"), NULL, "Unknown", NULL, NULL},
        {LINE("/opt/server\0start"), NULL, "Unknown", NULL, NULL},
        {LINE(""), NULL, "Unknown", NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(jvm_info_done) struct jvm_info a = {0};

        make(LIBJVM, cases[i].command, cases[i].size, none, 0);
        a = about();
        assert_int_equal(a.inner_pid, 1);
        assert_int_equal(a.uid, 7);
        assert_int_equal(a.heap.max, -1);
        assert_non_null(strstr(a.note, "UsePerfData"));
        if (cases[i].class)
            assert_string_equal(a.main_class, cases[i].class);
        else
            assert_null(a.main_class);
        assert_string_equal(jvm_info_short_name(&a), cases[i].short_name);
        assert_true(text_eq(a.arguments, cases[i].arguments) || a.arguments == cases[i].arguments);
        assert_true(text_eq(a.jvm_arguments, cases[i].jvm_arguments) || a.jvm_arguments == cases[i].jvm_arguments);
    }
}

static void endless_arguments_are_cut(void **state)
{
    enum { SIZE = 1024 * 1024 };
    CLEANUP(jvm_info_done) struct jvm_info a = {0};
    CLEANUP_FREE char *line = malloc(SIZE);

    (void)state;
    assert_non_null(line);
    memset(line, 'x', SIZE);
    memcpy(line, "java\0Main", sizeof("java\0Main"));
    for (size_t i = 100000; i < SIZE; i += 2) /* and many of them */
        line[i] = '\0';
    make(LIBJVM, line, SIZE, "", 0);
    a = about();
    assert_string_equal(a.main_class, "Main");
    assert_in_range(strlen(a.arguments), 8000, 8192);
    assert_true(text_ends(a.arguments, "..."));
}

static void the_release_file_has_the_version(void **state)
{
    CLEANUP(jvm_info_done) struct jvm_info a = {0};

    (void)state;
    MAKE(LIBJVM, "java\0Main", "");
    scratch_put("container/opt/jdk", "release", "IMPLEMENTOR=\"Us\"\nJAVA_RUNTIME_VERSION=\"17.0.1+2\"\n");
    assert_int_equal(file_mkdirs(scratch_fd, "container/opt/jdk/lib/server", 0755), 0);
    a = about();
    assert_string_equal(a.version, "17.0.1");
}

static void the_place_is_the_processs_own(void **state)
{
    CLEANUP(jvm_info_done) struct jvm_info pod = {0}, host = {0}, told = {0};

    (void)state;
    setenv("POD_NAME", "ours", 1); /* not the JVM's */
    MAKE(LIBJVM, "java\0Main", "");
    host = about();
    assert_null(host.pod);
    assert_string_equal(host.host, "cart-7f");
    assert_string_equal(host.container, ID);
    MAKE(LIBJVM, "java\0Main", "KUBERNETES_SERVICE_HOST=10.0.0.1");
    scratch_put("container/var/run/secrets/kubernetes.io/serviceaccount", "namespace", "shop");
    pod = about();
    assert_string_equal(pod.pod, "cart-7f");
    assert_string_equal(pod.namespace, "shop");
    MAKE(LIBJVM, "java\0Main", "POD_NAME=cart-8\0POD_NAMESPACE=other\0NODE_NAME=n");
    told = about();
    assert_string_equal(told.pod, "cart-8");
    assert_string_equal(told.namespace, "other");
}

static void on_the_network_of_its_node_a_pod_has_no_name(void **state)
{
    CLEANUP(jvm_info_done) struct jvm_info a = {0};

    (void)state;
    MAKE(LIBJVM, "java\0Main", "KUBERNETES_SERVICE_HOST=10.0.0.1\0NODE_NAME=cart-7f");
    a = about();
    assert_null(a.pod);
}

static void an_openj9_has_a_note(void **state)
{
    CLEANUP(jvm_info_done) struct jvm_info a = {0};

    (void)state;
    MAKE(LIBJVM "7f02-7f03 r-xp 00000000 00:01 1   /opt/jdk/lib/default/libj9vm29.so\n", "java\0Main", "");
    a = about();
    assert_non_null(strstr(a.note, "OpenJ9"));
    assert_int_equal(a.inner_pid, 1);
    assert_int_equal(a.uid, 7);
    assert_string_equal(a.container, ID);
    assert_null(a.main_class);
}

static void what_is_no_jvm_is_an_error(void **state)
{
    struct jvm_info a = {.pid = 1};
    struct err e;

    (void)state;
    MAKE("7f00-7f01 r-xp 00000000 00:01 1   /usr/bin/cat\n", "cat", "");
    assert_int_equal(jvm_info_read(scratch_root, PID, &a, &e), -FAULT_FORMAT);
    assert_non_null(strstr(e.msg, "not a Java VM"));
    scratch_put("self", "x", "");
    assert_int_equal(jvm_info_read(scratch_root, PID + 1, &a, &e), -ESRCH);
    assert_int_equal(a.pid, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_counters_the_command_line_tells),
        TEST(endless_arguments_are_cut),
        TEST(the_release_file_has_the_version),
        TEST(the_place_is_the_processs_own),
        TEST(on_the_network_of_its_node_a_pod_has_no_name),
        TEST(an_openj9_has_a_note),
        TEST(what_is_no_jvm_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
