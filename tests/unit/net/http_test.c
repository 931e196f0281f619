/* SPDX-License-Identifier: Apache-2.0
 *
 * What the client sends, and what it makes of a good answer. Failures: http_failure_test.c; time: http_stall_test.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "base/mem.h"
#include "canned_server.h"

enum { BIG_SIZE = 3 * 1024 * 1024 };

/* What the write callback gets. */
static int take(void *ctx, const void *data, size_t size)
{
    return buf_add(ctx, data, size);
}

static int refuse(void *ctx, const void *data, size_t size)
{
    (void)data, (void)size;
    return err_set(ctx, -FAULT_FORMAT, "its own story");
}

static void request_is_sent_as_given(void **state)
{
    static const struct exchange x = {.answer = "HTTP/1.1 204 No Content\r\n\r\n"};
    CLEANUP(fixture_done) struct fixture f = {0};
    struct secret *secret = secret_new("Bearer abc", 10);
    (void)state;
    fixture_start(&f, "GET", &x, 1);
    snprintf(f.url, sizeof(f.url), "http://127.0.0.1:%u/a/../b/./%%2F?x=1", f.server.port);
    http_add_header(&f.r, "X-One", "1");
    http_add_header(&f.r, "X-None", NULL);
    http_add_header(&f.r, "X-Empty", "");
    f.r.headers[f.r.header_count++] = (struct http_header){.name = "Authorization", .secret = secret};
    assert_int_equal(perform(&f), 0);
    secret_free(secret);
    assert_int_equal(f.a.status, 204);
    server_stop(&f.server);
    const char *got = buf_text(&f.server.got[0]);
    assert_true(text_starts(got, "GET /a/../b/./%2F?x=1 HTTP/1.1\r\n"));
    assert_non_null(strstr(got, "\r\nX-One: 1\r\n"));
    assert_non_null(strstr(got, "\r\nX-Empty:\r\n"));
    assert_non_null(strstr(got, "\r\nAuthorization: Bearer abc\r\n"));
    assert_non_null(strstr(got, "\r\nUser-Agent: salvage/" SALVAGE_VERSION "\r\n"));
    assert_null(strstr(got, "X-None"));
    assert_null(strstr(got, "Content-Length"));
}

