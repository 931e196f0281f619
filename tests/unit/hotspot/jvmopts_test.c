/* SPDX-License-Identifier: Apache-2.0
 *
 * What a JVM was told to do when memory runs out, as HotSpot and its launcher read it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "hotspot/jvmopts.h"

static int join(void *ctx, const char *option)
{
    struct buf *b = ctx;
    int r = buf_add_text(b, option);

    return r < 0 ? r : buf_add(b, "|", 1);
}

/* The words with a '|' behind each. A copy at the very end of its memory shows a byte read too much. */
static void assert_words(enum jvmopts_grammar grammar, const char *text, const char *words)
{
    CLEANUP(buf_done) struct buf b = {0};
    size_t size = strlen(text);
    CLEANUP_FREE char *copy = malloc(size);

    if (size > 0)
        memcpy(copy, text, size);
    assert_int_equal(jvmopts_each_word(grammar, copy, size, join, &b), 0);
    assert_string_equal(buf_text(&b), words);
}

static int add(void *ctx, const char *option)
{
    return jvmopts_add(ctx, option);
}

static int add_all(struct jvmopts *o, const char *options)
{
    return jvmopts_each(options, add, o);
}

static void the_later_option_wins(void **state)
{
    CLEANUP(jvmopts_done) struct jvmopts o = JVMOPTS_NONE;

    (void)state;
    assert_int_equal(add_all(&o, "-XX:+HeapDumpOnOutOfMemoryError -XX:HeapDumpPath=/a -Xmx1g "
                                 "-XX:HeapDumpPath=/b -XX:-HeapDumpOnOutOfMemoryError -XX:HeapDumpGzipLevel=3"),
                     0);
    assert_string_equal(o.heap_dump_path, "/b");
    assert_int_equal(o.heap_dump, 0);
    assert_int_equal(o.heap_dump_gzip_level, 3);
    assert_int_equal(o.exit_on_oom, -1);
    assert_null(o.on_out_of_memory);
}

static void commands_add_up(void **state)
{
    CLEANUP(jvmopts_done) struct jvmopts o = JVMOPTS_NONE;

    (void)state;
    assert_int_equal(jvmopts_add(&o, "-XX:OnOutOfMemoryError=a %p"), 0);
    assert_int_equal(jvmopts_add(&o, "-J-XX:OnOutOfMemoryError=b"), 0);
    assert_int_equal(jvmopts_add(&o, "-XX:+ExitOnOutOfMemoryError"), 0);
    assert_int_equal(jvmopts_add(&o, "-XX:CrashOnOutOfMemoryErrors"), 0);
    assert_int_equal(jvmopts_add(&o, "-XX:+CrashOnOutOfMemoryErrors"), 0);
    assert_string_equal(o.on_out_of_memory, "a %p\nb");
    assert_int_equal(o.exit_on_oom, 1);
    assert_int_equal(o.crash_on_oom, -1);
}

static void nonsense_says_nothing(void **state)
{
    CLEANUP(jvmopts_done) struct jvmopts o = JVMOPTS_NONE;

    (void)state;
    assert_int_equal(add_all(&o, "HeapDumpPath=/a -XX:HeapDumpPat=/a -XX: -J - -XX:HeapDumpGzipLevel=12 "
                                 "-XX:HeapDumpGzipLevel=x -Dx=-XX:HeapDumpPath=/a -XX:heapdumppath=/a"),
                     0);
    assert_null(o.heap_dump_path);
    assert_int_equal(o.heap_dump_gzip_level, -1);
}

static void the_answer_of_a_running_jvm_quotes_nothing(void **state)
{
    CLEANUP(jvmopts_done) struct jvmopts o = JVMOPTS_NONE;

    (void)state;
    assert_int_equal(jvmopts_add_vm_flags(&o, "-XX:CICompilerCount=2 -XX:HeapDumpPath=/my dumps/x.hprof "
                                              "-XX:+HeapDumpOnOutOfMemoryError -XX:OnOutOfMemoryError=a b;c \n"),
                     0);
    assert_string_equal(o.heap_dump_path, "/my dumps/x.hprof");
    assert_int_equal(o.heap_dump, 1);
    assert_string_equal(o.on_out_of_memory, "a b;c");
    assert_int_equal(jvmopts_add_vm_flags(&o, "nothing"), 0);
    assert_int_equal(jvmopts_add_vm_flags(&o, ""), 0);
}

