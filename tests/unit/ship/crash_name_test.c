/* SPDX-License-Identifier: Apache-2.0
 *
 * Names in the spool of cores.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ship/crash_name.h"

static void a_name_is_read_as_it_was_printed(void **state)
{
    const struct crash_name n = {
        .pid = 7, .time_ms = 1764464295000, .cause = "java-oom", .signal = 6, .sensitive = true};
    static const char *const names[][2] = {{"core.7-1764464295000,java-oom,6,sensitive", "core.7"},
                                           {"crash-7-1764464295000,java-oom,6,sensitive.json", "crash.json"},
                                           {"hs_err_pid7-1764464295000,java-oom,6,sensitive.log", "hs_err_pid7.log"}};

    (void)state;
    for (int i = 0; i < CRASH_FILE_END; i++) {
        char text[CRASH_FILE_NAME_MAX];
        struct crash_name read = {0};
        enum crash_file which;

        crash_name_print(&n, (enum crash_file)i, text);
        assert_string_equal(text, names[i][0]);
        assert_true(crash_name_read(text, &read, &which));
        assert_int_equal(which, i);
        assert_int_equal(read.time_ms, n.time_ms);
        assert_true(read.sensitive && read.pid == 7 && read.signal == 6);
        assert_string_equal(read.cause, "java-oom");
        crash_name_plain(&read, which, text);
        assert_string_equal(text, names[i][1]);
    }
}

static void other_names_are_none(void **state)
{
    static const char *const others[] = {"core.7",
                                         "core.7-1",
                                         "core.7-1764464295000",
                                         "core.7-1764464295000,signal",
                                         "core.7-1764464295000,signal,99",
                                         "core.7-1764464295000,../x,6",
                                         "core.07-1764464295000,signal,6",
                                         "core.7-1764464295000,signal,6,more",
                                         "core.7-1764464295000,signal,6.json",
                                         "crash-7-1764464295000,signal,6",
                                         ""};
    struct crash_name n;
    enum crash_file which;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        if (crash_name_read(others[i], &n, &which))
            fail_msg("%s", others[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_read_as_it_was_printed),
        cmocka_unit_test(other_names_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
