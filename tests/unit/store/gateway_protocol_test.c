/* SPDX-License-Identifier: Apache-2.0
 *
 * What a shipper and a server in front of a bucket say to each other, and what neither takes from the other.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/http/gateway_protocol.h"

static int decode(enum gateway_verb v, const char *text)
{
    CLEANUP(gateway_question_done) struct gateway_question q = {0};

    return gateway_question_decode(v, text, strlen(text), &q);
}

static void a_path_names_verb_and_key(void **state)
{
    const char *key = "";

    (void)state;
    assert_int_equal(gateway_verb_find("begin/shop/a b", &key), GATEWAY_BEGIN);
    assert_string_equal(key, "shop/a b");
    assert_int_equal(gateway_verb_find("complete/x", &key), GATEWAY_COMPLETE);
    assert_int_equal(gateway_verb_find("begins/x", &key), GATEWAY_VERB_END);
    assert_int_equal(gateway_verb_find("/x", &key), GATEWAY_VERB_END);
    assert_int_equal(gateway_verb_find("begin", &key), GATEWAY_VERB_END);
}

static void parts_come_back_as_they_were_sent(void **state)
{
    CLEANUP(gateway_question_done) struct gateway_question back = {0};
    char first[] = "0123456789abcdef0123456789abcdef", second[] = "x crc32c=AAAAAA==", token[] = "sha256:2~abc";
    char *etags[] = {first, second};
    uint64_t sizes[] = {8 << 20, 1};
    const struct gateway_question q = {
        .token = token, .size = (8 << 20) + 1, .etags = etags, .sizes = sizes, .count = 2};
    CLEANUP_FREE char *text = NULL;

    (void)state;
    assert_int_equal(gateway_question_encode(GATEWAY_COMPLETE, &q, &text), 0);
    assert_int_equal(gateway_question_decode(GATEWAY_COMPLETE, text, strlen(text), &back), 0);
    assert_string_equal(back.token, token);
    assert_int_equal(back.count, 2);
    assert_string_equal(back.etags[1], second);
    assert_int_equal(back.sizes[0], 8 << 20);
    assert_int_equal(back.size, q.size);
}

static void what_is_out_of_bounds_is_refused(void **state)
{
    (void)state;
    assert_int_equal(decode(GATEWAY_RESUME, "{\"token\":\"t\"}"), 0);
    assert_int_equal(decode(GATEWAY_RESUME, "{\"token\":\"\"}"), -EBADMSG);
    assert_int_equal(decode(GATEWAY_RESUME, "{\"token\":\"a\\nb\"}"), -EBADMSG);
    assert_int_equal(decode(GATEWAY_RESUME, "{\"token\":7}"), -EBADMSG);
    assert_int_equal(decode(GATEWAY_RESUME, "[]"), -EBADMSG);
    assert_int_equal(decode(GATEWAY_BEGIN, ""), 0);
    assert_int_equal(decode(GATEWAY_BEGIN, "{}"), -EBADMSG);
    assert_int_equal(decode(GATEWAY_PART, "{\"token\":\"t\",\"number\":1,\"size\":5,\"digest\":\"d\"}"), 0);
    assert_int_equal(decode(GATEWAY_PART, "{\"token\":\"t\",\"number\":0,\"size\":5,\"digest\":\"d\"}"), -EBADMSG);
    assert_int_equal(decode(GATEWAY_PART, "{\"token\":\"t\",\"number\":10001,\"size\":5,\"digest\":\"d\"}"), -EBADMSG);
    assert_int_equal(decode(GATEWAY_PART, "{\"token\":\"t\",\"number\":1,\"size\":-5,\"digest\":\"d\"}"), -EBADMSG);
    assert_int_equal(decode(GATEWAY_COMPLETE, "{\"token\":\"t\",\"size\":5,\"parts\":[[\"e\",5]]}"), 0);
    assert_int_equal(decode(GATEWAY_COMPLETE, "{\"token\":\"t\",\"size\":5,\"parts\":[[\"e\",4]]}"), -EBADMSG);
    assert_int_equal(decode(GATEWAY_COMPLETE, "{\"token\":\"t\",\"size\":5,\"parts\":[[\"e\",4],[\"e\",4]]}"),
                     -EBADMSG);
    assert_int_equal(decode(GATEWAY_COMPLETE, "{\"token\":\"t\",\"size\":0,\"parts\":[]}"), -EBADMSG);
    assert_int_equal(decode(GATEWAY_COMPLETE, "{\"token\":\"t\",\"size\":5,\"parts\":[[\"<e>\",5]]}"), -EBADMSG);
}

static int decode_request(const char *text)
{
    CLEANUP(handed_request_done) struct handed_request r = {0};

    return gateway_request_decode(text, strlen(text), &r);
}

/* The server is trusted with the evidence; what it answers still frames no other request, and opens no file. */
static void a_url_is_of_the_web_and_its_headers_are_headers(void **state)
{
    (void)state;
    assert_int_equal(decode_request("{\"url\":\"https://b/x?y\",\"headers\":{\"Content-MD5\":\"AA==\"}}"), 0);
    assert_int_equal(decode_request("{\"url\":\"https://b/x?y\"}"), 0);
    assert_int_equal(decode_request("{\"url\":\"file:///etc/passwd\"}"), -EBADMSG);
    assert_int_equal(decode_request("{\"url\":\"http://b/x y\"}"), -EBADMSG);
    assert_int_equal(decode_request("{\"headers\":{}}"), -EBADMSG);
    assert_int_equal(decode_request("{\"url\":\"http://b/\",\"headers\":{\"Host\":\"other\"}}"), -EBADMSG);
    assert_int_equal(decode_request("{\"url\":\"http://b/\",\"headers\":{\"Transfer-Encoding\":\"x\"}}"), -EBADMSG);
    assert_int_equal(decode_request("{\"url\":\"http://b/\",\"headers\":{\"A:b\":\"x\"}}"), -EBADMSG);
    assert_int_equal(decode_request("{\"url\":\"http://b/\",\"headers\":{\"A\":\"x\\r\\nB: c\"}}"), -EBADMSG);
    assert_int_equal(decode_request("{\"url\":\"http://b/\",\"headers\":{\"A\":1}}"), -EBADMSG);
}

static void an_upload_has_a_name_and_a_digest_that_we_know(void **state)
{
    char token[] = "md5:abc";
    const struct handed_upload u = {.token = token, .sums_md5 = true};
    struct handed_upload back = {0};
    CLEANUP_FREE char *text = NULL;
    static const char other[] = "{\"token\":\"t\",\"digest\":\"crc\"}";

    (void)state;
    assert_int_equal(gateway_upload_encode(&u, &text), 0);
    assert_int_equal(gateway_upload_decode(text, strlen(text), &back), 0);
    assert_true(back.sums_md5);
    assert_string_equal(back.token, token);
    free(back.token);
    assert_int_equal(gateway_upload_decode(other, strlen(other), &back), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_names_verb_and_key),
        cmocka_unit_test(parts_come_back_as_they_were_sent),
        cmocka_unit_test(what_is_out_of_bounds_is_refused),
        cmocka_unit_test(a_url_is_of_the_web_and_its_headers_are_headers),
        cmocka_unit_test(an_upload_has_a_name_and_a_digest_that_we_know),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