static void the_counter_of_a_running_jvm_quotes_nothing(void **state)
{
    CLEANUP(jvmopts_done) struct jvmopts o = JVMOPTS_NONE;

    (void)state;
    assert_int_equal(jvmopts_add_vm_args(&o, "-Da=tool -XX:HeapDumpPath=/v v -Dcmd=line -XX:ErrorFile=/e"), 0);
    assert_string_equal(o.heap_dump_path, "/v v");
    assert_string_equal(o.error_file, "/e");
    assert_int_equal(jvmopts_add_vm_args(&o, ""), 0);
    assert_int_equal(jvmopts_add_vm_args(&o, " - -"), 0);
}

static void the_stronger_options_win_and_commands_add_up(void **state)
{
    CLEANUP(jvmopts_done) struct jvmopts o = JVMOPTS_NONE, strong = JVMOPTS_NONE, none = JVMOPTS_NONE;

    (void)state;
    assert_int_equal(add_all(&o, "-XX:HeapDumpPath=/a -XX:ErrorFile=/e -XX:OnOutOfMemoryError=a "
                                 "-XX:+ExitOnOutOfMemoryError -XX:+DisableAttachMechanism"),
                     0);
    assert_int_equal(add_all(&strong, "-XX:HeapDumpPath=/b -XX:OnOutOfMemoryError=b "
                                      "-XX:-ExitOnOutOfMemoryError"),
                     0);
    assert_int_equal(jvmopts_override(&o, &strong), 0);
    assert_int_equal(jvmopts_override(&o, &none), 0);
    assert_string_equal(o.heap_dump_path, "/b");
    assert_string_equal(o.error_file, "/e");
    assert_string_equal(o.on_out_of_memory, "a\nb");
    assert_int_equal(o.exit_on_oom, 0);
    assert_int_equal(o.attach_disabled, 1);
}

static void a_variable_has_quotes_and_no_escapes(void **state)
{
    (void)state;
    assert_words(JVMOPTS_VARIABLE, "  -Xmx1g\t-Da='b c'\"d e\"f\n-x\v-y ", "-Xmx1g|-Da=b cd ef|-x|-y|");
    assert_words(JVMOPTS_VARIABLE, "-XX:OnOutOfMemoryError='salvage ship --oom %p' a\\ b",
                 "-XX:OnOutOfMemoryError=salvage ship --oom %p|a\\|b|");
    assert_words(JVMOPTS_VARIABLE, "'\"' \"'\" ''", "\"|'||");
    assert_words(JVMOPTS_VARIABLE, "a 'b c", "a|b c|");
    assert_words(JVMOPTS_VARIABLE, " \n ", "");
    assert_words(JVMOPTS_VARIABLE, "", "");
    assert_words(JVMOPTS_VARIABLE, "# a", "#|a|");
}

static void an_argfile_has_comments_and_escapes(void **state)
{
    (void)state;
    assert_words(JVMOPTS_ARGFILE, "# all of it\n-cp 'a b' # -x\n\"c\\\\d\\te\\\"\"\nMain", "-cp|a b|c\\d\te\"|Main|");
    assert_words(JVMOPTS_ARGFILE, "\"lib/\\\n   more\" x", "lib/more|x|");
    assert_words(JVMOPTS_ARGFILE, "a\\ b '' c", "a\\|b||c|");
    assert_words(JVMOPTS_ARGFILE, "a\r\nb\fc", "a|b|c|");
    assert_words(JVMOPTS_ARGFILE, "a#b\nc", "c|");
    assert_words(JVMOPTS_ARGFILE, "\"a\\", "a\\|");
}

static void a_flags_file_has_names_alone(void **state)
{
    (void)state;
    assert_words(JVMOPTS_FLAGS, "# no\n+HeapDumpOnOutOfMemoryError  HeapDumpPath=/a #x\n  # y",
                 "-XX:+HeapDumpOnOutOfMemoryError|-XX:HeapDumpPath=/a|");
    assert_words(JVMOPTS_FLAGS, "OnOutOfMemoryError='salvage ship --oom %p'\n-X",
                 "-XX:OnOutOfMemoryError=salvage ship "
                 "--oom %p|-XX:-X|");
    assert_words(JVMOPTS_FLAGS, "a='b\nc'\"", "-XX:a=b|-XX:c\"|");
    assert_words(JVMOPTS_FLAGS, "#", "");
}

static int stop(void *ctx, const char *option)
{
    (void)option;
    ++*(int *)ctx;
    return -ECANCELED;
}

