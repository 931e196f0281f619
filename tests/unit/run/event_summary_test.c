/* SPDX-License-Identifier: Apache-2.0
 *
 * The sum of a watch's events.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "run/event_summary.h"

static void add(struct event_summary *t, const char *line)
{
    event_summary_add(t, line, strlen(line));
}

static void what_was_shipped_is_summed_up(void **state)
{
    CLEANUP(event_summary_done) struct event_summary t = {0};

    (void)state;
    add(&t, "{\"event\":\"started\",\"dirs\":1}\n");
    assert_true(t.started);
    add(&t, "{\"event\":\"shipped\",\"bytes\":10,\"url\":\"s3://b/small\"}");
    add(&t, "{\"event\":\"shipped\",\"bytes\":1000,\"url\":\"s3://b/large\"}");
    add(&t, "{\"event\":\"already-stored\",\"url\":\"s3://b/old\"}");
    assert_int_equal(t.shipped, 3);
    assert_int_equal(t.bytes, 1010);
    assert_string_equal(t.url, "s3://b/large");
    assert_false(t.stopped);
    add(&t, "{\"event\":\"stopped\",\"left\":2,\"failed\":1}");
    assert_true(t.stopped);
    assert_int_equal(t.left, 3);
    assert_null(t.error);
}

static void the_last_trouble_is_kept(void **state)
{
    CLEANUP(event_summary_done) struct event_summary t = {0};

    (void)state;
    add(&t, "{\"event\":\"failed\",\"error\":\"one\"}");
    add(&t, "{\"event\":\"gave-up\",\"error\":\"two\"}");
    add(&t, "{\"event\":\"failed\"}");
    assert_string_equal(t.error, "two");
}

static void another_watch_begins_anew_but_what_is_stored_is_stored(void **state)
{
    CLEANUP(event_summary_done) struct event_summary t = {0};

    (void)state;
    add(&t, "{\"event\":\"started\"}");
    add(&t, "{\"event\":\"shipped\",\"bytes\":10,\"url\":\"u\"}");
    add(&t, "{\"event\":\"stopped\",\"left\":2,\"failed\":0}");
    event_summary_restart(&t);
    assert_false(t.started || t.stopped);
    assert_int_equal(t.left, 0);
    assert_int_equal(t.shipped, 1);
    assert_string_equal(t.url, "u");
}

static void nonsense_is_passed_over(void **state)
{
    static const char *const lines[] = {"",
                                        "{",
                                        "[]",
                                        "\"shipped\"",
                                        "{\"event\":7}",
                                        "{\"event\":\"other\"}",
                                        "null",
                                        "{\"event\":\"shipped\"",
                                        "{\"event\":\"failed\",\"error\":{}}"};
    CLEANUP(event_summary_done) struct event_summary t = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        add(&t, lines[i]);
    assert_int_equal(t.shipped, 0);
    assert_null(t.error);
    add(&t, "{\"event\":\"shipped\",\"bytes\":-5,\"url\":3}");
    assert_int_equal(t.shipped, 1);
    assert_int_equal(t.bytes, 0);
    assert_null(t.url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_shipped_is_summed_up),
        cmocka_unit_test(the_last_trouble_is_kept),
        cmocka_unit_test(another_watch_begins_anew_but_what_is_stored_is_stored),
        cmocka_unit_test(nonsense_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
