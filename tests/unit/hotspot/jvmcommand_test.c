/* SPDX-License-Identifier: Apache-2.0
 *
 * A java command line: which words are whose, and what of it may be told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "hotspot/jvmcommand.h"

enum { WORDS_MAX = 32 };

/* Splits line, which must outlive argv, at blanks. */
static size_t split(char *line, char *argv[WORDS_MAX])
{
    char *rest = NULL;
    size_t argc = 0;

    for (char *word = strtok_r(line, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        argv[argc++] = word;
    return argc;
}

static void assert_launcher(const char *line, size_t words, const char *name)
{
    CLEANUP_FREE char *copy = strdup(line);
    char *argv[WORDS_MAX];
    size_t argc = split(copy, argv), at;

    assert_int_equal(jvmcommand_words(argc, argv, &at), words);
    if (name)
        assert_string_equal(argv[at], name);
    else
        assert_int_equal(at, argc);
}

static void the_applications_words_are_not_the_jvms(void **state)
{
    (void)state;
    assert_launcher("java -Xmx1g -cp a:b Main -XX:HeapDumpPath=/no", 4, "Main");
    assert_launcher("java -jar -Dx app.jar", 3, "-Dx"); /* as the launcher: what follows -jar is the jar */
    assert_launcher("java -Da=b -jar app.jar -jar other.jar", 4, "app.jar");
    assert_launcher("java --module-path p -m a/b.C x", 5, "a/b.C");
    assert_launcher("java --module=a/b.C x", 2, "--module=a/b.C");
    assert_launcher("java --add-opens x=y --add-opens=x=y @file Main.java z", 5, "Main.java");
    assert_launcher("java -jar", 2, NULL);
    assert_launcher("java -cp", 2, NULL);
    assert_launcher("java", 1, NULL);
    assert_launcher("", 0, NULL);
}

static void assert_told(const char *line, const char *told)
{
    CLEANUP_FREE char *copy = strdup(line);
    char *argv[WORDS_MAX];
    size_t argc = split(copy, argv);
    CLEANUP_FREE char *text = jvmcommand_describe(argc, argv);

    assert_non_null(text);
    assert_string_equal(text, told);
}

static void what_the_jvm_was_told_is_told_and_values_of_properties_are_not(void **state)
{
    (void)state;
    assert_told("/usr/bin/java -Xmx1g -XX:+UseG1GC -Ddb.password=hunter2 -Dfile.encoding=UTF-8 -cp a.jar:b.jar Main",
                "/usr/bin/java -Xmx1g -XX:+UseG1GC -Ddb.password=... -Dfile.encoding=... -cp a.jar:b.jar Main");
    assert_told("java -Dflag -jar app.jar", "java -Dflag -jar app.jar");
    assert_told("java -javaagent:/a.jar=token=x -agentlib:jdwp=address=5 -agentpath:/x.so -jar a.jar",
                "java -javaagent:/a.jar=... -agentlib:jdwp=... -agentpath:/x.so -jar a.jar");
    assert_told("java -XX:OnOutOfMemoryError=curl\t-u\ta:b -XX:OnError=x -XX:HeapDumpPath=/d Main",
                "java -XX:OnOutOfMemoryError=... -XX:OnError=... -XX:HeapDumpPath=/d Main");
}

static void the_applications_arguments_are_counted_only(void **state)
{
    (void)state;
    assert_told("java -jar app.jar --db-password=hunter2 x", "java -jar app.jar (2 arguments)");
    assert_told("java Main x", "java Main (1 argument)");
    assert_told("/opt/server -Xmx1g --secret=hunter2", "/opt/server (2 arguments)");
    assert_told("java", "java");
    assert_told("", "");
}

static void an_endless_word_is_cut(void **state)
{
    char line[2000] = "java -cp ";
    CLEANUP_FREE char *text = NULL;
    char *argv[WORDS_MAX];
    size_t argc;

    (void)state;
    memset(line + 9, 'a', 1500);
    strncat(line, " Main", sizeof(line) - strlen(line) - 1);
    argc = split(line, argv);
    text = jvmcommand_describe(argc, argv);
    assert_non_null(text);
    assert_true(strlen(text) < 300);
    assert_non_null(strstr(text, "aaa... Main"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_applications_words_are_not_the_jvms),
        cmocka_unit_test(what_the_jvm_was_told_is_told_and_values_of_properties_are_not),
        cmocka_unit_test(the_applications_arguments_are_counted_only),
        cmocka_unit_test(an_endless_word_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
