/* SPDX-License-Identifier: Apache-2.0
 *
 * The HTTP store, uploads in several requests (draft-ietf-httpbis-resumable-upload).
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

/* A server that takes uploads in several requests. */
#define OFFERED "204 No Content\r\nUpload-Limit: min-size=0\r\nUpload-Draft-Interop-Version: 8"
#define AT(n) "\r\nUpload-Offset: " #n "\r\nUpload-Complete: ?0"
#define BEGUN "201 Created\r\nLocation: /-/uploads/1" AT(0)
#define APPENDED(n) "204 No Content" AT(n)
#define DIGEST "\r\nRepr-Digest: sha-256=:aJnuQEaDoU6MKgMUmGDfJdZ9NNnNTa5zUMvpHks5dr4=:" /* "one two three" */
#define COMPLETE "201 Created\r\nUpload-Complete: ?1"

static char token[64];

static void on_token(void *ctx, const char *text)
{
    (void)ctx;
    snprintf(token, sizeof(token), "%s", text);
}

static void on_any_waiting(void *ctx, const struct err *e, uint64_t delay_ms)
{
    (void)ctx, (void)e, (void)delay_ms;
    waits++;
}

static const struct upload_events RESUMED = {.done = on_done, .waiting = on_any_waiting, .token = on_token};

static struct upload *begin_resumed(const struct upload_past *past, int wanted)
{
    struct upload *u = NULL;
    struct err e = {0};
    int r = sink->ops->upload_new(sink, &(struct upload_start){&OBJECT, past, &RESUMED}, &u, &e);

    if (r != wanted)
        fail_msg("%d: %s", r, e.msg);
    return u;
}

static void each_part_is_a_request_and_the_last_one_verifies(void **state)
{
    struct whole w = whole_of("one two three");
    struct err e;

    (void)state;
    options = OFFERED;
    PLAY(BEGUN, APPENDED(4), APPENDED(8), APPENDED(13), COMPLETE DIGEST);
    struct upload *u = begin_resumed(NULL, 0);
    assert_int_equal(write_part(u, 1, "one ", false, &e), 0);
    assert_string_equal(token, "/-/uploads/1");
    assert_int_equal(write_part(u, 2, "two ", false, &e), 0);
    assert_int_equal(write_part(u, 3, "three", true, &e), 0);
    assert_int_equal(sink->ops->commit(u, &w, &e), 0);
    assert_int_equal(sink->ops->verify(u, &w, true, &e), 0);
    sink->ops->upload_free(u);
    assert_int_equal(done_good, 3);
    expect_seen("PUT /d%20x/a%20b/c/heap;PATCH /-/uploads/1 [one ];PATCH /-/uploads/1 [two ];"
                "PATCH /-/uploads/1 [three];PATCH /-/uploads/1;");
}

static void without_its_digest_an_object_is_read_back(void **state)
{
    struct whole w = whole_of("one two three");
    struct err e;

    (void)state;
    options = OFFERED;
    PLAY(BEGUN, APPENDED(8), APPENDED(13), COMPLETE, SIZED(13), SIZED(13) "\r\n\r\none two three");
    struct upload *u = begin_resumed(NULL, 0);
    assert_int_equal(write_part(u, 1, "one two ", false, &e), 0);
    assert_int_equal(write_part(u, 2, "three", true, &e), 0);
    assert_int_equal(sink->ops->commit(u, &w, &e), 0);
    assert_int_equal(sink->ops->verify(u, &w, true, &e), 0);
    sink->ops->upload_free(u);
}

