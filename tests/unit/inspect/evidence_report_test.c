/* SPDX-License-Identifier: Apache-2.0
 *
 * Small evidence is known by its content, its report says the same as text and as JSON, and no secret of a command line
 * is in either.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"
#include "inspect/evidence_report.h"

#define CRASH                                                                                                          \
    "#\n# A fatal error has been detected by the Java Runtime Environment:\n#\n"                                       \
    "#  SIGSEGV (0xb) at pc=0x00007f, pid=7, tid=8\n#\n# Problematic frame:\n# C  [libzip.so+0x12d3]\n#\n"
#define HISTOGRAM                                                                                                      \
    " num     #instances         #bytes  class name (module)\n-------\n"                                               \
    "   1:         20000        2400000  [B (java.base@17.0.15)\n"                                                     \
    "   2:           100           3200  com.shop.Order\n"                                                             \
    "Total         20100        2403200\n"
#define GROWN                                                                                                          \
    " num     #instances         #bytes  class name (module)\n-------\n"                                               \
    "   1:         20000        2400000  [B (java.base@17.0.15)\n"                                                     \
    "   2:           300           9600  com.shop.Order\n"                                                             \
    "Total         20300        2409600\n"
#define KILL                                                                                                           \
    "{\"schema\":\"salvage.oom-kill/"                                                                                  \
    "1\",\"why\":\"limit\",\"process\":{\"name\":\"java\",\"pid\":7,\"rss\":503316480},"                               \
    "\"memory\":{\"limit\":536870912,\"failcnt\":3},\"tasks\":[{\"name\":\"sh\",\"rss\":4096},"                        \
    "{\"name\":\"java\",\"rss\":503316480}]}"
#define JVM_END                                                                                                        \
    "{\n  \"schema\": \"salvage.jvm-end/1\",\"pid\":7,\"ended\":{\"why\":\"signal\",\"signal\":\"SIGKILL\","           \
    "\"orderly\":false},\"heap\":{\"used\":1048576,\"max\":2097152}}"
#define SNAPSHOT                                                                                                       \
    "{\"snapshot\":{\"meta\":{\"node_fields\":[\"type\",\"name\",\"id\",\"self_size\",\"edge_count\"],"                \
    "\"node_types\":[[\"hidden\",\"array\",\"string\",\"object\"],\"string\",\"number\",\"number\",\"number\"]},"      \
    "\"node_count\":1,\"edge_count\":0},\n\"nodes\":[3,1,1,400,0],\n\"edges\":[],\n\"strings\":[\"\",\"Order\"]}"
#define MANIFEST                                                                                                       \
    "{\"schema\":\"salvage.manifest/1\",\"id\":\"0123456789abcdef\",\"key\":\"a/heap.hprof\",\"kind\":\"heap-dump\","  \
    "\"cause\":\"java-oom\",\"name\":\"heap.hprof\",\"codec\":\"none\",\"size\":3,\"stored_size\":3,"                  \
    "\"sha256\":\"" HEX64 "\",\"stored_sha256\":\"" HEX64 "\",\"where\":{\"container\":\"cart\"},"                     \
    "\"origin\":{\"detail\":\"Java heap space\"}}"
#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
    const char *kind, *text, *lines[4], *field;
} CASES[] = {
    {"hs-err",
     CRASH,
     {"x · Crash log of the JVM", "  SIGSEGV (0xb) in C  [libzip.so+0x12d3]", "  FRAME      C  [libzip.so+0x12d3]\n"},
     "problematic_frame"},
    {"class-histogram", HISTOGRAM, {"20100 objects of 2 classes", "2.3 MiB  byte[] (20000)\n"}, "classes"},
    {"oom-kill",
     KILL,
     {"  The kernel killed java: the container reached its memory limit of 512.0 MiB",
      "  MEMORY     limit 512.0 MiB, hit 3 times\n", "  PROCESSES   480.0 MiB  java\n"},
     "record"},
    {"jvm-end",
     JVM_END,
     {"  The JVM was ended by SIGKILL, at once", "  HEAP       used 1.0 MiB, of at most 2.0 MiB\n"},
     "record"},
    {"heap-snapshot", SNAPSHOT, {"400 B in 1 nodes; most: Order", "400 B  Order (1)\n"}, "classes"},
    {"manifest",
     MANIFEST,
     {"x · Manifest · Heap dump", "  The JVM in cart ran out of Java heap.\n", "  OBJECT     a/heap.hprof"},
     "record"},
};

static int make(const char *text, struct evidence_report *ret)
{
    static const struct evidence_view view = {.name = "x", .top = 8};
    const char *kind = evidence_report_kind(text, strlen(text));
    struct err e = {0};

    assert_non_null(kind);
    return evidence_report_make(kind, text, strlen(text), &view, ret, &e);
}

static void assert_has(const struct buf *text, const char *words)
{
    if (!strstr(buf_text(text), words))
        fail_msg("\"%s\" is not in:\n%s", words, buf_text(text));
}

static void each_kind_is_known_and_shown(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
        CLEANUP(evidence_report_done) struct evidence_report r = {0};

        assert_string_equal(evidence_report_kind(CASES[i].text, strlen(CASES[i].text)), CASES[i].kind);
        assert_int_equal(make(CASES[i].text, &r), 0);
        for (size_t k = 0; CASES[i].lines[k]; k++)
            assert_has(&r.text, CASES[i].lines[k]);
        assert_string_equal(json_string_value(json_object_get(r.json, "schema")), "salvage.evidence/1");
        assert_string_equal(json_string_value(json_object_get(r.json, "kind")), CASES[i].kind);
        assert_non_null(json_object_get(r.json, "sentence"));
        assert_non_null(json_object_get(r.json, CASES[i].field));
    }
}

static void what_was_taken_early_says_why(void **state)
{
    CLEANUP(evidence_report_done) struct evidence_report r = {0};

    (void)state;
    assert_int_equal(make("# salvage: 490 of 500 threads\n" HISTOGRAM, &r), 0);
    assert_has(&r.text, "  TAKEN      490 of 500 threads\n");
    assert_has(&r.text, "byte[] (20000)\n");
}

static void what_is_none_has_no_kind(void **state)
{
    static const char *const none[] = {"", "text", "{}", "{\"schema\":\"salvage.analysis/1\"}",
                                       "Full thread dump X:\n#instances #bytes\n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(none); i++)
        assert_null(evidence_report_kind(none[i], strlen(none[i])));
}

static void what_is_damaged_is_refused(void **state)
{
    static const char *const damaged[] = {"{\"schema\":\"salvage.oom-kill/1\",", "{\"schema\":\"salvage.manifest/1\"}",
                                          "{\n  \"schema\": \"salvage.jvm-end/1\",", "#instances #bytes\n",
                                          "{\"snapshot\":{\"meta\":{}}}"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(damaged); i++) {
        CLEANUP(evidence_report_done) struct evidence_report r = {0};

        assert_int_equal(make(damaged[i], &r), -FAULT_FORMAT);
    }
}

/* A value with blanks in it, too. */
static void the_command_line_has_no_secrets(void **state)
{
    static const char log[] = CRASH "Command Line: -Dpassword=hunter2 -jar app.jar hunter2\n\n"
                                    "jvm_args: -Xmx1g -Dpassword=hunter2 is hunter2\n"
                                    "java_command: app.jar hunter2 --token=hunter2\n";
    CLEANUP(evidence_report_done) struct evidence_report r = {0};
    CLEANUP_FREE char *json = NULL;

    (void)state;
    assert_int_equal(make(log, &r), 0);
    json = json_dumps(r.json, 0);
    assert_non_null(json);
    assert_has(&r.text, "  COMMAND    java -Xmx1g -Dpassword=... -jar app.jar (2 arguments)\n");
    assert_null(strstr(json, "hunter2"));
    assert_null(strstr(buf_text(&r.text), "hunter2"));
}

