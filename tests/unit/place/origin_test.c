/* SPDX-License-Identifier: Apache-2.0
 *
 * What the readers of origins share: texts that need not end with NUL, in buffers of exactly their size.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "place/origin.h"

/* A copy without NUL: the sanitizer reports what reads past its end. */
static char *exact(const char *text)
{
    char *copy = malloc(strlen(text) + (*text == '\0'));

    assert_non_null(copy);
    return memcpy(copy, text, strlen(text));
}

static void a_text_is_trimmed_and_cut_to_fit(void **state)
{
    static const struct {
        const char *text, *out;
    } rows[] = {
        {"abc", "abc"}, {" \t a b \r\n", "a b"},  {"", ""},
        {" \n ", ""},   {"abcdefghi", "abcdefg"}, {"  abcdefg", "abcdefg"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP_FREE char *text = exact(rows[i].text);
        char out[8] = "old";

        origin_text(out, sizeof(out), text, strlen(rows[i].text));
        assert_string_equal(out, rows[i].out);
    }
}

static void lines_come_without_their_ends_and_the_last_needs_none(void **state)
{
    static const char TEXT[] = "one\r\n\ntwo\nthree";
    static const char *const LINES[] = {"one", "", "two", "three"};
    CLEANUP_FREE char *text = exact(TEXT);
    const char *at = text, *end = text + strlen(TEXT), *line;
    size_t size, count = 0;

    (void)state;
    while (origin_line(&at, end, &line, &size)) {
        assert_true(count < ARRAY_SIZE(LINES));
        assert_int_equal(size, strlen(LINES[count]));
        assert_memory_equal(line, LINES[count], size);
        count++;
    }
    assert_int_equal(count, ARRAY_SIZE(LINES));
    assert_ptr_equal(at, end);
}

static void a_value_is_what_follows_its_words(void **state)
{
    static const char TEXT[] = "# pid=42, tid=7";
    CLEANUP_FREE char *text = exact(TEXT);
    const char *end = text + strlen(TEXT);

    (void)state;
    assert_int_equal(origin_number(origin_behind(text, strlen(TEXT), "pid="), end), 42);
    assert_int_equal(origin_number(origin_behind(text, strlen(TEXT), "tid="), end), 7);
    assert_ptr_equal(origin_behind(text, strlen(TEXT), "tid=7"), end);
    assert_null(origin_behind(text, strlen(TEXT) - 1, "tid=7"));
    assert_null(origin_behind(text, strlen(TEXT), "uid="));
    assert_int_equal(origin_number(text, end), 0);
    assert_int_equal(origin_number(end, end), 0);
}

static void an_endless_number_does_not_overflow(void **state)
{
    char digits[64];

    (void)state;
    memset(digits, '9', sizeof(digits));
    assert_true(origin_number(digits, digits + sizeof(digits)) > UINT32_MAX);
    assert_true(origin_number(digits, digits + sizeof(digits)) < UINT64_C(100) * UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_trimmed_and_cut_to_fit),
        cmocka_unit_test(lines_come_without_their_ends_and_the_last_needs_none),
        cmocka_unit_test(a_value_is_what_follows_its_words),
        cmocka_unit_test(an_endless_number_does_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
