/* SPDX-License-Identifier: Apache-2.0
 *
 * The HTTP store, what is there: sizes, bytes, listings, and credentials.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "scripted_file_server.h"

static void an_object_is_asked_for_its_size(void **state)
{
    struct object_info info;
    struct err e;

    (void)state;
    PLAY(SIZED(1234), NOT_FOUND, "301 Moved\r\nLocation: http://files.example/d/k/", OK);
    assert_int_equal(sink->ops->stat(sink, "k", &info, &e), 0);
    assert_int_equal(info.size, 1234);
    assert_string_equal(info.sha256, "");
    assert_int_equal(sink->ops->stat(sink, "k", &info, &e), -FAULT_NO_OBJECT);
    assert_int_equal(sink->ops->stat(sink, "k", &info, &e), -FAULT_NO_OBJECT);
    assert_int_equal(sink->ops->stat(sink, "k", &info, &e), -FAULT_FORMAT);
    expect_seen("HEAD /d%20x/k;HEAD /d%20x/k;HEAD /d%20x/k;HEAD /d%20x/k;");
}

static int keep(void *ctx, const void *data, size_t size)
{
    return buf_add(ctx, data, size);
}

static void expect_read(uint64_t offset, const char *text, const char *requests)
{
    CLEANUP(buf_done) struct buf b = {0};
    uint64_t size = 0;
    struct err e;

    assert_int_equal(
        sink->ops->read(
            sink, &(struct object_reader){.key = "k", .offset = offset, .ret_size = &size, .fn = keep, .ctx = &b}, &e),
        0);
    assert_string_equal(buf_text(&b), text);
    assert_int_equal(size, 10);
    expect_seen(requests);
}

static void reading_goes_on_where_the_connection_broke(void **state)
{
    (void)state;
    PLAY(SIZED(10), SIZED(10) "\r\n\r\n01234",
         "206 Partial Content\r\nContent-Range: bytes 5-9/10\r\nContent-Length: 5\r\n\r\n56789");
    expect_read(0, "0123456789", "HEAD /d%20x/k;GET /d%20x/k;GET /d%20x/k (Range: bytes=5-);");
}

static void a_server_without_ranges_can_be_read_too(void **state)
{
    (void)state;
    PLAY(SIZED(10), SIZED(10) "\r\n\r\n0123456789");
    expect_read(7, "789", "HEAD /d%20x/k;GET /d%20x/k (Range: bytes=7-);");
}

static void reading_does_not_mix_two_objects(void **state)
{
    CLEANUP(buf_done) struct buf b = {0};
    struct err e;

    (void)state;
    PLAY(SIZED(10) "\r\nETag: \"a\"", SIZED(10) "\r\nETag: \"a\"\r\n\r\n01234",
         "206 Partial Content\r\nETag: \"b\"\r\nContent-Range: bytes 5-9/10\r\nContent-Length: 5\r\n\r\n56789");
    assert_int_equal(sink->ops->read(sink, &(struct object_reader){.key = "k", .fn = keep, .ctx = &b}, &e),
                     -FAULT_CORRUPT);
    assert_string_equal(buf_text(&b), "01234");

    PLAY(SIZED(10), "206 Partial Content\r\nContent-Range: bytes 4-9/10\r\nContent-Length: 6\r\n\r\n456789");
    assert_int_equal(sink->ops->read(sink, &(struct object_reader){.key = "k", .offset = 5, .fn = keep, .ctx = &b}, &e),
                     -FAULT_FORMAT);
    PLAY(SIZED(4), SIZED(5) "\r\n\r\n01234");
    assert_int_equal(sink->ops->read(sink, &(struct object_reader){.key = "k", .fn = keep, .ctx = &b}, &e),
                     -FAULT_CORRUPT);
    PLAY(SIZED(4));
    assert_int_equal(sink->ops->read(sink, &(struct object_reader){.key = "k", .offset = 5, .fn = keep, .ctx = &b}, &e),
                     -FAULT_REFUSED);
}

static int give_up(void *ctx, const void *data, size_t size)
{
    (void)ctx;
    (void)data;
    (void)size;
    return -FAULT_UNREACHABLE; /* looks like the server's trouble, but is not */
}

