/* SPDX-License-Identifier: Apache-2.0
 *
 * Which options are added to a JVM's, which are not, and where the user's options make it dump.
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

#include "base/file.h"
#include "base/mem.h"
#include "run/jvmenv.h"

#define DUMP "-XX:+HeapDumpOnOutOfMemoryError"
#define PATH "-XX:HeapDumpPath=/b/run"
#define LISTEN "-XX:+StartAttachListener"
#define ERROR_FILE "-XX:ErrorFile=/b/run/hs_err_pid%p.log"

static char root[] = "/tmp/jvmenv_test.XXXXXX";

static int set_up(void **state)
{
    (void)state;
    memset(root + sizeof(root) - 7, 'X', 6);
    return mkdtemp(root) && clearenv() == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return file_remove_tree(AT_FDCWD, root);
}

static void make(struct jvmenv *ret, const char *word, const char *folder)
{
    char *argv[] = {"java", (char *)(uintptr_t)word, NULL};

    assert_int_equal(jvmenv_make(argv, "/b", folder, ret), 0);
}

static void expect(const char *word, const char *value)
{
    CLEANUP(jvmenv_done) struct jvmenv j = {0};

    make(&j, word, "/b/run");
    if (value) {
        assert_string_equal(j.value, value);
        assert_string_equal(j.variable, "JAVA_TOOL_OPTIONS");
    } else {
        assert_null(j.variable);
    }
}

static void only_what_is_not_said_is_added(void **state)
{
    (void)state;
    expect("-version", DUMP " " PATH " " ERROR_FILE " " LISTEN);
    expect("-XX:ErrorFile=/dev/stderr", DUMP " " PATH " " LISTEN);
    expect("-XX:HeapDumpPath=/x", DUMP " " ERROR_FILE " " LISTEN);
    expect("-XX:-HeapDumpOnOutOfMemoryError", ERROR_FILE " " LISTEN);
    expect("exec java -XX:ErrorFile=/x " DUMP " -jar app.jar", PATH " " LISTEN);
    expect("exec java -XX:ErrorFile=/x " DUMP " -XX:HeapDumpPath='/a b'", LISTEN);
    expect("exec java -XX:ErrorFile=/x " DUMP " -XX:HeapDumpPath=/x -XX:-StartAttachListener", NULL);
    expect("-XX:+DisableAttachMechanism", DUMP " " PATH " " ERROR_FILE);
    setenv("JAVA_TOOL_OPTIONS", "", 1);
    expect("-XX:ErrorFile=/x", DUMP " " PATH " " LISTEN);
    setenv("JAVA_TOOL_OPTIONS", "-Da=b", 1);
    expect("-XX:ErrorFile=/x", "-Da=b " DUMP " " PATH " " LISTEN);
    setenv("_JAVA_OPTIONS", "-XX:HeapDumpPath=/x", 1);
    expect("-XX:ErrorFile=/x", "-Da=b " DUMP " " LISTEN);
    setenv("JDK_JAVA_OPTIONS", DUMP, 1);
    expect("-XX:ErrorFile=/x", "-Da=b " LISTEN);
}

static void names_with_blanks_are_quoted(void **state)
{
    static const struct {
        const char *folder, *value;
    } cases[] = {{"/b/a run", DUMP " '-XX:HeapDumpPath=/b/a run' " LISTEN},
                 {"/b/it's", DUMP " \"-XX:HeapDumpPath=/b/it's\" " LISTEN},
                 {"/b/a\"b", DUMP " '-XX:HeapDumpPath=/b/a\"b' " LISTEN}};
    char *argv[] = {"java", NULL};
    struct jvmenv none = {.value = (char *)1};

    (void)state;
    setenv("_JAVA_OPTIONS", "-XX:ErrorFile=/x", 1);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(jvmenv_done) struct jvmenv j = {0};

        make(&j, NULL, cases[i].folder);
        assert_string_equal(j.value, cases[i].value);
    }
    assert_int_equal(jvmenv_make(argv, "/b", "/b/'\"", &none), -EINVAL);
    assert_ptr_equal(none.value, (char *)1);
}

static void jdk_8_is_not_robbed_of_its_options(void **state)
{
    char text[1100] = "";

    (void)state;
    memset(text, 'x', 900);
    for (int jdk = 0; jdk < 2; jdk++) {
        CLEANUP(jvmenv_done) struct jvmenv j = {0};

        setenv("JAVA_TOOL_OPTIONS", text, 1);
        make(&j, NULL, "/b/run/with/a/name/that/is/rather/long");
        assert_string_equal(j.variable, jdk ? "JAVA_TOOL_OPTIONS" : "JDK_JAVA_OPTIONS");
        assert_true(strncmp(j.value, jdk ? "xxx" : "-XX", 3) == 0);
        memset(text, 'x', 1050); /* JDK 8 is past help */
    }
}

static void expect_file(const char *option, const char *folder, const char *rest)
{
    CLEANUP(jvmenv_done) struct jvmenv j = {0};
    CLEANUP_FREE char *word = NULL, *file = NULL;

    assert_true(asprintf(&word, "-XX:%s=%s%s", option, root, folder) > 0);
    assert_true(asprintf(&file, "%s%s", root, rest) > 0);
    make(&j, word, NULL);
    assert_int_equal(j.files.count, 1);
    assert_string_equal(j.files.item[0], file);
    assert_int_equal(j.missing.count, 0);
    assert_null(j.value);
}

static void the_users_own_places_are_named(void **state)
{
    (void)state;
    expect_file("HeapDumpPath", "", "/java_pid*.hprof*");
    expect_file("HeapDumpPath", "/", "/java_pid*.hprof*");
    expect_file("HeapDumpPath", "/x.hprof", "/x.hprof");
    expect_file("HeapDumpPath", "/x[1]*?\\.bin", "/x\\[1]\\*\\?\\\\.bin");
    expect_file("ErrorFile", "/err%p-100%%.log", "/err*-100%.log");
}

static void places_that_are_ours_or_nobodys_are_not(void **state)
{
    CLEANUP(jvmenv_done) struct jvmenv a = {0}, b = {0}, c = {0};
    char *argv[] = {"java", "-XX:HeapDumpPath=/tmp/x", NULL};

    (void)state;
    make(&a, "-XX:ErrorFile=/dev/stderr", NULL);
    assert_int_equal(a.files.count, 0);
    assert_int_equal(jvmenv_make(argv, "/tmp", NULL, &b), 0);
    assert_int_equal(b.files.count, 0);
    make(&c, "-XX:HeapDumpPath=/no/such/folder/x", NULL);
    assert_int_equal(c.files.count, 0);
    assert_string_equal(c.missing.item[0], "/no/such/folder");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_what_is_not_said_is_added, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_with_blanks_are_quoted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(jdk_8_is_not_robbed_of_its_options, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_users_own_places_are_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(places_that_are_ours_or_nobodys_are_not, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
