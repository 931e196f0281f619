/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers with credentials, in their makers' own examples and broken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/credanswer.h"

static void check(const struct credanswer *a, const char *access_key, const char *secret_key, const char *token,
                  const char *expires)
{
    int64_t expected = 0;

    assert_string_equal(a->access_key, access_key);
    assert_string_equal(a->secret_key, secret_key);
    if (token)
        assert_string_equal(a->token, token);
    else
        assert_null(a->token);
    if (expires)
        assert_int_equal(clock_parse(expires, &expected), 0);
    assert_true(a->expires_ns == expected);
}

static int parse(int (*fn)(const char *, size_t, struct credanswer *), const char *text, struct credanswer *ret)
{
    return fn(text, strlen(text), ret);
}

static void the_agents_of_containers_answer_json(void **state)
{
    CLEANUP(credanswer_done) struct credanswer a = {0};

    (void)state;
    assert_int_equal(
        parse(credanswer_parse_json,
              "{\"RoleArn\":\"arn\",\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"s/e+c\",\"Token\":\"t==\","
              "\"Expiration\":\"2026-11-21T12:00:00Z\"}",
              &a),
        0);
    check(&a, "AKID", "s/e+c", "t==", "2026-11-21T12:00:00Z");
}

static void ec2_says_in_the_body_whether_it_could(void **state)
{
    CLEANUP(credanswer_done) struct credanswer a = {0};
    CLEANUP_FREE char *code = NULL;
    CLEANUP_FREE char *message = NULL;
    const char failed[] = "{\"Code\":\"AssumeRoleUnauthorizedAccess\",\"Message\":\"EC2 cannot assume the role\","
                          "\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\"}";

    (void)state;
    assert_int_equal(
        parse(credanswer_parse_json, "{\"Code\":\"Success\",\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\"}", &a), 0);
    check(&a, "a", "b", NULL, NULL);
    credanswer_done(&a);
    assert_int_equal(parse(credanswer_parse_json, failed, &a), -EBADMSG);
    assert_int_equal(credanswer_parse_json_error(failed, strlen(failed), &code, &message), 0);
    assert_string_equal(code, "AssumeRoleUnauthorizedAccess");
    assert_string_equal(message, "EC2 cannot assume the role");
}

static void a_program_answers_version_1_and_a_time_with_any_offset(void **state)
{
#define KEYS "\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\""
    static const struct {
        const char *text, *expires;
        int result;
    } rows[] = {
        {"{\"Version\":1," KEYS "}", NULL, 0},
        {"{\"Version\":1," KEYS ",\"Expiration\":null}", NULL, 0},
        {"{\"Version\":1," KEYS ",\"Expiration\":\"2026-11-21T12:00:00Z\"}", "2026-11-21T12:00:00Z", 0},
        {"{\"Version\":1," KEYS ",\"Expiration\":\"2026-11-21T12:00:00+00:00\"}", "2026-11-21T12:00:00Z", 0},
        {"{\"Version\":1," KEYS ",\"Expiration\":\"2026-11-21T12:00:00.5-01:30\"}", "2026-11-21T13:30:00.5Z", 0},
        {"{\"Version\":1," KEYS ",\"Expiration\":\"tomorrow\"}", NULL, -EBADMSG},
        {"{\"Version\":1," KEYS ",\"Expiration\":\"2026-11-21T12:00:00+99:00\"}", NULL, -EBADMSG},
        {"{\"Version\":1," KEYS ",\"Expiration\":5}", NULL, -EBADMSG},
        {"{\"Version\":2," KEYS "}", NULL, -EBADMSG},
        {"{\"Version\":\"1\"," KEYS "}", NULL, -EBADMSG},
        {"{" KEYS "}", NULL, -EBADMSG},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(credanswer_done) struct credanswer a = {0};

        assert_int_equal(parse(credanswer_parse_process, rows[i].text, &a), rows[i].result);
        if (rows[i].result == 0)
            check(&a, "a", "b", NULL, rows[i].expires);
    }
}

