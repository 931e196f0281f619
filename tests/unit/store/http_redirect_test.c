/* SPDX-License-Identifier: Apache-2.0
 *
 * Which redirect is followed, and what goes with the request to the other host.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/http/http_redirect.h"

static bool follow(const char *from, long status, const char *location, struct http_request *ret, char **ret_url)
{
    CLEANUP(http_answer_done) struct http_answer a = {.status = status};
    struct http_request r = {.method = "GET", .url = from};

    http_add_header(&r, "Authorization", "Bearer token");
    http_add_header(&r, "X-Mine", "1");
    http_add_header(&r, "Range", "bytes=5-");
    assert_int_equal(buf_printf(&a.headers, "HTTP/1.1 %ld x\r\n", status), 0);
    if (location)
        assert_int_equal(buf_printf(&a.headers, "Location: %s\r\n", location), 0);
    return http_redirect_follow(&r, &a, ret, ret_url);
}

static void a_download_goes_on_elsewhere_without_our_credentials(void **state)
{
    CLEANUP_FREE char *url = NULL;
    struct http_request next;

    (void)state;
    assert_true(follow("https://a/x", 307, "https://bucket.example:9000/x?X-Amz-Signature=1", &next, &url));
    assert_string_equal(next.url, "https://bucket.example:9000/x?X-Amz-Signature=1");
    assert_string_equal(next.method, "GET");
    assert_int_equal(next.header_count, 1);
    assert_string_equal(next.headers[0].name, "Range");
    assert_string_equal(next.headers[0].value, "bytes=5-");
}

static void what_is_not_followed(void **state)
{
    static const struct {
        const char *from;
        long status;
        const char *location;
    } rows[] = {
        {"https://a/x", 307, "http://b/x"}, /* TLS does not end here */
        {"http://a/x", 307, NULL},
        {"http://a/x", 307, "/y"},
        {"http://a/x", 307, "file:///etc/passwd"},
        {"http://a/x", 302, "http://b/x"},
        {"http://a/x", 308, "http://b/x"},
        {"http://a/x", 200, "http://b/x"},
        {"http://a/x", 307, "http://"},
        {"http://a/x", 307, "//b/x"},
        {"http://a/x", 307, "http://u:p@b/x"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct http_request next;
        char *url = NULL;

        assert_false(follow(rows[i].from, rows[i].status, rows[i].location, &next, &url));
        assert_null(url);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_download_goes_on_elsewhere_without_our_credentials),
        cmocka_unit_test(what_is_not_followed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
