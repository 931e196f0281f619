/* SPDX-License-Identifier: Apache-2.0
 *
 * The HTTP store, uploads in one request: which requests are made, and what answers mean.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "scripted_file_server.h"

static void where_only_put_is_offered_it_goes_to_its_place(void **state)
{
    struct whole w = whole_of("text");
    struct err e;

    (void)state;
    PLAY(PLAIN, CREATED, SIZED(4), SIZED(4) "\r\n\r\ntext");
    struct upload *u = begin();
    assert_int_equal(write_part(u, 1, "text", true, &e), 0);
    assert_int_equal(done_good, 1);
    assert_int_equal(sink->ops->commit(u, &w, &e), 0);
    assert_int_equal(sink->ops->verify(u, &w, true, &e), 0);
    sink->ops->upload_free(u);
    expect_seen(PLAIN_SEEN "PUT /d%20x/a%20b/c/heap [text];HEAD /d%20x/a%20b/c/heap;"
                           "GET /d%20x/a%20b/c/heap;");
}

static void where_all_is_offered_folders_are_made_and_readers_see_it_at_once(void **state)
{
    struct whole w = whole_of("text");
    struct err e;

    (void)state;
    PLAY("409 Conflict", CREATED, CREATED, NOT_FOUND, CREATED, "204 No Content");
    struct upload *u = begin();
    assert_int_equal(write_part(u, 1, "text", true, &e), 0);
    assert_int_equal(sink->ops->commit(u, &w, &e), 0);
    sink->ops->upload_free(u);
    expect_seen("MKCOL /d%20x/a%20b/c/;MKCOL /d%20x/a%20b/;MKCOL /d%20x/a%20b/c/;"
                "MOVE /d%20x/salvage-probe-1 (Destination: /d%20x/salvage-probe-2);"
                "PUT /d%20x/a%20b/c/heap.part-" ID " [text];"
                "MOVE /d%20x/a%20b/c/heap.part-" ID " (Destination: /d%20x/a%20b/c/heap);");

    /* what is known of the folder and of MOVE is not asked again */
    PLAY(CREATED, "204 No Content", SIZED(2));
    assert_int_equal(sink->ops->put(sink, &(struct small_object){"a b/c/heap.json", "application/json", "{}", 2}, &e),
                     0);
    expect_seen("PUT /d%20x/a%20b/c/heap.json.part-0000000000000000 [{}];"
                "MOVE /d%20x/a%20b/c/heap.json.part-0000000000000000 (Destination: /d%20x/a%20b/c/heap.json);"
                "HEAD /d%20x/a%20b/c/heap.json;");
}

static void many_parts_are_one_stream(void **state)
{
    static const char *const TEXT[] = {"one ", "two ", "three ", "four ", "five"};
    struct whole w = whole_of("one two three four five");
    struct err e;

    (void)state;
    PLAY(PLAIN, CREATED);
    struct upload *u = begin();
    for (unsigned i = 0; i < ARRAY_SIZE(TEXT); i++)
        assert_int_equal(write_part(u, i + 1, TEXT[i], i + 1 == ARRAY_SIZE(TEXT), &e), 0);
    assert_int_equal(sink->ops->commit(u, &w, &e), 0);
    sink->ops->upload_free(u);
    assert_int_equal(done_good, 5);
    assert_int_equal(done_bad, 0);
    expect_seen(PLAIN_SEEN "PUT /d%20x/a%20b/c/heap [one two three four five];");
}

static void an_empty_object_is_one_too(void **state)
{
    struct whole w = whole_of("");
    struct err e;

    (void)state;
    PLAY(PLAIN, CREATED, SIZED(0));
    struct upload *u = begin();
    assert_int_equal(write_part(u, 1, "", true, &e), 0);
    assert_int_equal(sink->ops->commit(u, &w, &e), 0);
    assert_int_equal(sink->ops->verify(u, &w, true, &e), 0);
    sink->ops->upload_free(u);
    expect_seen(PLAIN_SEEN "PUT /d%20x/a%20b/c/heap;HEAD /d%20x/a%20b/c/heap;");
}

static void a_stream_that_is_refused_gives_all_parts_back(void **state)
{
    struct whole w = whole_of("");
    struct err e = {0};
    int r = 0;

    (void)state;
    PLAY(PLAIN, "413 Request Entity Too Large");
    struct upload *u = begin();
    for (unsigned i = 1; i < 12 && r == 0; i++)
        r = write_part(u, i, "some bytes", false, &e);
    if (r == 0)
        r = sink->ops->commit(u, &w, &e);
    assert_int_equal(r, -FAULT_REFUSED);
    assert_non_null(strstr(e.msg, "raise client_max_body_size"));
    assert_int_equal(sink->ops->commit(u, &w, &e), -FAULT_REFUSED);
    sink->ops->upload_free(u);
    assert_true(done_bad > 0);
}

static void a_stream_that_is_broken_off_ends(void **state)
{
    struct err e;

    (void)state;
    PLAY(PLAIN, CREATED);
    struct upload *u = begin();
    assert_int_equal(write_part(u, 1, "half", false, &e), 0);
    sink->ops->abort(u);
    sink->ops->upload_free(u);
    assert_int_equal(done_good + done_bad, 1);
}

