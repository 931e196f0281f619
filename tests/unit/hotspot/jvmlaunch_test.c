/* SPDX-License-Identifier: Apache-2.0
 *
 * Where options of a JVM may stand, and which of them counts. Each order was tried with the launchers of JDK 17 and 25.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "hotspot/jvmlaunch.h"

/* Pairs that end with NULL: names of variables ("NAME"), of files ("/NAME"), and what they hold. */
struct world {
    const char *const *pairs;
};

static const char *variable(void *ctx, const char *name)
{
    const struct world *w = ctx;

    for (const char *const *pair = w->pairs; pair[0]; pair += 2)
        if (text_eq(pair[0], name))
            return pair[1];
    return NULL;
}

static int load(void *ctx, const char *path, struct buf *ret)
{
    const char *text = path[0] == '/' ? variable(ctx, path) : NULL;

    return text ? buf_add_text(ret, text) : -ENOENT;
}

enum { WORDS = 8 };

static struct jvmlaunch launch_of(enum jvmlaunch_kind kind, struct world *w, char **argv)
{
    struct jvmlaunch in = {.kind = kind, .argv = argv, .variable = variable, .load = load, .ctx = w};

    while (argv && argv[in.argc])
        in.argc++;
    return in;
}

/* HeapDumpPath of a command line ("java a b") with these variables and files; "" if none is said. */
static void assert_path(enum jvmlaunch_kind kind, unsigned feature, const char *const *pairs, const char *line,
                        const char *path, bool unread)
{
    CLEANUP(jvmopts_done) struct jvmopts o = JVMOPTS_NONE;
    CLEANUP(strv_done) struct strv words = {0};
    CLEANUP_FREE char *copy = strdup(line);
    char *argv[WORDS + 1] = {0}, *next = copy;
    struct world w = {pairs};
    struct jvmlaunch in;
    bool is_unread;

    for (size_t i = 0; i < WORDS && next; i++)
        argv[i] = strsep(&next, "|");
    in = launch_of(kind, &w, argv);
    in.feature = feature;
    assert_int_equal(jvmlaunch_read(&in, &o, &words, &is_unread), 0);
    assert_string_equal(o.heap_dump_path ? o.heap_dump_path : "", path);
    assert_int_equal(is_unread, unread);
}

#define PAIRS(...)                                                                                                     \
    (const char *const[])                                                                                              \
    {                                                                                                                  \
        __VA_ARGS__, NULL                                                                                              \
    }

static void java(const char *const *pairs, const char *line, const char *path)
{
    assert_path(JVMLAUNCH_JAVA, 0, pairs, line, path, false);
}

static void an_argfile_counts_in_the_launchers_variable_and_line_alone(void **state)
{
    (void)state;
    java(PAIRS("JDK_JAVA_OPTIONS", "-Da=b @/f", "/f", "# why\n-XX:HeapDumpPath='/a b'"), "java|Main", "/a b");
    java(PAIRS("JDK_JAVA_OPTIONS", "'@/my f' -Da=b", "/my f", "-XX:HeapDumpPath=/x"), "java|Main", "/x");
    java(PAIRS("JDK_JAVA_OPTIONS", "@/f @/g", "/f", "-XX:HeapDumpPath=/f", "/g", "-XX:HeapDumpPath=/g"), "java|Main",
         "/g");
    java(PAIRS("JDK_JAVA_OPTIONS", "-cp @/f", "/f", "x -XX:HeapDumpPath=/f"), "java|Main", "/f");
    java(PAIRS("JDK_JAVA_OPTIONS", "@@/f", "/f", "-XX:HeapDumpPath=/f"), "java|Main", "");
    java(PAIRS("/f", "-XX:HeapDumpPath=/f"), "java|@/f|Main", "/f");
    java(PAIRS("/f", "app.jar -XX:HeapDumpPath=/f"), "java|-jar|@/f", "");
    java(PAIRS("/f", "-XX:HeapDumpPath=/f"), "java|Main|@/f", "");
    java(PAIRS("/f", "-XX:HeapDumpPath=/f", "/m", "Main"), "java|@/m|@/f", "");
    assert_path(JVMLAUNCH_JAVA, 0,
                PAIRS("JAVA_TOOL_OPTIONS", "@/f", "_JAVA_OPTIONS", "@/f", "/f", "-XX:HeapDumpPath=/f"), "java", "",
                false);
    assert_path(JVMLAUNCH_OTHER, 0, PAIRS("JDK_JAVA_OPTIONS", "@/f -XX:HeapDumpPath=/v", "/f", "-XX:HeapDumpPath=/f"),
                "app|@/f", "", false);
}

