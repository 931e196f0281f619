/* SPDX-License-Identifier: Apache-2.0
 *
 * Against what AWS has published: the examples in "Authenticating Requests: Using the Authorization Header" (Amazon S3
 * API Reference) and the aws-sig-v4-test-suite (whose service is not s3, and which signs no x-amz-content-sha256).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/sigv4.h"

#define S3_PREFIX "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders="
#define SUITE_PREFIX "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders="

static void sign(struct sign_request r, const char *access_key, const char *secret_key, const char *token,
                 const char *time, struct signature *ret)
{
    struct credentials c = {.access_key = (char *)access_key,
                            .secret_key = secret_new(secret_key, strlen(secret_key)),
                            .token = token ? secret_new(token, strlen(token)) : NULL};
    assert_int_equal(clock_parse(time, &r.time_ns), 0);
    r.region = "us-east-1";
    assert_int_equal(sigv4_sign(&r, &c, ret), 0);
    secret_free(c.secret_key);
    secret_free(c.token);
}

static void check_s3(struct sign_request r, const char *query, const char *names, const char *signature)
{
    CLEANUP(signature_done) struct signature s = {0};
    char expected[512];
    r.host = "examplebucket.s3.amazonaws.com";
    r.service = "s3";
    if (!r.payload_sha256)
        r.payload_sha256 = SIGV4_EMPTY_SHA256;
    sign(r, "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", NULL, "2013-05-24T00:00:00Z", &s);
    snprintf(expected, sizeof(expected), S3_PREFIX "%s, Signature=%s", names, signature);
    assert_string_equal(secret_expose(s.authorization), expected);
    assert_string_equal(s.date, "20130524T000000Z");
    assert_string_equal(s.query, query);
}

static void check_suite(struct sign_request r, const char *token, const char *names, const char *signature)
{
    CLEANUP(signature_done) struct signature s = {0};
    char expected[512];
    r.host = "example.amazonaws.com";
    r.service = "service";
    if (!r.payload_sha256)
        r.payload_sha256 = SIGV4_EMPTY_SHA256;
    sign(r, "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token, "2015-08-30T12:36:00Z", &s);
    snprintf(expected, sizeof(expected), SUITE_PREFIX "%s, Signature=%s", names, signature);
    assert_string_equal(secret_expose(s.authorization), expected);
}

static void s3_get_object_with_a_range(void **state)
{
    static const struct sign_pair headers[] = {{"Range", "bytes=0-9"}};
    (void)state;
    check_s3((struct sign_request){.method = "GET", .path = "/test.txt", .headers = headers, .header_count = 1}, "",
             "host;range;x-amz-content-sha256;x-amz-date",
             "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

static void s3_put_object(void **state)
{
    static const struct sign_pair headers[] = {{"x-amz-storage-class", "REDUCED_REDUNDANCY"},
                                               {"Date", "Fri, 24 May 2013 00:00:00 GMT"}};
    (void)state;
    check_s3(
        (struct sign_request){.method = "PUT",
                              .path = "/test%24file.text",
                              .headers = headers,
                              .header_count = 2,
                              .payload_sha256 = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"},
        "", "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

static void s3_get_bucket_lifecycle_has_a_query_without_a_value(void **state)
{
    static const struct sign_pair query[] = {{"lifecycle", ""}};
    (void)state;
    check_s3((struct sign_request){.method = "GET", .path = "/", .query = query, .query_count = 1},
             "lifecycle=", "host;x-amz-content-sha256;x-amz-date",
             "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

static void s3_list_objects_sorts_the_query(void **state)
{
    static const struct sign_pair query[] = {{"prefix", "J"}, {"max-keys", "2"}};
    (void)state;
    check_s3((struct sign_request){.method = "GET", .path = "/", .query = query, .query_count = 2},
             "max-keys=2&prefix=J", "host;x-amz-content-sha256;x-amz-date",
             "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

static void suite_vanilla(void **state)
{
    (void)state;
    check_suite((struct sign_request){.method = "GET", .path = "/"}, NULL, "host;x-amz-date",
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
    check_suite((struct sign_request){.method = "POST", .path = "/"}, NULL, "host;x-amz-date",
                "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
}

static void suite_query_order(void **state)
{
    static const struct sign_pair key_case[] = {{"Param2", "value2"}, {"Param1", "value1"}};
    static const struct sign_pair utf8[] = {{"\xe1\x88\xb4", "bar"}};
    (void)state;
    check_suite((struct sign_request){.method = "GET", .path = "/", .query = key_case, .query_count = 2}, NULL,
                "host;x-amz-date", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
    check_suite((struct sign_request){.method = "GET", .path = "/", .query = utf8, .query_count = 1}, NULL,
                "host;x-amz-date", "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04");
}

static void suite_utf8_path(void **state)
{
    (void)state;
    check_suite((struct sign_request){.method = "GET", .path = "/%E1%88%B4"}, NULL, "host;x-amz-date",
                "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85");
}

static void suite_headers_are_sorted_trimmed_and_merged(void **state)
{
    static const struct sign_pair sorted[] = {{"My-Header1", "value1"}};
    static const struct sign_pair trimmed[] = {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}};
    static const struct sign_pair repeated[] = {
        {"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}};
    (void)state;
    check_suite((struct sign_request){.method = "POST", .path = "/", .headers = sorted, .header_count = 1}, NULL,
                "host;my-header1;x-amz-date", "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c");
    check_suite((struct sign_request){.method = "GET", .path = "/", .headers = trimmed, .header_count = 2}, NULL,
                "host;my-header1;my-header2;x-amz-date",
                "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736");
    check_suite((struct sign_request){.method = "GET", .path = "/", .headers = repeated, .header_count = 3}, NULL,
                "host;my-header1;x-amz-date", "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea");
}

static void suite_form_body(void **state)
{
    static const struct sign_pair headers[] = {{"Content-Type", "application/x-www-form-urlencoded"}};
    (void)state;
    check_suite(
        (struct sign_request){.method = "POST",
                              .path = "/",
                              .headers = headers,
                              .header_count = 1,
                              .payload_sha256 = "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"},
        NULL, "content-type;host;x-amz-date", "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a");
}

static void suite_session_token(void **state)
{
    (void)state;
    check_suite(
        (struct sign_request){.method = "POST", .path = "/"},
        "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflf"
        "KD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlR"
        "d8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx"
        "3iSIlTJabIQwj2ICCR/oLxBA==",
        "host;x-amz-date;x-amz-security-token", "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead");
}

/* "a" sorts before "a-b" though '=' comes after '-': names are compared, not lines. Both encoded first. */
static void query_is_encoded_and_then_sorted_by_name(void **state)
{
    static const struct sign_pair query[] = {{"a-b", "1"}, {"a", "x y"}, {"a", "+/~"}, {"~", ""}, {"\xff", "e"}};
    CLEANUP(signature_done) struct signature s = {0};
    (void)state;
    sign((struct sign_request){.method = "GET",
                               .host = "h",
                               .path = "/",
                               .query = query,
                               .query_count = 5,
                               .payload_sha256 = SIGV4_EMPTY_SHA256,
                               .service = "s3"},
         "A", "S", NULL, "2026-11-21T01:56:05Z", &s);
    assert_string_equal(s.query, "%FF=e&a=%2B%2F~&a=x%20y&a-b=1&~=");
}

