/* SPDX-License-Identifier: Apache-2.0
 *
 * Connections and answers that fail at once: which fault it is, and what the message says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "base/mem.h"
#include "canned_server.h"

/* What the write callback gets. */
static int take(void *ctx, const void *data, size_t size)
{
    return buf_add(ctx, data, size);
}

static void an_answer_cut_short_is_no_success(void **state)
{
    static const struct exchange x[] = {
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbytes", .after = CLOSE},
        {.answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbytes\r\n", .after = CLOSE},
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbytes", .after = RESET}};
    CLEANUP(fixture_done) struct fixture f = {0};
    CLEANUP(buf_done) struct buf taken = {0};
    (void)state;
    fixture_start(&f, "GET", x, 3);
    f.r.write = take;
    f.r.ctx = &taken;
    for (int i = 0; i < 3; i++) {
        f.e = (struct err){0};
        assert_int_equal(perform(&f), -FAULT_UNREACHABLE);
        assert_int_equal(f.a.status, 0);
        assert_non_null(strstr(f.e.msg, "127.0.0.1:"));
        assert_null(strstr(f.e.msg, "hush"));
    }
}

static void a_head_cut_short_is_no_success(void **state)
{
    static const struct exchange x[] = {{.answer = "HTTP/1.1 200 OK\r\nContent-Le", .after = CLOSE},
                                        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", .after = CLOSE},
                                        {.answer = "HTTP/1.1 2", .after = CLOSE}};
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start(&f, "GET", x, 3);
    for (int i = 0; i < 3; i++)
        assert_true(perform(&f) < 0);
}

static void closed_and_reset_without_an_answer_are_unreachable(void **state)
{
    static const struct exchange x[] = {{.answer = "", .after = CLOSE}, {.answer = "", .after = RESET}};
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start(&f, "GET", x, 2);
    assert_int_equal(perform(&f), -FAULT_UNREACHABLE);
    assert_non_null(strstr(f.e.msg, "without an answer"));
    assert_int_equal(perform(&f), -FAULT_UNREACHABLE);
}

static void a_refused_connection_is_told_in_plain_words(void **state)
{
    CLEANUP(fixture_done) struct fixture f = {0};
    char expected[128];
    (void)state;
    fixture_start(&f, "GET", NULL, 0);
    server_stop(&f.server);
    assert_int_equal(perform(&f), -FAULT_UNREACHABLE);
    snprintf(expected, sizeof(expected), "cannot connect to 127.0.0.1:%u: Connection refused", f.server.port);
    assert_string_equal(f.e.msg, expected);
}

static void a_name_that_does_not_exist_is_unreachable(void **state)
{
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start(&f, "GET", NULL, 0);
    f.r.url = "http://no-such-host.invalid/"; /* RFC 6761 */
    assert_int_equal(perform(&f), -FAULT_UNREACHABLE);
    assert_non_null(strstr(f.e.msg, "no-such-host.invalid"));
}

static void a_server_that_speaks_no_http_is_told(void **state)
{
    static const struct exchange x = {.answer = "220 mail.example ESMTP\r\n", .after = CLOSE};
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start(&f, "GET", &x, 1);
    assert_int_equal(perform(&f), -FAULT_FORMAT);
    assert_non_null(strstr(f.e.msg, "does not speak HTTP"));
}

static void tls_to_a_plain_port_is_told(void **state)
{
    static const struct exchange x = {
        .answer = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", .deaf = true, .after = FORGET};
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start(&f, "GET", &x, 1);
    snprintf(f.url, sizeof(f.url), "https://127.0.0.1:%u/", f.server.port);
    assert_int_equal(perform(&f), -FAULT_TLS);
    assert_non_null(strstr(f.e.msg, "does not speak TLS"));
}

static void a_tls_handshake_that_breaks_may_pass(void **state)
{
    static const struct exchange x[] = {{.answer = "", .deaf = true, .after = CLOSE},
                                        {.answer = "", .deaf = true, .after = RESET}};
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start(&f, "GET", x, 2);
    snprintf(f.url, sizeof(f.url), "https://127.0.0.1:%u/", f.server.port);
    assert_int_equal(perform(&f), -FAULT_UNREACHABLE);
    assert_int_equal(perform(&f), -FAULT_UNREACHABLE);
}

static void a_ca_file_that_is_none_is_named(void **state)
{
    CLEANUP(fixture_done) struct fixture f = {0};
    struct http *h = NULL;
    (void)state;
    fixture_start(&f, "GET", &(struct exchange){.answer = "", .deaf = true, .after = FORGET}, 1);
    snprintf(f.url, sizeof(f.url), "https://127.0.0.1:%u/", f.server.port);
    assert_int_equal(http_new(&(struct http_options){.ca_file = (char *)"/no/such/ca.pem"}, &h, &f.e), 0);
    int r = http_perform(h, &f.r, &f.a, &f.e);
    http_free(h);
    assert_int_equal(r, -FAULT_TLS);
    assert_non_null(strstr(f.e.msg, "/no/such/ca.pem"));
}

static void an_answer_beyond_all_measure_is_refused(void **state)
{
    static const struct exchange x = {
        .answer = "HTTP/1.1 200 OK\r\nContent-Length: 18000000\r\n\r\n", .padding = 18000000, .after = CLOSE};
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start(&f, "GET", &x, 1);
    assert_int_equal(perform(&f), -FAULT_FORMAT);
}

static void a_proxy_that_is_down_is_named(void **state)
{
    static const struct exchange x = {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start(&f, "GET", &x, 1);
    unsetenv("no_proxy");
    setenv("http_proxy", "http://127.0.0.9:1", 1);
    int r = perform(&f);
    unsetenv("http_proxy");
    setenv("no_proxy", "*", 1);
    assert_int_equal(r, -FAULT_UNREACHABLE);
    assert_non_null(strstr(f.e.msg, "127.0.0.1:"));
    assert_non_null(strstr(f.e.msg, "127.0.0.9"));
}

static void a_direct_request_asks_no_proxy(void **state)
{
    static const struct exchange x = {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
    CLEANUP(fixture_done) struct fixture f = {0};
    (void)state;
    fixture_start(&f, "GET", &x, 1);
    http_free(f.http);
    f.http = NULL;
    assert_int_equal(http_new(&(struct http_options){.direct = true}, &f.http, &f.e), 0);
    unsetenv("no_proxy");
    setenv("http_proxy", "http://127.0.0.9:1", 1);
    int r = perform(&f);
    unsetenv("http_proxy");
    setenv("no_proxy", "*", 1);
    assert_int_equal(r, 0);
    assert_int_equal(f.a.status, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_cut_short_is_no_success),
        cmocka_unit_test(a_head_cut_short_is_no_success),
        cmocka_unit_test(closed_and_reset_without_an_answer_are_unreachable),
        cmocka_unit_test(a_refused_connection_is_told_in_plain_words),
        cmocka_unit_test(a_name_that_does_not_exist_is_unreachable),
        cmocka_unit_test(a_server_that_speaks_no_http_is_told),
        cmocka_unit_test(tls_to_a_plain_port_is_told),
        cmocka_unit_test(a_tls_handshake_that_breaks_may_pass),
        cmocka_unit_test(a_ca_file_that_is_none_is_named),
        cmocka_unit_test(an_answer_beyond_all_measure_is_refused),
        cmocka_unit_test(a_proxy_that_is_down_is_named),
        cmocka_unit_test(a_direct_request_asks_no_proxy),
    };
    return cmocka_run_group_tests(tests, no_proxy, NULL);
}