static void a_file_of_options_names_no_argfile_but_other_files(void **state)
{
    (void)state;
    java(PAIRS("JDK_JAVA_OPTIONS", "@/f", "/f", "@/g -XX:VMOptionsFile=/v", "/g", "-XX:HeapDumpPath=/g", "/v",
               "-XX:HeapDumpPath=/v"),
         "java", "/v");
    java(PAIRS("JDK_JAVA_OPTIONS", "@/f", "/f", "-XX:Flags=/fl", "/fl", "HeapDumpPath=/fl"), "java", "/fl");
    java(PAIRS("JAVA_TOOL_OPTIONS", "-XX:VMOptionsFile=/v", "/v", "-XX:VMOptionsFile=/w -XX:HeapDumpPath='/v v'", "/w",
               "-XX:HeapDumpPath=/w"),
         "java", "/v v");
    java(PAIRS("_JAVA_OPTIONS", "-XX:Flags=/fl", "/fl", "HeapDumpPath=/fl"), "java|-XX:HeapDumpPath=/line", "/line");
}

static void the_order_is_the_launchers_and_hotspots(void **state)
{
    (void)state;
    java(PAIRS("JDK_JAVA_OPTIONS", "@/f", "/f", "-XX:HeapDumpPath=/f"), "java|-XX:HeapDumpPath=/line", "/line");
    java(PAIRS("JAVA_TOOL_OPTIONS", "-XX:HeapDumpPath=/tool", "JDK_JAVA_OPTIONS", "@/f", "/f", "-XX:HeapDumpPath=/f"),
         "java", "/f");
    java(PAIRS("_JAVA_OPTIONS", "-XX:HeapDumpPath=/last", "JDK_JAVA_OPTIONS", "@/f", "/f", "-XX:HeapDumpPath=/f"),
         "java|-XX:HeapDumpPath=/line", "/last");
    java(PAIRS("JDK_JAVA_OPTIONS", "@/f --disable-@files", "/f", "-XX:HeapDumpPath=/f", "/g", "-XX:HeapDumpPath=/g"),
         "java|@/g", "/f");
    java(PAIRS("JDK_JAVA_OPTIONS", "@/f", "/f", "-XX:HeapDumpPath=/f\n--disable-@files", "/g", "-XX:HeapDumpPath=/g"),
         "java|@/g", "/f");
    java(PAIRS("JDK_JAVA_OPTIONS", "--disable-@files @/f", "/f", "-XX:HeapDumpPath=/f"), "java", "");
}

static void jdk_8_reads_no_such_places(void **state)
{
    const char *const *pairs = PAIRS("JDK_JAVA_OPTIONS", "-XX:HeapDumpPath=/jdk", "/f", "-XX:HeapDumpPath=/f");

    (void)state;
    assert_path(JVMLAUNCH_JAVA, 8, pairs, "java|@/f", "", false);
    assert_path(JVMLAUNCH_JAVA, 8, pairs, "java|-XX:VMOptionsFile=/f", "", false);
    assert_path(JVMLAUNCH_JAVA, 9, pairs, "java|@/f", "/f", false);
}

static void a_file_that_cannot_be_read_is_said(void **state)
{
    (void)state;
    assert_path(JVMLAUNCH_JAVA, 0, PAIRS("JDK_JAVA_OPTIONS", "@/gone"), "java|-XX:HeapDumpPath=/x", "/x", true);
    assert_path(JVMLAUNCH_JAVA, 0, PAIRS("JAVA_TOOL_OPTIONS", "-XX:VMOptionsFile=/gone"), "java", "", true);
    assert_path(JVMLAUNCH_JAVA, 0, PAIRS("_JAVA_OPTIONS", "-XX:Flags=/gone"), "java", "", true);
}

