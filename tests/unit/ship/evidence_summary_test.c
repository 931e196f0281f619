/* SPDX-License-Identifier: Apache-2.0
 *
 * The table finds the function of a kind, and what it says becomes printable.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "ship/evidence_summary.h"

#define CRASH                                                                                                          \
    "#\n# A fatal error has been detected by the Java Runtime Environment:\n#\n"                                       \
    "#  SIGSEGV (0xb) at pc=0x00007f, pid=7, tid=8\n#\n"

static void a_crash_log_says_its_signal(void **state)
{
    struct summary s;

    (void)state;
    assert_true(evidence_summary_max("hs-err", CONTENT_HS_ERR) > 1024 * 1024);
    assert_int_equal(evidence_summary("hs-err", CONTENT_HS_ERR, CRASH, strlen(CRASH), &s), 0);
    assert_non_null(strstr(s.sentence, "SIGSEGV"));
}

static void every_kind_of_text_says_something(void **state)
{
    static const struct {
        const char *kind, *text, *sentence;
        enum content content;
        unsigned top;
    } cases[] = {
        {"thread-dump",
         "Full thread dump X:\n\n\"a\" #1 prio=5 tid=0x01 nid=0x02 runnable\n   java.lang.Thread.State: RUNNABLE\n"
         "\tat A.b(A.java:1)\n\n",
         "1 thread: 1 running", CONTENT_THREAD_DUMP, 0},
        {"class-histogram",
         " num     #instances         #bytes  class name (module)\n-------\n"
         "   1:         20000        2400000  [B (java.base@17.0.15)\n   2:           100           3200  "
         "com.shop.Order\n"
         "Total         20100        2403200\n",
         "2.3 MiB in 20100 objects of 2 classes; most: byte[] 2.3 MiB", CONTENT_OTHER, 2},
        {"oom-kill",
         "{\"schema\":\"salvage.oom-kill/1\",\"why\":\"limit\",\"process\":{\"name\":\"java\",\"rss\":503316480},"
         "\"memory\":{\"limit\":536870912}}",
         "The kernel killed java: the container reached its memory limit of 512.0 MiB; the process held 480.0 MiB",
         CONTENT_OTHER, 0},
    };
    struct summary s;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_int_equal(evidence_summary(cases[i].kind, cases[i].content, cases[i].text, strlen(cases[i].text), &s),
                         0);
        assert_string_equal(s.sentence, cases[i].sentence);
        assert_int_equal(s.top_count, cases[i].top);
        assert_int_equal(evidence_summary(cases[i].kind, cases[i].content, "{}", 2, &s), -EBADMSG);
    }
    assert_int_equal(evidence_summary("class-histogram", CONTENT_OTHER, cases[1].text, strlen(cases[1].text), &s), 0);
    assert_string_equal(s.top[1].name, "com.shop.Order");
    assert_int_equal(s.top[0].bytes, 2400000);
}

static void what_has_no_row_has_no_summary(void **state)
{
    struct summary s = {.top_count = 3};

    (void)state;
    assert_int_equal(evidence_summary_max("file", CONTENT_OTHER), 0);
    assert_int_equal(evidence_summary("file", CONTENT_OTHER, "x", 1, &s), -ENOENT);
    assert_int_equal(s.top_count, 3);
}

static void what_says_nothing_is_refused(void **state)
{
    struct summary s = {.top_count = 3};

    (void)state;
    assert_int_equal(evidence_summary("hs-err", CONTENT_HS_ERR, "", 0, &s), -EBADMSG);
    assert_int_equal(s.top_count, 3);
}

static void texts_become_printable(void **state)
{
    struct summary s = {.top_count = 77};

    (void)state;
    memset(s.sentence, 'x', sizeof(s.sentence)); /* without an end */
    memcpy(s.top[0].name, "\033[31mred", sizeof("\033[31mred"));
    summary_make_printable(&s);
    assert_int_equal(strlen(s.sentence), sizeof(s.sentence) - 1);
    assert_string_equal(s.top[0].name, "?[31mred");
    assert_int_equal(s.top_count, SUMMARY_ROWS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_log_says_its_signal),    cmocka_unit_test(every_kind_of_text_says_something),
        cmocka_unit_test(what_has_no_row_has_no_summary), cmocka_unit_test(what_says_nothing_is_refused),
        cmocka_unit_test(texts_become_printable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