static void a_reader_may_break_off(void **state)
{
    int calls = 0;

    (void)state;
    for (int g = JVMOPTS_VARIABLE; g <= (int)JVMOPTS_FLAGS; g++)
        assert_int_equal(jvmopts_each_word((enum jvmopts_grammar)g, "a b c", 5, stop, &calls), -ECANCELED);
    assert_int_equal(calls, 3);
}

static void assert_without(const char *options, const char *left)
{
    CLEANUP_FREE char *text = jvmopts_without(options, jvmopts_is_oom);

    assert_non_null(text);
    assert_string_equal(text, left);
}

static void hooks_are_taken_out_and_the_rest_stays_as_it_was(void **state)
{
    (void)state;
    assert_without("-Xmx1g -XX:OnOutOfMemoryError='a b;c' -Da='x  y'", "-Xmx1g -Da='x  y'");
    assert_without("-XX:+HeapDumpOnOutOfMemoryError -XX:HeapDumpPath=/d -XX:+ExitOnOutOfMemoryError "
                   "-XX:-CrashOnOutOfMemoryError '-XX:HeapDumpGzipLevel=1' \t-Xss1m ",
                   " \t-Xss1m ");
    assert_without("-XX:'OnOutOf'MemoryError=\"a 'b' c\"", "");
    assert_without("-Dx=-XX:HeapDumpPath=/a", "-Dx=-XX:HeapDumpPath=/a");
    assert_without("", "");
    assert_without("-XX:+DisableAttachMechanism", "-XX:+DisableAttachMechanism");
    assert_without("-XX:ErrorFile=/x", "-XX:ErrorFile=/x");
}

static void a_command_of_the_jvm_is_known_again(void **state)
{
    (void)state;
    assert_true(jvmopts_is_hook("salvage ship --oom %p", "salvage ship --oom 4711"));
    assert_true(jvmopts_is_hook("first; kill -9 %p %p ;last", "kill -9 12 12 "));
    assert_true(jvmopts_is_hook("first; kill -9 %p", "first"));
    assert_true(jvmopts_is_hook("echo 100%%p %p7 %x %", "echo 100%p 427 %x %"));
    assert_true(jvmopts_is_hook("%p", "1"));
    assert_true(jvmopts_is_hook("a 5 %p 5", "a 5 6 5"));
    assert_false(jvmopts_is_hook("kill -9 %p %p", "kill -9 12 13"));
    assert_false(jvmopts_is_hook("salvage ship --oom %p", "salvage ship --oom "));
    assert_false(jvmopts_is_hook("salvage ship --oom %p", "salvage ship --oom x"));
    assert_false(jvmopts_is_hook("salvage ship --oom %p", "salvage ship --oom 4711; java -jar app.jar"));
    assert_false(jvmopts_is_hook("salvage ship --oom %p", "exec java -jar app.jar"));
    assert_false(jvmopts_is_hook("a;b", "a;b"));
    assert_false(jvmopts_is_hook("", ""));
    assert_false(jvmopts_is_hook(" ; ;", ""));
}

static void assert_expanded(const char *text, const char *with)
{
    CLEANUP_FREE char *expanded = jvmopts_expand_pid(text, 42);

    assert_non_null(expanded);
    assert_string_equal(expanded, with);
}

static void the_pid_is_put_in(void **state)
{
    (void)state;
    assert_expanded("/d/x-%p.hprof", "/d/x-42.hprof");
    assert_expanded("%%p%p%q%", "%p42%q%");
    assert_expanded("", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_later_option_wins),
        cmocka_unit_test(commands_add_up),
        cmocka_unit_test(nonsense_says_nothing),
        cmocka_unit_test(the_answer_of_a_running_jvm_quotes_nothing),
        cmocka_unit_test(the_counter_of_a_running_jvm_quotes_nothing),
        cmocka_unit_test(the_stronger_options_win_and_commands_add_up),
        cmocka_unit_test(a_variable_has_quotes_and_no_escapes),
        cmocka_unit_test(an_argfile_has_comments_and_escapes),
        cmocka_unit_test(a_flags_file_has_names_alone),
        cmocka_unit_test(a_reader_may_break_off),
        cmocka_unit_test(hooks_are_taken_out_and_the_rest_stays_as_it_was),
        cmocka_unit_test(a_command_of_the_jvm_is_known_again),
        cmocka_unit_test(the_pid_is_put_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