static void two_histograms_say_what_grew(void **state)
{
    static const char before[] = HISTOGRAM, after[] = GROWN;
    static const struct evidence_view views[] = {{.name = "a", .top = 8}, {.name = "b", .top = 8}};
    CLEANUP(evidence_report_done) struct evidence_report r = {0};
    const json_t *row, *rows;
    struct err e = {0};

    (void)state;
    assert_int_equal(evidence_report_compare((const void *const[]){before, after},
                                             (const size_t[]){strlen(before), strlen(after)}, views, &r, &e),
                     0);
    assert_has(&r.text, "a → b · Class histograms\n");
    assert_has(&r.text, "20100 → 20300 objects · 2 → 2 classes\n");
    rows = json_object_get(r.json, "classes");
    assert_int_equal(json_array_size(rows), 1); /* what did not change is left out */
    row = json_array_get(rows, 0);
    assert_string_equal(json_string_value(json_object_get(row, "class")), "com.shop.Order");
    assert_int_equal(json_integer_value(json_object_get(row, "bytes_after")), 9600);
    assert_int_equal(json_integer_value(json_object_get(row, "count_before")), 100);
}

static void control_characters_become_visible(void **state)
{
    CLEANUP(evidence_report_done) struct evidence_report r = {0};

    (void)state;
    assert_int_equal(make(CRASH "siginfo: \033[31mred\n", &r), 0);
    assert_has(&r.text, "?[31mred");
    assert_null(strchr(buf_text(&r.text), '\033'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_is_known_and_shown),      cmocka_unit_test(what_was_taken_early_says_why),
        cmocka_unit_test(what_is_none_has_no_kind),          cmocka_unit_test(what_is_damaged_is_refused),
        cmocka_unit_test(the_command_line_has_no_secrets),   cmocka_unit_test(two_histograms_say_what_grew),
        cmocka_unit_test(control_characters_become_visible),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
