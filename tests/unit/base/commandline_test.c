/* SPDX-License-Identifier: Apache-2.0
 *
 * Command lines as they stand in settings. The expected words are those of Python's shlex.split.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/commandline.h"
#include "base/mem.h"
#include "base/text.h"

static void a_line_is_split_as_a_shell_would(void **state)
{
    static const struct {
        const char *text;
        const char *words[6];
    } rows[] = {
        {"", {NULL}},
        {"  \t ", {NULL}},
        {"/bin/echo a  b\tc", {"/bin/echo", "a", "b", "c"}},
        {"echo '{\"Version\":1, \"a\": \"b c\"}'", {"echo", "{\"Version\":1, \"a\": \"b c\"}"}},
        {"\"/opt/my tools/creds\" --profile \"a \\\"b\\\"\"", {"/opt/my tools/creds", "--profile", "a \"b\""}},
        {"a\\ b c\\'d", {"a b", "c'd"}},
        {"\"keeps \\n\" 'and \\n'", {"keeps \\n", "and \\n"}},
        {"one'two'\"three\"four", {"onetwothreefour"}},
        {"x '' \"\" y", {"x", "", "", "y"}},
        {"$HOME `x` * | ;", {"$HOME", "`x`", "*", "|", ";"}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(strv_done) struct strv words = {0};
        size_t j = 0;

        assert_int_equal(commandline_split(rows[i].text, &words), 0);
        for (; rows[i].words[j]; j++)
            if (j >= words.count || !text_eq(words.item[j], rows[i].words[j]))
                fail_msg("%s: word %zu", rows[i].text, j);
        assert_int_equal(words.count, j);
    }
}

static void a_quote_that_does_not_end_is_an_error(void **state)
{
    static const char *const lines[] = {"'", "a 'b", "\"", "a \"b\\\"", "a\\", "\"\\"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        CLEANUP(strv_done) struct strv words = {0};

        assert_int_equal(commandline_split(lines[i], &words), -EINVAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_split_as_a_shell_would),
        cmocka_unit_test(a_quote_that_does_not_end_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