static void what_a_broken_request_brought_is_not_sent_again(void **state)
{
    struct err e;

    (void)state;
    options = OFFERED;
    PLAY(BEGUN, "503 Busy\r\nRetry-After: 0", APPENDED(4), APPENDED(8), "409 Conflict" AT(10), APPENDED(10),
         APPENDED(13));
    struct upload *u = begin_resumed(NULL, 0);
    assert_int_equal(write_part(u, 1, "one two ", false, &e), 0);
    assert_int_equal(write_part(u, 2, "three", true, &e), 0);
    assert_int_equal(waits, 2);
    sink->ops->upload_free(u);
    expect_seen("PUT /d%20x/a%20b/c/heap;PATCH /-/uploads/1 [one two ];HEAD /-/uploads/1;PATCH /-/uploads/1 [two ];"
                "PATCH /-/uploads/1 [];HEAD /-/uploads/1;PATCH /-/uploads/1 [ree];");
}

static void another_process_goes_on_where_the_server_is(void **state)
{
    const struct upload_past past = {.token = "/-/uploads/1", .count = 1, .stored_end = 4};
    struct whole w = whole_of("one two three");
    struct err e;

    (void)state;
    options = OFFERED;
    PLAY(APPENDED(10), APPENDED(13), COMPLETE DIGEST);
    struct upload *u = begin_resumed(&past, 0);
    assert_int_equal(write_part(u, 2, "two ", false, &e), 0); /* it is there */
    assert_int_equal(write_part(u, 3, "three", true, &e), 0); /* and some of this */
    assert_int_equal(sink->ops->commit(u, &w, &e), 0);
    sink->ops->upload_free(u);
    expect_seen("HEAD /-/uploads/1;PATCH /-/uploads/1 [ree];PATCH /-/uploads/1;");
}

static void what_the_server_has_lost_begins_anew(void **state)
{
    static const char *const TOKENS[] = {
        "http://elsewhere/-/uploads/1", "//elsewhere/1", "uploads/1", "/a b", "/a#b", ""};
    struct upload_past past = {.token = "/-/uploads/1", .count = 1, .stored_end = 4};
    struct err e;

    (void)state;
    options = OFFERED;
    PLAY(NOT_FOUND);
    begin_resumed(&past, -FAULT_GONE);
    PLAY(APPENDED(3)); /* less than it has confirmed */
    begin_resumed(&past, -FAULT_GONE);
    PLAY(OK); /* no upload at all */
    begin_resumed(&past, -FAULT_GONE);
    PLAY(OK); /* nor is it deleted */
    assert_int_equal(sink->ops->abort_token(sink, "a", "/d/other", &e), -FAULT_GONE);
    expect_seen("HEAD /d/other;");
    PLAY(NULL);
    for (size_t i = 0; i < ARRAY_SIZE(TOKENS); i++) { /* credentials go to no other server */
        past.token = TOKENS[i];
        begin_resumed(&past, -FAULT_GONE);
    }
    past.token = NULL;
    begin_resumed(&past, -FAULT_GONE);
    expect_seen("");
}

static void an_upload_elsewhere_is_refused(void **state)
{
    struct upload *u;
    struct err e;

    (void)state;
    options = OFFERED;
    PLAY("201 Created\r\nLocation: https://elsewhere/-/uploads/1");
    u = begin_resumed(NULL, 0);
    assert_int_equal(write_part(u, 1, "one", false, &e), -FAULT_FORMAT);
    sink->ops->upload_free(u);
    assert_int_equal(done_bad, 1);
}

static void failures_of_resumable_uploads(void **state)
{
    static const struct {
        const char *answer;
        int wanted;
    } ROWS[] = {{"412 Precondition Failed\r\nUpload-Complete: ?1", -FAULT_EXISTS},
                {"400 Bad Request\r\nUpload-Complete: ?1", -FAULT_CORRUPT},
                {"507 Full", -FAULT_FULL},
                {NOT_FOUND, -FAULT_GONE},
                {"204 No Content" AT(13), -FAULT_FORMAT}};
    struct whole w = whole_of("one two three");
    struct err e;

    (void)state;
    options = OFFERED;
    for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
        PLAY(BEGUN, APPENDED(8), APPENDED(13), ROWS[i].answer);
        struct upload *u = begin_resumed(NULL, 0);
        assert_int_equal(write_part(u, 1, "one two ", false, &e), 0);
        assert_int_equal(write_part(u, 2, "three", true, &e), 0);
        assert_int_equal(sink->ops->commit(u, &w, &e), ROWS[i].wanted);
        sink->ops->upload_free(u);
    }
}