static void an_answer_to_put_says_what_to_change(void **state)
{
    static const struct {
        const char *answer;
        int result;
        const char *word;
    } cases[] = {
        {"401 Unauthorized", -FAULT_CREDENTIALS, "SALVAGE_HTTP_USER"},
        {"403 Forbidden", -FAULT_DENIED, "access rules"},
        {NOT_ALLOWED, -FAULT_REFUSED, "set dav_methods PUT"},
        {"501 Not Implemented", -FAULT_REFUSED, "set dav_methods PUT"},
        {"409 Conflict", -FAULT_REFUSED, "create_full_put_path"},
        {"411 Length Required", -FAULT_REFUSED, "unknown length"},
        {"413 Too Large", -FAULT_REFUSED, "client_max_body_size"},
        {"507 Insufficient Storage", -FAULT_FULL, "no room"},
        {"400 Bad Request", -FAULT_REFUSED, "400"},
        {"302 Found\r\nLocation: http://else.example/", -FAULT_REFUSED, "http://else.example/"},
        {"503 Busy\r\nRetry-After: 120", -FAULT_BUSY, "503"},
        {"429 Slow Down\r\nRetry-After: 120", -FAULT_BUSY, "429"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err e = {0};

        if (i == 0)
            PLAY(NOT_ALLOWED, OK, NOT_ALLOWED, cases[i].answer);
        else if (text_starts(cases[i].answer, "409")) /* is the folder still there? */
            PLAY(cases[i].answer, NOT_ALLOWED, OK, cases[i].answer);
        else if (text_starts(cases[i].answer, "411"))
            PLAY(NOT_ALLOWED, OK, cases[i].answer);
        else
            PLAY(cases[i].answer);
        struct upload *u = begin();
        assert_int_equal(write_part(u, 1, "text", true, &e), cases[i].result);
        assert_non_null(strstr(e.msg, cases[i].word));
        if (cases[i].result == -FAULT_BUSY)
            assert_int_equal(e.retry_after_ms, 120000);
        sink->ops->upload_free(u);
    }
    assert_int_equal(done_bad, ARRAY_SIZE(cases));
    assert_int_equal(waits, 0);
}

static void a_missing_folder_that_cannot_be_made_is_told(void **state)
{
    struct err e;

    (void)state;
    PLAY(NOT_ALLOWED, NOT_FOUND, NOT_ALLOWED, "500 Internal Server Error");
    struct upload *u = begin();
    assert_int_equal(write_part(u, 1, "text", true, &e), -FAULT_REFUSED);
    assert_non_null(strstr(e.msg, "set create_full_put_path on"));
    sink->ops->upload_free(u);
    assert_int_equal(waits, 0);
}

static void passing_trouble_is_tried_again(void **state)
{
    struct err e;

    (void)state;
    PLAY(PLAIN, "503 Busy", CREATED);
    struct upload *u = begin();
    assert_int_equal(write_part(u, 1, "text", true, &e), 0);
    assert_int_equal(waits, 1);
    sink->ops->upload_free(u);
    expect_seen(PLAIN_SEEN "PUT /d%20x/a%20b/c/heap [text];PUT /d%20x/a%20b/c/heap [text];");
}

static void a_move_whose_answer_was_lost_is_found_done(void **state)
{
    struct whole w = whole_of("text");
    struct err e;

    (void)state;
    PLAY(CREATED, NOT_FOUND, CREATED, "503 Busy", NOT_FOUND, SIZED(4));
    struct upload *u = begin();
    assert_int_equal(write_part(u, 1, "text", true, &e), 0);
    assert_int_equal(sink->ops->commit(u, &w, &e), 0);
    PLAY(NOT_FOUND, SIZED(5));
    assert_int_equal(sink->ops->commit(u, &w, &e), -FAULT_REFUSED);
    sink->ops->upload_free(u);
}

static void what_reads_back_differently_is_corrupt(void **state)
{
    static const char *const ANSWERS[][2] = {
        {SIZED(5), SIZED(5) "\r\n\r\ntextt"},
        {SIZED(4), SIZED(4) "\r\n\r\ntEXt"},
    };
    struct whole w = whole_of("text");
    struct err e;

    (void)state;
    PLAY(PLAIN, CREATED);
    struct upload *u = begin();
    assert_int_equal(write_part(u, 1, "text", true, &e), 0);
    for (size_t i = 0; i < ARRAY_SIZE(ANSWERS); i++) {
        PLAY(ANSWERS[i][0], ANSWERS[i][1]);
        assert_int_equal(sink->ops->verify(u, &w, true, &e), -FAULT_CORRUPT);
    }
    sink->ops->upload_free(u);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(where_only_put_is_offered_it_goes_to_its_place),
        TEST(where_all_is_offered_folders_are_made_and_readers_see_it_at_once),
        TEST(many_parts_are_one_stream),
        TEST(an_empty_object_is_one_too),
        TEST(a_stream_that_is_refused_gives_all_parts_back),
        TEST(a_stream_that_is_broken_off_ends),
        TEST(an_answer_to_put_says_what_to_change),
        TEST(a_missing_folder_that_cannot_be_made_is_told),
        TEST(passing_trouble_is_tried_again),
        TEST(a_move_whose_answer_was_lost_is_found_done),
        TEST(what_reads_back_differently_is_corrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