static void huaweis_are_in_an_object_of_their_own(void **state)
{
    CLEANUP(credanswer_done) struct credanswer a = {0};

    (void)state;
    assert_int_equal(parse(credanswer_parse_huawei,
                           "{\"credential\":{\"access\":\"HAK\",\"secret\":\"HSK\",\"securitytoken\":\"tok\","
                           "\"expires_at\":\"2026-11-21T12:00:00.000000Z\"}}",
                           &a),
                     0);
    check(&a, "HAK", "HSK", "tok", "2026-11-21T12:00:00Z");
}

static void sts_answers_xml(void **state)
{
    CLEANUP(credanswer_done) struct credanswer a = {0};

    (void)state;
    assert_int_equal(parse(credanswer_parse_sts,
                           "<?xml version=\"1.0\"?><AssumeRoleWithWebIdentityResponse "
                           "xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
                           "<AssumeRoleWithWebIdentityResult><Credentials><SessionToken>a&amp;b</SessionToken>"
                           "<SecretAccessKey>secret</SecretAccessKey><Expiration>2026-11-21T12:00:00Z</Expiration>"
                           "<AccessKeyId>ASIA</AccessKeyId></Credentials></AssumeRoleWithWebIdentityResult>"
                           "</AssumeRoleWithWebIdentityResponse>",
                           &a),
                     0);
    check(&a, "ASIA", "secret", "a&b", "2026-11-21T12:00:00Z");
}

static void a_refusal_of_sts_has_its_words(void **state)
{
    CLEANUP_FREE char *code = NULL;
    CLEANUP_FREE char *message = NULL;
    const char text[] = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>Not authorized"
                        "</Message></Error></ErrorResponse>";

    (void)state;
    assert_int_equal(credanswer_parse_sts_error(text, strlen(text), &code, &message), 0);
    assert_string_equal(code, "AccessDenied");
    assert_string_equal(message, "Not authorized");
}

static void what_is_broken_or_has_no_keys_is_refused(void **state)
{
    static const char *const json[] = {"",
                                       "{",
                                       "[]",
                                       "null",
                                       "{\"AccessKeyId\":\"a\"}",
                                       "{\"AccessKeyId\":\"\",\"SecretAccessKey\":\"b\"}",
                                       "{\"AccessKeyId\":1,\"SecretAccessKey\":\"b\"}",
                                       "{\"AccessKeyId\":\"a\",\"AccessKeyId\":\"b\",\"SecretAccessKey\":\"b\"}"};
    static const char DOCTYPE[] = "<!DOCTYPE a [<!ENTITY x \"y\">]><a><AccessKeyId>a</AccessKeyId>"
                                  "<SecretAccessKey>&x;</SecretAccessKey></a>";
    const char *const xml[] = {"", "<a>", "<a/>", "<AccessKeyId>a</AccessKeyId>", DOCTYPE};
    struct credanswer a = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(json); i++) {
        assert_int_equal(parse(credanswer_parse_json, json[i], &a), -EBADMSG);
        assert_int_equal(parse(credanswer_parse_huawei, json[i], &a), -EBADMSG);
    }
    for (size_t i = 0; i < ARRAY_SIZE(xml); i++)
        assert_int_equal(parse(credanswer_parse_sts, xml[i], &a), -EBADMSG);
    assert_null(a.access_key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_agents_of_containers_answer_json),
        cmocka_unit_test(ec2_says_in_the_body_whether_it_could),
        cmocka_unit_test(a_program_answers_version_1_and_a_time_with_any_offset),
        cmocka_unit_test(huaweis_are_in_an_object_of_their_own),
        cmocka_unit_test(sts_answers_xml),
        cmocka_unit_test(a_refusal_of_sts_has_its_words),
        cmocka_unit_test(what_is_broken_or_has_no_keys_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