static void a_small_object_goes_to_its_place_at_once(void **state)
{
    static const char TEXT[] = "one two three";
    const struct small_object object = {"a b/x.json", "application/json", TEXT, sizeof(TEXT) - 1};
    struct err e = {0};

    (void)state;
    options = OFFERED;
    PLAY(CREATED DIGEST);
    assert_int_equal(sink->ops->put(sink, &object, &e), 0);
    expect_seen("PUT /d%20x/a%20b/x.json [one two three];");
    PLAY(CREATED, SIZED(13));
    assert_int_equal(sink->ops->put(sink, &object, &e), 0);
    expect_seen("PUT /d%20x/a%20b/x.json [one two three];HEAD /d%20x/a%20b/x.json;");
    PLAY(CREATED, SIZED(12));
    assert_int_equal(sink->ops->put(sink, &object, &e), -FAULT_CORRUPT);
    PLAY(NOT_FOUND);
    assert_int_equal(sink->ops->put(sink, &object, &e), -FAULT_DENIED);
    assert_non_null(strstr(e.msg, "namespaces"));
}

static void trouble_with_options_alone_keeps_nothing_from_its_place(void **state)
{
    const struct upload_past past = {.token = "/-/uploads/1", .count = 1, .stored_end = 4};
    const struct object object = {.key = "a b/c/heap", .content_type = "application/zstd", .id = ID};
    struct upload *u = NULL;
    struct err e = {0};

    (void)state;
    options = "503 Busy\r\nRetry-After: 3600"; /* longer than a request is tried again */
    PLAY(PLAIN);
    sink->ops->upload_free(begin());
    expect_seen(PLAIN_SEEN);
    assert_int_equal(sink->ops->upload_new(sink, &(struct upload_start){&object, &past, &RESUMED}, &u, &e),
                     -FAULT_BUSY);
    options = OFFERED; /* it is asked again */
    PLAY(APPENDED(4));
    sink->ops->upload_free(begin_resumed(&past, 0));
}

static void another_version_of_the_draft_is_not_used(void **state)
{
    (void)state;
    options = "204 No Content\r\nUpload-Limit: min-size=0\r\nUpload-Draft-Interop-Version: 7";
    PLAY(PLAIN);
    sink->ops->upload_free(begin());
    expect_seen(PLAIN_SEEN);
}

static void a_probe_begins_an_upload_and_cancels_it(void **state)
{
    struct err e;

    (void)state;
    options = OFFERED;
    PLAY(BEGUN, "204 No Content");
    assert_int_equal(sink->ops->probe(sink, "a b/x", &e), 0);
    expect_seen("PUT /d%20x/a%20b/x;DELETE /-/uploads/1;");
    PLAY("507 Full");
    assert_int_equal(sink->ops->probe(sink, "a b/x", &e), -FAULT_FULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_part_is_a_request_and_the_last_one_verifies),
        TEST(without_its_digest_an_object_is_read_back),
        TEST(what_a_broken_request_brought_is_not_sent_again),
        TEST(another_process_goes_on_where_the_server_is),
        TEST(what_the_server_has_lost_begins_anew),
        TEST(an_upload_elsewhere_is_refused),
        TEST(failures_of_resumable_uploads),
        TEST(a_small_object_goes_to_its_place_at_once),
        TEST(another_version_of_the_draft_is_not_used),
        TEST(trouble_with_options_alone_keeps_nothing_from_its_place),
        TEST(a_probe_begins_an_upload_and_cancels_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
