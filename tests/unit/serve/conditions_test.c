/* SPDX-License-Identifier: Apache-2.0
 *
 * Conditional requests: which are answered by 304 and 412, and when a Range counts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "serve/conditions.h"

#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define THEN "Sun, 06 Nov 1994 08:49:37 GMT"
#define AFTER "Sun, 06 Nov 1994 08:49:38 GMT"

static const struct validators V = {.etag = "\"abc\"", .modified_s = 784111777, .modified_strong = true};

static void entity_tags_are_found_in_lists(void **state)
{
    (void)state;
    assert_true(conditions_names("*", V.etag, false));
    assert_true(conditions_names("\"abc\"", V.etag, false));
    assert_true(conditions_names(" \"x\" ,, W/\"y\",\"abc\"", V.etag, false));
    assert_true(conditions_names("W/\"abc\"", V.etag, true));
    assert_false(conditions_names("W/\"abc\"", V.etag, false));
    assert_true(conditions_names("\"a,b\", \"abc\"", V.etag, false));
    static const char *const OTHERS[] = {"", "abc", "\"ab\"", "\"abcd\"", "\"abc", "x, \"abc\"", "\"x\" \"abc\"", "**"};
    for (size_t i = 0; i < ARRAY_SIZE(OTHERS); i++)
        if (conditions_names(OTHERS[i], V.etag, true))
            fail_msg("'%s' names it", OTHERS[i]);
}

static void assert_status(struct conditions c, unsigned wanted)
{
    assert_int_equal(conditions_status(&c, &V), wanted);
}

static void conditions_decide(void **state)
{
    (void)state;
    assert_status((struct conditions){0}, 0);
    assert_status((struct conditions){.if_none_match = "\"abc\""}, 304);
    assert_status((struct conditions){.if_none_match = "W/\"abc\""}, 304);
    assert_status((struct conditions){.if_none_match = "\"x\""}, 0);
    assert_status((struct conditions){.if_modified_since = BEFORE}, 0);
    assert_status((struct conditions){.if_modified_since = THEN}, 304);
    assert_status((struct conditions){.if_modified_since = AFTER}, 304);
    assert_status((struct conditions){.if_modified_since = "yesterday"}, 0);
    assert_status((struct conditions){.if_match = "\"abc\""}, 0);
    assert_status((struct conditions){.if_match = "\"x\""}, 412);
    assert_status((struct conditions){.if_unmodified_since = BEFORE}, 412);
    assert_status((struct conditions){.if_unmodified_since = THEN}, 0);
    assert_status((struct conditions){.if_unmodified_since = "yesterday"}, 0);
}

static void tags_count_more_than_dates(void **state)
{
    (void)state;
    assert_status((struct conditions){.if_none_match = "\"x\"", .if_modified_since = AFTER}, 0);
    assert_status((struct conditions){.if_match = "\"abc\"", .if_unmodified_since = BEFORE}, 0);
    assert_status((struct conditions){.if_match = "\"x\"", .if_none_match = "\"abc\""}, 412);
}

static void if_range_wants_exactly_this_version(void **state)
{
    struct validators fresh = V;

    (void)state;
    assert_true(conditions_range(&(struct conditions){0}, &V));
    assert_true(conditions_range(&(struct conditions){.if_range = "\"abc\""}, &V));
    assert_false(conditions_range(&(struct conditions){.if_range = "W/\"abc\""}, &V));
    assert_false(conditions_range(&(struct conditions){.if_range = "\"x\""}, &V));
    assert_true(conditions_range(&(struct conditions){.if_range = THEN}, &V));
    assert_false(conditions_range(&(struct conditions){.if_range = AFTER}, &V));
    assert_false(conditions_range(&(struct conditions){.if_range = "abc"}, &V));
    fresh.modified_strong = false; /* changed within this second: once more is possible */
    assert_false(conditions_range(&(struct conditions){.if_range = THEN}, &fresh));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entity_tags_are_found_in_lists),
        cmocka_unit_test(conditions_decide),
        cmocka_unit_test(tags_count_more_than_dates),
        cmocka_unit_test(if_range_wants_exactly_this_version),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
