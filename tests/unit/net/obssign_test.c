/* SPDX-License-Identifier: Apache-2.0
 *
 * Against the strings to sign that Huawei has published (OBS API Reference, "Authentication of Signature in a Header",
 * tables 2 to 6): it publishes no key, so the HMAC of each is taken here, in one go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/obssign.h"
#include "net/url.h"

#define ACCESS_KEY "UDSIAMSTUBTEST000254"
#define SECRET_KEY "Not/The+Documentation's"

static void check(struct sign_request r, const char *date, const char *token, const char *text, const char *query)
{
    CLEANUP(signature_done) struct signature s = {0};
    struct credentials c = {.access_key = (char *)ACCESS_KEY,
                            .secret_key = secret_new(SECRET_KEY, strlen(SECRET_KEY)),
                            .token = token ? secret_new(token, strlen(token)) : NULL};
    unsigned char digest[EVP_MAX_MD_SIZE], base64[64];
    char expected[128];

    assert_int_equal(clock_parse_http(date, &r.time_ns), 0);
    assert_int_equal(obssign_sign(&r, &c, &s), 0);
    assert_non_null(
        HMAC(EVP_sha1(), SECRET_KEY, (int)strlen(SECRET_KEY), (const unsigned char *)text, strlen(text), digest, NULL));
    EVP_EncodeBlock(base64, digest, 20);
    snprintf(expected, sizeof(expected), "OBS " ACCESS_KEY ":%s", (const char *)base64);
    assert_string_equal(secret_expose(s.authorization), expected);
    assert_string_equal(s.date, date);
    assert_string_equal(s.query, query);
    secret_free(c.secret_key);
    secret_free(c.token);
}

/* Table 2, with x-obs-date instead of Date. */
static void an_object_is_asked_for(void **state)
{
    (void)state;
    check((struct sign_request){.method = "GET", .resource = "/bucket/object.txt"}, "Mon, 12 Oct 2015 08:12:38 GMT",
          NULL, "GET\n\n\n\nx-obs-date:Mon, 12 Oct 2015 08:12:38 GMT\n/bucket/object.txt", "");
}

/* Table 3 */
static void a_token_is_one_of_the_headers(void **state)
{
    static const struct sign_pair headers[] = {{"content-type", "text/plain"}};

    (void)state;
    check(
        (struct sign_request){
            .method = "PUT", .resource = "/bucket/object.txt", .headers = headers, .header_count = ARRAY_SIZE(headers)},
        "Thu, 15 Oct 2015 07:20:09 GMT", "YwkaRTbdY8g7q....",
        "PUT\n\ntext/plain\n\nx-obs-date:Thu, 15 Oct 2015 07:20:09 GMT\nx-obs-security-token:YwkaRTbdY8g7q....\n"
        "/bucket/object.txt",
        "");
}

/* Tables 4 and 6; "x-obs-meta-name:name1,name2" and white space as in table 1 */
static void headers_of_obs_are_sorted_trimmed_and_joined(void **state)
{
    static const struct sign_pair headers[] = {
        {"X-OBS-Meta-Name", " name1\t"}, {"Range", "bytes=0-"},        {"Content-MD5", "I5pU0r4+sgO9Emgl1KMQUg=="},
        {"x-obs-acl", "public-read"},    {"x-obs-meta-name", "name2"},
    };

    (void)state;
    check(
        (struct sign_request){
            .method = "PUT", .resource = "/bucket/object.txt", .headers = headers, .header_count = ARRAY_SIZE(headers)},
        "Thu, 15 Oct 2015 07:20:09 GMT", NULL,
        "PUT\nI5pU0r4+sgO9Emgl1KMQUg==\n\n\nx-obs-acl:public-read\nx-obs-date:Thu, 15 Oct 2015 07:20:09 GMT\n"
        "x-obs-meta-name:name1,name2\n/bucket/object.txt",
        "");
}

static void the_digest_of_a_body_is_signed_where_there_is_one(void **state)
{
    (void)state;
    check((struct sign_request){.method = "PUT", .resource = "/bucket/o", .payload_sha256 = "e3b0"},
          "Thu, 15 Oct 2015 07:20:09 GMT", NULL,
          "PUT\n\n\n\nx-obs-content-sha256:e3b0\nx-obs-date:Thu, 15 Oct 2015 07:20:09 GMT\n/bucket/o", "");
}

/* Table 5, and the last paragraph of table 1: "?response-content-type=text/plain&versionId=xxx" */
static void subresources_are_signed_as_they_are_and_other_parameters_not_at_all(void **state)
{
    static const struct sign_pair acl[] = {{"acl", ""}};
    static const struct sign_pair version[] = {
        {"versionId", "xxx"}, {"x-unknown", "1"}, {"response-content-type", "text/plain"}};
    static const struct sign_pair part[] = {{"uploadId", "a/b+c=="}, {"partNumber", "7"}, {"max-parts", "1"}};
    static const struct sign_pair list[] = {{"prefix", "a b"}, {"marker", "x"}, {"encoding-type", "url"}};
    static const struct sign_pair uploads[] = {{"uploads", ""}, {"prefix", "p/"}, {"key-marker", ""}};

#define DATED "\n\n\n\nx-obs-date:Mon, 12 Oct 2015 08:12:38 GMT\n"
#define CHECK(method_, resource_, query_, signed_, sent)                                                               \
    check(                                                                                                             \
        (struct sign_request){                                                                                         \
            .method = method_, .resource = resource_, .query = query_, .query_count = ARRAY_SIZE(query_)},             \
        "Mon, 12 Oct 2015 08:12:38 GMT", NULL, method_ DATED signed_, sent)
    (void)state;
    CHECK("GET", "/bucket/object.txt", acl, "/bucket/object.txt?acl", "acl");
    CHECK("GET", "/bucket-test/object-test", version,
          "/bucket-test/object-test?response-content-type=text/plain&versionId=xxx",
          "response-content-type=text%2Fplain&versionId=xxx&x-unknown=1");
    CHECK("PUT", "/bucket/a%20b", part,
          "/bucket/a%20b?partNumber=7&uploadId=a/b+c==", "max-parts=1&partNumber=7&uploadId=a%2Fb%2Bc%3D%3D");
    CHECK("GET", "/bucket/", list, "/bucket/", "encoding-type=url&marker=x&prefix=a%20b");
    CHECK("GET", "/bucket/", uploads, "/bucket/?uploads", "key-marker&prefix=p%2F&uploads");
}

