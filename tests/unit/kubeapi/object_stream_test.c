/* SPDX-License-Identifier: Apache-2.0
 *
 * An API server's answer, cut into its objects while it arrives.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "kubeapi/object_stream.h"

static int take(void *ctx, const char *text, size_t size)
{
    return buf_printf(ctx, "%.*s|", (int)size, text);
}

static int feed(struct object_stream *s, struct buf *got, const char *text)
{
    s->take = take;
    s->ctx = got;
    return object_stream_feed(s, text, strlen(text));
}

static void a_list_gives_its_items_and_what_is_around_them(void **state)
{
    CLEANUP(object_stream_done) struct object_stream s = {.list = true};
    CLEANUP(buf_done) struct buf got = {0};

    (void)state;
    assert_int_equal(
        feed(&s, &got, "{\"kind\":\"PodList\",\n\"metadata\":{\"x\":\"a b\"},\"items\": [ {\"a\":\"}]\\\"\"}"), 0);
    assert_string_equal(got.data, "{\"a\":\"}]\\\"\"}|");
    assert_false(object_stream_is_whole(&s));
    assert_int_equal(feed(&s, &got, ",{\"b\":[{},"), 0);
    assert_int_equal(feed(&s, &got, "[]]}]}\n"), 0);
    assert_string_equal(got.data, "{\"a\":\"}]\\\"\"}|{\"b\":[{},[]]}|");
    assert_true(object_stream_is_whole(&s));
    assert_string_equal(s.around.data, "{\"kind\":\"PodList\",\"metadata\":{\"x\":\"a b\"},\"items\":[]}");
}

static void items_of_something_else_are_around(void **state)
{
    CLEANUP(object_stream_done) struct object_stream s = {.list = true};
    CLEANUP(buf_done) struct buf got = {0};
    static const char text[] = "{\"metadata\":{\"items\":[{\"a\":1}]},\"x\\\"items\":[{}]}";

    (void)state;
    assert_int_equal(feed(&s, &got, text), 0);
    assert_string_equal(s.around.data, text);
    assert_null(got.data);
}

static void a_watch_gives_its_events(void **state)
{
    CLEANUP(object_stream_done) struct object_stream s = {0};
    CLEANUP(buf_done) struct buf got = {0};

    (void)state;
    assert_int_equal(feed(&s, &got, "{\"type\":\"ADDED\"}\n{\"ty"), 0);
    assert_int_equal(feed(&s, &got, "pe\":\"DELETED\"}\n"), 0);
    assert_string_equal(got.data, "{\"type\":\"ADDED\"}|{\"type\":\"DELETED\"}|");
    assert_true(object_stream_is_whole(&s));
    assert_int_equal(feed(&s, &got, "<html>"), -FAULT_FORMAT);
}

static void what_is_no_list_is_refused(void **state)
{
    static const char *const bad[] = {"<html>", "}", "{\"items\":[1]}", "{\"items\":[[]]}", "{}x"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        CLEANUP(object_stream_done) struct object_stream s = {.list = true};
        CLEANUP(buf_done) struct buf got = {0};

        assert_int_equal(feed(&s, &got, bad[i]), -FAULT_FORMAT);
    }
}

static void an_object_that_is_too_large_is_left_out_and_counted(void **state)
{
    CLEANUP(object_stream_done) struct object_stream s = {0};
    CLEANUP(buf_done) struct buf got = {0};
    CLEANUP_FREE char *large = malloc(OBJECT_MAX);

    (void)state;
    assert_non_null(large);
    memset(large, 'x', OBJECT_MAX);
    assert_int_equal(feed(&s, &got, "{\"a\":\""), 0);
    assert_int_equal(object_stream_feed(&s, large, OBJECT_MAX), 0);
    assert_int_equal(feed(&s, &got, "\"}{\"b\":1}"), 0);
    assert_int_equal(s.too_large, 1);
    assert_string_equal(got.data, "{\"b\":1}|");
    assert_true(s.object.capacity <= OBJECT_MEMORY_KEPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_gives_its_items_and_what_is_around_them),
        cmocka_unit_test(items_of_something_else_are_around),
        cmocka_unit_test(a_watch_gives_its_events),
        cmocka_unit_test(what_is_no_list_is_refused),
        cmocka_unit_test(an_object_that_is_too_large_is_left_out_and_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
