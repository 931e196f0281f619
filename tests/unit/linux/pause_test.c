/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of pauses, and how they read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "linux/pause.h"

static void each_way_has_a_name_and_is_found_by_it(void **state)
{
    (void)state;
    for (unsigned by = PAUSE_UNKNOWN + 1; by < PAUSE_KINDS; by++)
        assert_int_equal(pause_find(pause_name((enum pause_by)by)), by);
    assert_null(pause_name(PAUSE_UNKNOWN));
    assert_int_equal(pause_find(NULL), PAUSE_UNKNOWN);
    assert_int_equal(pause_find(""), PAUSE_UNKNOWN);
}

static void it_reads_as_people_say_it(void **state)
{
    static const struct {
        struct pause pause;
        const char *text;
    } rows[] = {
        {{PAUSE_UNKNOWN, 0, 0}, "-"},
        {{PAUSE_PTRACE, 1, 0}, "0.0 ms"},
        {{PAUSE_PTRACE, 412, 0}, "0.4 ms"},
        {{PAUSE_SAFEPOINT, 128545, 0}, "129 ms"},
        {{PAUSE_SAFEPOINT, 4660000, 0}, "4.7 s"},
        {{PAUSE_ANSWER, 57200, 0}, "<57 ms"},
        {{PAUSE_FILE, 1800000, 0}, "<1.8 s"},
    };
    char text[PAUSE_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_string_equal(pause_print(&rows[i].pause, text), rows[i].text);
}

static void one_that_was_measured_is_never_nothing(void **state)
{
    (void)state;
    assert_int_equal(pause_of(PAUSE_PTRACE, 0).us, 1);
    assert_int_equal(pause_of(PAUSE_ANSWER, 7).us, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_way_has_a_name_and_is_found_by_it),
        cmocka_unit_test(it_reads_as_people_say_it),
        cmocka_unit_test(one_that_was_measured_is_never_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
