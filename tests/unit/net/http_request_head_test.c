/* SPDX-License-Identifier: Apache-2.0
 *
 * Heads of requests: what they say, what is refused, and that a part of one is no head.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/http_request_head.h"

#define HOST "Host: a\r\n"

static struct http_request_head head;

static int check(const char *text)
{
    const char *why = NULL;
    int r;

    head = (struct http_request_head){0};
    r = http_request_head_check(text, strlen(text), &head, &why);
    assert_int_equal(r < 0, why != NULL);
    return r;
}

static void test_what_it_says(void **state)
{
    (void)state;
    assert_int_equal(check("GET / HTTP/1.1\r\n" HOST "\r\n"), 1);
    assert_true(head.persistent && !head.chunked && !head.is_old && head.body_size == 0);
    assert_int_equal(check("PUT /x HTTP/1.1\r\n" HOST "content-length:\t0123 \r\n\r\nGET"), 1);
    assert_int_equal(head.body_size, 123);
    assert_int_equal(head.size, strlen("PUT /x HTTP/1.1\r\n" HOST "content-length:\t0123 \r\n\r\n"));
    assert_int_equal(check("PUT /x HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n"), 1);
    assert_true(head.chunked && head.body_size == 0);
    assert_int_equal(check("GET / HTTP/1.1\r\n" HOST "Connection: foo , CLOSE\r\n\r\n"), 1);
    assert_false(head.persistent);
    assert_int_equal(check("GET / HTTP/1.1\r\n" HOST "Connection: closed\r\n\r\n"), 1);
    assert_true(head.persistent);
    assert_int_equal(check("GET / HTTP/1.0\r\n\r\n"), 1);
    assert_true(head.is_old && !head.persistent);
    assert_int_equal(check("\r\n\r\nOPTIONS * HTTP/1.1\r\n" HOST "\r\n"), 1);
    assert_int_equal(check("PUT /x HTTP/1.1\r\n" HOST "Content-Length: 999999999999999999\r\n\r\n"), 1);
}

static void test_what_is_refused(void **state)
{
    static const struct {
        const char *text;
        int status;
    } rows[] = {
        {"GET /\r\n\r\n", 400},
        {"GET / HTTP/1.1 \r\n" HOST "\r\n", 400},
        {"GET  / HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET / HTTP/1.1\n" HOST "\n", 400},
        {"GET / HTTP/2.0\r\n" HOST "\r\n", 505},
        {"GET / http/1.1\r\n" HOST "\r\n", 505},
        {"G(T / HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET /\x7f HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET * HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET ftp://a/ HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST "A: 1\r\n 2\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST "A : 1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST "A\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST "A: 1\r2\r\n\r\n", 400},
        {"PUT / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n", 400},
        {"PUT / HTTP/1.1\r\n" HOST "Content-Length: 0x1\r\n\r\n", 400},
        {"PUT / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400},
        {"PUT / HTTP/1.1\r\n" HOST "Content-Length: 1000000000000000000\r\n\r\n", 413},
        {"PUT / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, chunked\r\n\r\n", 501},
        {"PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n", 501},
        {"PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"PUT / HTTP/1.1\r\n" HOST "Expect: 200-ok\r\n\r\n", 417},
        {"CONNECT a:1 HTTP/1.1\r\n" HOST "\r\n", 501},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(check(rows[i].text), -rows[i].status);
}

static void test_a_part_is_no_head(void **state)
{
    static const char text[] = "\r\nPUT /x?y HTTP/1.1\r\n" HOST "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n";
    const char *why;

    (void)state;
    for (size_t size = 0; size < strlen(text); size++)
        assert_int_equal(http_request_head_check(text, size, &head, &why), 0);
    assert_int_equal(check(text), 1);
}

static void test_limits(void **state)
{
    static const char *const before[] = {"GET /", "GET / HTTP/1.1\r\n" HOST "A: "};
    static char text[HTTP_HEAD_MAX + 1];
    struct buf fields = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(before); i++) {
        memset(text, 'x', HTTP_HEAD_MAX);
        memcpy(text, before[i], strlen(before[i]));
        text[HTTP_HEAD_MAX - 1] = '\0';
        assert_int_equal(check(text), 0);
        text[HTTP_HEAD_MAX - 1] = 'x';
        assert_int_equal(check(text), i == 0 ? -414 : -431);
    }
    for (unsigned all = HTTP_FIELDS_MAX; all <= HTTP_FIELDS_MAX + 1; all++) {
        buf_clear(&fields);
        assert_int_equal(buf_add_text(&fields, "GET / HTTP/1.1\r\n" HOST), 0);
        for (unsigned i = 1; i < all; i++)
            assert_int_equal(buf_add_text(&fields, "A: b\r\n"), 0);
        assert_int_equal(buf_add_text(&fields, "\r\n"), 0);
        assert_int_equal(check(buf_text(&fields)), all == HTTP_FIELDS_MAX ? 1 : -431);
    }
    buf_done(&fields);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_it_says),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_a_part_is_no_head),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
