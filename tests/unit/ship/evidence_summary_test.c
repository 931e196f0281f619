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
        cmocka_unit_test(a_crash_log_says_its_signal),
        cmocka_unit_test(what_has_no_row_has_no_summary),
        cmocka_unit_test(what_says_nothing_is_refused),
        cmocka_unit_test(texts_become_printable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