/* "Authenticating Requests: Using Query Parameters". */
static void a_url_is_signed_as_aws_has_published_it(void **state)
{
    struct sign_request r = {.method = "GET",
                             .path = "/test.txt",
                             .host = "examplebucket.s3.amazonaws.com",
                             .region = "us-east-1",
                             .service = "s3"};
    struct credentials c = {.access_key = (char *)"AKIAIOSFODNN7EXAMPLE",
                            .secret_key = secret_new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", 40)};
    struct secret *query = NULL;

    (void)state;
    assert_int_equal(clock_parse("2013-05-24T00:00:00Z", &r.time_ns), 0);
    assert_int_equal(sigv4_presign(&r, &c, 86400, &query), 0);
    assert_string_equal(secret_expose(query),
                        "X-Amz-Algorithm=AWS4-HMAC-SHA256"
                        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
                        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
                        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
    secret_free(query);
    secret_free(c.secret_key);
}

/* The signature is botocore's (S3SigV4QueryAuth, with its clock at this time). */
static void a_url_with_a_token_and_parameters_of_its_own(void **state)
{
    static const struct sign_pair own[] = {{"response-content-type", "text/plain; charset=utf-8"}, {"partNumber", "7"}};
    struct sign_request r = {.method = "GET",
                             .path = "/a%20b/test.txt",
                             .host = "examplebucket.s3.amazonaws.com",
                             .query = own,
                             .query_count = 2,
                             .region = "eu-west-1",
                             .service = "s3"};
    struct credentials c = {.access_key = (char *)"AKIAIOSFODNN7EXAMPLE",
                            .secret_key = secret_new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", 40),
                            .token = secret_new("token/with+signs==", 18)};
    struct secret *query = NULL;

    (void)state;
    assert_int_equal(clock_parse("2026-11-21T01:56:05Z", &r.time_ns), 0);
    assert_int_equal(sigv4_presign(&r, &c, 300, &query), 0);
    assert_non_null(strstr(secret_expose(query),
                           "&X-Amz-Security-Token=token%2Fwith%2Bsigns%3D%3D&X-Amz-SignedHeaders=host&partNumber=7"
                           "&response-content-type=text%2Fplain%3B%20charset%3Dutf-8&X-Amz-Signature="
                           "b1c6b04c6d5b11c88f6b185ed40c616b9c887c810ef27aa2f700af108d7a923a"));
    secret_free(query);
    secret_free(c.secret_key);
    secret_free(c.token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_is_signed_as_aws_has_published_it),
        cmocka_unit_test(a_url_with_a_token_and_parameters_of_its_own),
        cmocka_unit_test(s3_get_object_with_a_range),
        cmocka_unit_test(s3_put_object),
        cmocka_unit_test(s3_get_bucket_lifecycle_has_a_query_without_a_value),
        cmocka_unit_test(s3_list_objects_sorts_the_query),
        cmocka_unit_test(suite_vanilla),
        cmocka_unit_test(suite_query_order),
        cmocka_unit_test(suite_utf8_path),
        cmocka_unit_test(suite_headers_are_sorted_trimmed_and_merged),
        cmocka_unit_test(suite_form_body),
        cmocka_unit_test(suite_session_token),
        cmocka_unit_test(query_is_encoded_and_then_sorted_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