/* All at once, as the parts of an upload are signed. Computed with Python's hmac from the string to sign:
 * "PUT\nI5pU0r4+sgO9Emgl1KMQUg==\ntext/plain\n\nx-obs-content-sha256:e3b0\nx-obs-date:…\nx-obs-security-token:…\n
 * /bucket/a%20b?partNumber=7&uploadId=a/b+c==" */
static void a_part_with_everything_is_signed_as_elsewhere(void **state)
{
    static const struct sign_pair query[] = {{"uploadId", "a/b+c=="}, {"partNumber", "7"}};
    static const struct sign_pair headers[] = {{"Content-Type", "text/plain"},
                                               {"Content-MD5", "I5pU0r4+sgO9Emgl1KMQUg=="}};
    CLEANUP(signature_done) struct signature s = {0};
    struct credentials c = {.access_key = (char *)ACCESS_KEY,
                            .secret_key = secret_new(SECRET_KEY, strlen(SECRET_KEY)),
                            .token = secret_new("YwkaRTbdY8g7q....", strlen("YwkaRTbdY8g7q...."))};
    struct sign_request r = {.method = "PUT",
                             .resource = "/bucket/a%20b",
                             .query = query,
                             .query_count = ARRAY_SIZE(query),
                             .headers = headers,
                             .header_count = ARRAY_SIZE(headers),
                             .payload_sha256 = "e3b0"};

    (void)state;
    assert_int_equal(clock_parse_http("Thu, 15 Oct 2015 07:20:09 GMT", &r.time_ns), 0);
    assert_int_equal(obssign_sign(&r, &c, &s), 0);
    assert_string_equal(secret_expose(s.authorization), "OBS " ACCESS_KEY ":Js5M4c7YbIpOVMgbVgM+VrWT/iE=");
    secret_free(c.secret_key);
    secret_free(c.token);
}

/* "Authentication of Signature in a URL": METHOD, Content-MD5, Content-Type, Expires, resource. */
static void a_url_is_signed_with_its_end_and_a_token_as_parameter(void **state)
{
    static const struct sign_pair own[] = {{"response-content-type", "text/plain; a=b"}};
    static const char text[] = "GET\n\n\n1444637858\n/bucket/object.txt?response-content-type=text/plain; a=b"
                               "&x-obs-security-token=to+ken";
    struct sign_request r = {.method = "GET", .resource = "/bucket/object.txt", .query = own, .query_count = 1};
    struct credentials c = {.access_key = (char *)ACCESS_KEY,
                            .secret_key = secret_new(SECRET_KEY, strlen(SECRET_KEY)),
                            .token = secret_new("to+ken", 6)};
    unsigned char digest[EVP_MAX_MD_SIZE], base64[64];
    CLEANUP_FREE char *encoded = NULL;
    char expected[512];
    struct secret *query = NULL;

    (void)state;
    assert_int_equal(clock_parse_http("Mon, 12 Oct 2015 08:12:38 GMT", &r.time_ns), 0);
    assert_int_equal(obssign_presign(&r, &c, 300, &query), 0);
    assert_non_null(
        HMAC(EVP_sha1(), SECRET_KEY, (int)strlen(SECRET_KEY), (const unsigned char *)text, strlen(text), digest, NULL));
    EVP_EncodeBlock(base64, digest, 20);
    assert_non_null(encoded = url_encode((const char *)base64, strlen((const char *)base64), 0));
    snprintf(expected, sizeof(expected),
             "AccessKeyId=" ACCESS_KEY "&Expires=1444637858&Signature=%s"
             "&response-content-type=text%%2Fplain%%3B%%20a%%3Db&x-obs-security-token=to%%2Bken",
             encoded);
    assert_string_equal(secret_expose(query), expected);
    secret_free(query);
    secret_free(c.secret_key);
    secret_free(c.token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_is_signed_with_its_end_and_a_token_as_parameter),
        cmocka_unit_test(an_object_is_asked_for),
        cmocka_unit_test(a_token_is_one_of_the_headers),
        cmocka_unit_test(headers_of_obs_are_sorted_trimmed_and_joined),
        cmocka_unit_test(the_digest_of_a_body_is_signed_where_there_is_one),
        cmocka_unit_test(subresources_are_signed_as_they_are_and_other_parameters_not_at_all),
        cmocka_unit_test(a_part_with_everything_is_signed_as_elsewhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