static void what_the_taker_says_ends_reading(void **state)
{
    struct err e;

    (void)state;
    PLAY(SIZED(4), SIZED(4) "\r\n\r\ntext");
    assert_int_equal(sink->ops->read(sink, &(struct object_reader){.key = "k", .fn = give_up}, &e), -FAULT_UNREACHABLE);
    expect_seen("HEAD /d%20x/k;GET /d%20x/k;");
}

static int note_key(void *ctx, const struct sink_listing_entry *entry)
{
    return buf_printf(ctx, "%s=%u;", entry->key, (unsigned)entry->size);
}

static void listings_are_followed_down(void **state)
{
    CLEANUP(buf_done) struct buf b = {0};
    struct err e;

    (void)state;
    PLAY(OK "\r\n\r\n[{\"name\":\"a b\",\"type\":\"directory\"},{\"name\":\".git\",\"type\":\"directory\"},"
            "{\"name\":\"x\",\"type\":\"file\",\"size\":1}]",
         OK "\r\n\r\n[{\"name\":\"y\",\"type\":\"file\",\"size\":2},{\"name\":\"gone\",\"type\":\"directory\"},"
            "{\"name\":\"z.part-" ID "\",\"type\":\"file\",\"size\":3}]",
         NOT_FOUND);
    assert_int_equal(sink->ops->list(sink, "", note_key, &b, &e), 0);
    assert_string_equal(buf_text(&b), "x=1;a b/y=2;");
    expect_seen("GET /d%20x/;GET /d%20x/a%20b/;GET /d%20x/a%20b/gone/;");

    buf_clear(&b);
    PLAY(OK "\r\n\r\n[{\"name\":\"y\",\"type\":\"file\",\"size\":2}]");
    assert_int_equal(sink->ops->list(sink, "a b/", note_key, &b, &e), 0);
    assert_string_equal(buf_text(&b), "a b/y=2;");
    expect_seen("GET /d%20x/a%20b/;");
}

static void where_there_is_no_listing_that_is_told(void **state)
{
    CLEANUP(buf_done) struct buf b = {0};
    struct err e;

    (void)state;
    PLAY("403 Forbidden", OK "\r\n\r\nwelcome to our shop", NOT_FOUND, NOT_FOUND);
    assert_int_equal(sink->ops->list(sink, "", note_key, &b, &e), -FAULT_REFUSED);
    assert_non_null(strstr(e.msg, "turn autoindex on"));
    assert_int_equal(sink->ops->list(sink, "", note_key, &b, &e), -FAULT_REFUSED);
    assert_non_null(strstr(e.msg, "turn autoindex on"));
    assert_int_equal(sink->ops->list(sink, "", note_key, &b, &e), -FAULT_NO_BUCKET);
    assert_int_equal(sink->ops->list(sink, "shop/cart", note_key, &b, &e), 0);
    assert_string_equal(buf_text(&b), "");
}

static void credentials_are_sent_and_may_be_wrong(void **state)
{
    struct object_info info;
    struct err e;

    (void)state;
    setenv("SALVAGE_HTTP_TOKEN", "hush", 1);
    PLAY(SIZED(1), "401 Unauthorized");
    assert_int_equal(sink->ops->stat(sink, "k", &info, &e), 0);
    assert_int_equal(sink->ops->stat(sink, "k", &info, &e), -FAULT_DENIED);
    assert_null(strstr(e.msg, "hush"));
    expect_seen("HEAD /d%20x/k (Authorization: Bearer hush);HEAD /d%20x/k (Authorization: Bearer hush);");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_object_is_asked_for_its_size),         TEST(reading_goes_on_where_the_connection_broke),
        TEST(a_server_without_ranges_can_be_read_too), TEST(reading_does_not_mix_two_objects),
        TEST(what_the_taker_says_ends_reading),        TEST(listings_are_followed_down),
        TEST(where_there_is_no_listing_that_is_told),  TEST(credentials_are_sent_and_may_be_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