static void what_starts_java_is_read_for_it(void **state)
{
    const char *const *pairs =
        PAIRS("JDK_JAVA_OPTIONS", "@/jdk", "/jdk", "-XX:HeapDumpPath=/jdk", "/f", "-XX:HeapDumpPath=/f");

    (void)state;
    assert_path(JVMLAUNCH_PARENT, 0, pairs, "sh|-c|exec java -jar app.jar", "/jdk", false);
    assert_path(JVMLAUNCH_PARENT, 0, pairs, "sh|-c|exec java @/f -jar app.jar", "/f", false);
    assert_path(JVMLAUNCH_PARENT, 0, pairs, "env|A=b|java|@/f|Main", "/f", false);
    assert_path(JVMLAUNCH_PARENT, 0, pairs, "java|-XX:VMOptionsFile=/f|Main", "/f", false);
    assert_path(JVMLAUNCH_PARENT, 0, pairs, "mail|me@home", "/jdk", false);
}

static void assert_without(const char *const *pairs, const char *name, const char *left)
{
    struct world w = {pairs};
    struct jvmlaunch in = launch_of(JVMLAUNCH_JAVA, &w, NULL);
    CLEANUP_FREE char *text = jvmlaunch_without(&in, name, jvmopts_is_oom);

    assert_non_null(text);
    assert_string_equal(text, left);
}

static void what_is_dropped_is_dropped_from_files_too(void **state)
{
    (void)state;
    assert_without(
        PAIRS("JDK_JAVA_OPTIONS", "-Da='b c'  @/f -Dx", "/f", "-Xmx1g '' \"it's\" -XX:HeapDumpPath=/x \"a b\" @y"),
        "JDK_JAVA_OPTIONS", "'-Da=b c' -Xmx1g '' 'it'\"'s\" 'a b' @@y -Dx");
    assert_without(PAIRS("JAVA_TOOL_OPTIONS", "-XX:VMOptionsFile=/v -XX:Flags=/fl", "/v", "-XX:HeapDumpPath=/x -Da",
                         "/fl", "+UseSerialGC\nOnOutOfMemoryError='a b'"),
                   "JAVA_TOOL_OPTIONS", "-Da -XX:+UseSerialGC");
    assert_without(PAIRS("JDK_JAVA_OPTIONS", "@/f", "/f", "-Da -XX:VMOptionsFile=/v", "/v", "-XX:HeapDumpPath=/x -Db"),
                   "JDK_JAVA_OPTIONS", "-Da -Db");
    /* Nothing to be dropped: it stays as it is written. */
    assert_without(PAIRS("JDK_JAVA_OPTIONS", " @/f  -Da='x  y'", "/f", "-Dz"), "JDK_JAVA_OPTIONS", " @/f  -Da='x  y'");
    assert_without(PAIRS("JAVA_TOOL_OPTIONS", "@/f -XX:HeapDumpPath=/y", "/f", "-XX:HeapDumpPath=/x"),
                   "JAVA_TOOL_OPTIONS", "@/f");
    assert_without(PAIRS("JDK_JAVA_OPTIONS", "@/gone -XX:HeapDumpPath=/y"), "JDK_JAVA_OPTIONS", "@/gone");
    assert_without(PAIRS("A", "b"), "JDK_JAVA_OPTIONS", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_argfile_counts_in_the_launchers_variable_and_line_alone),
        cmocka_unit_test(a_file_of_options_names_no_argfile_but_other_files),
        cmocka_unit_test(the_order_is_the_launchers_and_hotspots),
        cmocka_unit_test(jdk_8_reads_no_such_places),
        cmocka_unit_test(a_file_that_cannot_be_read_is_said),
        cmocka_unit_test(what_starts_java_is_read_for_it),
        cmocka_unit_test(what_is_dropped_is_dropped_from_files_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