static void connection_is_kept_and_methods_do_not_leak_into_each_other(void **state)
{
    static const struct exchange x[] = {{.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
                                        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"},
                                        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"},
                                        {.answer = "HTTP/1.1 204 No Content\r\n\r\n"}};
    CLEANUP(fixture_done) struct fixture f = {0};
    char length[16];
    (void)state;
    fixture_start(&f, "PUT", x, 4);
    f.r.body = "hello";
    f.r.body_size = 5;
    assert_int_equal(perform(&f), 0);
    f.r = (struct http_request){.method = "HEAD", .url = f.url};
    assert_int_equal(perform(&f), 0);
    assert_string_equal(http_header(&f.a, "content-length", length, sizeof(length)), "1000");
    assert_int_equal(f.a.body.size, 0);
    f.r.method = "GET";
    assert_int_equal(perform(&f), 0);
    assert_string_equal(buf_text(&f.a.body), "abc");
    f.r.method = "MOVE";
    assert_int_equal(perform(&f), 0);
    assert_int_equal(f.a.body.size, 0);
    server_stop(&f.server);
    assert_int_equal(f.server.connections, 1);
    const char *got = buf_text(&f.server.got[0]);
    assert_true(text_starts(got, "PUT /key?"));
    assert_non_null(strstr(got, "\r\nContent-Length: 5\r\n"));
    assert_null(strstr(got, "Expect:"));
    assert_true(text_ends(got, "\r\n\r\nhello"));
    assert_true(text_starts(buf_text(&f.server.got[1]), "HEAD /key?"));
    assert_true(text_starts(buf_text(&f.server.got[2]), "GET /key?"));
    assert_true(text_starts(buf_text(&f.server.got[3]), "MOVE /key?"));
    assert_null(strstr(buf_text(&f.server.got[3]), "Content-Length"));
}

static void put_and_post_without_a_body_say_so(void **state)
{
    static const struct exchange x[] = {{.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
                                        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}};
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start(&f, "PUT", x, 2);
    assert_int_equal(perform(&f), 0);
    f.r.method = "POST";
    assert_int_equal(perform(&f), 0);
    server_stop(&f.server);
    assert_non_null(strstr(buf_text(&f.server.got[0]), "\r\nContent-Length: 0\r\n"));
    assert_true(text_starts(buf_text(&f.server.got[1]), "POST /key?"));
    assert_non_null(strstr(buf_text(&f.server.got[1]), "\r\nContent-Length: 0\r\n"));
    assert_null(strstr(buf_text(&f.server.got[1]), "Content-Type"));
}

static void big_body_is_sent_whole_after_100_continue(void **state)
{
    static const struct exchange x = {.answer = "HTTP/1.1 200 OK\r\nX-Late: yes\r\nContent-Length: 0\r\n\r\n"};
    CLEANUP(fixture_done) struct fixture f = {0};
    CLEANUP_FREE char *body = malloc(BIG_SIZE);
    char value[8];
    (void)state;
    assert_non_null(body);
    for (size_t i = 0; i < BIG_SIZE; i++)
        body[i] = (char)('a' + i % 23);
    fixture_start(&f, "PUT", &x, 1);
    f.r.body = body;
    f.r.body_size = BIG_SIZE;
    assert_int_equal(perform(&f), 0);
    assert_int_equal(f.a.status, 200);
    assert_string_equal(http_header(&f.a, "X-Late", value, sizeof(value)), "yes");
    assert_null(http_header(&f.a, "X-Early", value, sizeof(value))); /* was of the 100 */
    server_stop(&f.server);
    const struct buf *got = &f.server.got[0];
    assert_true(got->size > BIG_SIZE);
    assert_memory_equal(got->data + got->size - BIG_SIZE, body, BIG_SIZE);
}

static void big_body_is_not_sent_to_a_server_that_refuses_it(void **state)
{
    static const struct exchange x = {.answer = "HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nnope",
                                      .head_only = true};
    CLEANUP(fixture_done) struct fixture f = {0};
    CLEANUP_FREE char *body = calloc(1, BIG_SIZE);
    (void)state;
    assert_non_null(body);
    fixture_start(&f, "PUT", &x, 1);
    f.r.body = body;
    f.r.body_size = BIG_SIZE;
    assert_int_equal(perform(&f), 0);
    assert_int_equal(f.a.status, 403);
    assert_string_equal(buf_text(&f.a.body), "nope");
    server_stop(&f.server);
    assert_true(f.server.got[0].size < 4096);
}

struct pieces {
    unsigned left;
    int at_end;
};

static ssize_t give(void *ctx, void *data, size_t size)
{
    struct pieces *p = ctx;
    assert_true(size >= 5);
    if (p->left == 0)
        return p->at_end;
    p->left--;
    memcpy(data, "piece", 5);
    return 5;
}

static void unknown_length_is_sent_in_chunks(void **state)
{
    static const struct exchange x = {.answer = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"};
    CLEANUP(fixture_done) struct fixture f = {0};
    struct pieces pieces = {.left = 3};
    (void)state;
    fixture_start(&f, "PUT", &x, 1);
    f.r.read = give;
    f.r.ctx = &pieces;
    assert_int_equal(perform(&f), 0);
    assert_int_equal(f.a.status, 201);
    server_stop(&f.server);
    const char *got = buf_text(&f.server.got[0]);
    assert_non_null(strstr(got, "\r\nTransfer-Encoding: chunked\r\n"));
    assert_true(text_ends(got, "\r\n\r\n5\r\npiece\r\n5\r\npiece\r\n5\r\npiece\r\n0\r\n\r\n"));
}

static void read_that_breaks_off_ends_it_with_its_own_number(void **state)
{
    static const struct exchange x = {.answer = "", .after = CLOSE};
    CLEANUP(fixture_done) struct fixture f = {0};
    struct pieces pieces = {.left = 2, .at_end = -EXDEV};
    (void)state;
    fixture_start(&f, "PUT", &x, 1);
    f.r.read = give;
    f.r.ctx = &pieces;
    assert_int_equal(perform(&f), -EXDEV);
    server_stop(&f.server);
    assert_null(strstr(buf_text(&f.server.got[0]), "\r\n0\r\n")); /* the server could take it for whole */
}

static void write_gets_the_body_of_2xx_only(void **state)
{
    static const struct exchange x[] = {
        {.answer = "HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\n\r\nbytes"},
        {.answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nsorry"},
        {.answer = "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 5\r\n\r\nthere"}};
    CLEANUP(fixture_done) struct fixture f = {0};
    CLEANUP(buf_done) struct buf taken = {0};
    char location[32];
    (void)state;
    fixture_start(&f, "GET", x, 3);
    f.r.write = take;
    f.r.ctx = &taken;
    assert_int_equal(perform(&f), 0);
    assert_int_equal(f.a.status, 206);
    assert_string_equal(buf_text(&taken), "bytes");
    assert_int_equal(f.a.body.size, 0);
    assert_int_equal(perform(&f), 0);
    assert_int_equal(f.a.status, 404);
    assert_string_equal(buf_text(&f.a.body), "sorry");
    assert_int_equal(perform(&f), 0);
    assert_int_equal(f.a.status, 302); /* not followed */
    assert_string_equal(buf_text(&f.a.body), "there");
    assert_string_equal(http_header(&f.a, "Location", location, sizeof(location)), "/elsewhere");
    assert_string_equal(buf_text(&taken), "bytes");
}

static void trailers_are_no_headers(void **state)
{
    static const struct exchange x = {
        .answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbytes\r\n0\r\nETag: late\r\n\r\n"};
    CLEANUP(fixture_done) struct fixture f = {0};
    char etag[16];
    (void)state;
    fixture_start(&f, "GET", &x, 1);
    assert_int_equal(perform(&f), 0);
    assert_string_equal(buf_text(&f.a.body), "bytes");
    assert_null(http_header(&f.a, "ETag", etag, sizeof(etag)));
}

static void write_that_breaks_off_ends_it_with_its_own_story(void **state)
{
    static const struct exchange x = {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nbytes"};
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start(&f, "GET", &x, 1);
    f.r.write = refuse;
    f.r.ctx = &f.e;
    assert_int_equal(perform(&f), -FAULT_FORMAT);
    assert_string_equal(f.e.msg, "its own story");
}

static void a_kept_connection_that_died_is_replaced_and_the_body_sent_again(void **state)
{
    static const struct exchange x[] = {{.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", .after = CLOSE},
                                        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}};
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start(&f, "PUT", x, 2);
    f.r.body = "hello";
    f.r.body_size = 5;
    assert_int_equal(perform(&f), 0);
    assert_int_equal(perform(&f), 0);
    server_stop(&f.server);
    assert_int_equal(f.server.connections, 2);
    assert_true(text_ends(buf_text(&f.server.got[1]), "\r\n\r\nhello"));
}

static void retry_after_is_understood_and_forgotten(void **state)
{
    static const struct exchange x[] = {
        {.answer = "HTTP/1.1 503 Slow Down\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"},
        {.answer = "HTTP/1.1 503 Slow Down\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                   "Retry-After: Sun, 06 Nov 1994 08:50:07 GMT\r\nContent-Length: 0\r\n\r\n"},
        {.answer = "HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n"}};
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start(&f, "GET", x, 3);
    assert_int_equal(perform(&f), 0);
    assert_int_equal(f.a.status, 503);
    assert_int_equal(f.a.retry_after_ms, 7000);
    assert_int_equal(perform(&f), 0);
    assert_int_equal(f.a.retry_after_ms, 30000);
    assert_int_equal(perform(&f), 0);
    assert_int_equal(f.a.retry_after_ms, 0);
}

static void a_header_value_cannot_bring_headers_of_its_own(void **state)
{
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start(&f, "GET", NULL, 0);
    http_add_header(&f.r, "X-Good", "fine");
    http_add_header(&f.r, "X-Name", "a\r\nX-Evil: 1");
    assert_int_equal(perform(&f), -FAULT_FORMAT);
    assert_non_null(strstr(f.e.msg, "X-Name"));
    assert_null(strstr(f.e.msg, "Evil"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_is_sent_as_given),
        cmocka_unit_test(connection_is_kept_and_methods_do_not_leak_into_each_other),
        cmocka_unit_test(put_and_post_without_a_body_say_so),
        cmocka_unit_test(big_body_is_sent_whole_after_100_continue),
        cmocka_unit_test(big_body_is_not_sent_to_a_server_that_refuses_it),
        cmocka_unit_test(unknown_length_is_sent_in_chunks),
        cmocka_unit_test(read_that_breaks_off_ends_it_with_its_own_number),
        cmocka_unit_test(write_gets_the_body_of_2xx_only),
        cmocka_unit_test(trailers_are_no_headers),
        cmocka_unit_test(write_that_breaks_off_ends_it_with_its_own_story),
        cmocka_unit_test(a_kept_connection_that_died_is_replaced_and_the_body_sent_again),
        cmocka_unit_test(retry_after_is_understood_and_forgotten),
        cmocka_unit_test(a_header_value_cannot_bring_headers_of_its_own),
    };
    return cmocka_run_group_tests(tests, no_proxy, NULL);
}
