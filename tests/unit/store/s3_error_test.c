/* SPDX-License-Identifier: Apache-2.0
 *
 * What becomes of a store's refusals: the fault, and a line that helps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "store/s3/s3_error.h"

static struct s3_failure failure(long status, const char *code)
{
    struct s3_failure f = {.dialect = "s3",
                           .status = status,
                           .action = "s3:PutObject",
                           .origin = "http://127.0.0.1:9000",
                           .bucket = "evidence",
                           .prefix = "team/",
                           .key = "shop/cart/heap.hprof.zst",
                           .region = "us-east-1",
                           .access_key = "AKIAEXAMPLE",
                           .source = "environment",
                           .now_ns = 1795226165000000000};

    snprintf(f.error.code, sizeof(f.error.code), "%s", code);
    return f;
}

static struct err check(struct s3_failure f, int fault, const char *words)
{
    struct err e = {0};

    assert_int_equal(s3_error_explain(&f, &e), -fault);
    if (!strstr(e.msg, words))
        fail_msg("'%s' is not in '%s'", words, e.msg);
    assert_int_equal(strncmp(e.msg, "s3: ", 4), 0);
    return e;
}

static void a_missing_bucket_is_named_with_what_to_do(void **state)
{
    (void)state;
    check(failure(404, "NoSuchBucket"), FAULT_NO_BUCKET,
          "bucket 'evidence' does not exist at http://127.0.0.1:9000: create it or check --endpoint and --region");
}

static void a_wrong_secret_is_told_apart_from_a_forbidden_action(void **state)
{
    (void)state;
    check(failure(403, "SignatureDoesNotMatch"), FAULT_DENIED,
          "the secret key is wrong for access key AKIAEXAMPLE (environment)");
    check(failure(403, "InvalidAccessKeyId"), FAULT_DENIED, "AKIAEXAMPLE (environment) is not known");
    check(failure(403, "AccessDenied"), FAULT_DENIED, "AKIAEXAMPLE (environment) is denied s3:PutObject on object");
    check(failure(403, ""), FAULT_DENIED, "denied s3:PutObject");
}

static void an_expired_token_says_when_it_expired(void **state)
{
    (void)state;
    struct s3_failure f = failure(400, "ExpiredToken");

    check(f, FAULT_EXPIRED, "has expired: renew it");
    f.expires_ns = 1795226165000000000;
    check(f, FAULT_EXPIRED, "expired at 2026-11-21T01:56:05");
}

static void a_temporary_key_that_is_unknown_may_have_ended(void **state)
{
    (void)state;
    struct s3_failure f = failure(403, "InvalidAccessKeyId");
    struct err e = {0};

    f.token = true;
    check(f, FAULT_DENIED, "session token is not valid for access key AKIAEXAMPLE");
    f.expires_ns = f.now_ns + 1;
    check(f, FAULT_DENIED, "session token is not valid");
    f.expires_ns = f.now_ns - 1;
    check(f, FAULT_EXPIRED, "expired at 2026-11-21T01:56:04");
    f.dialect = "obs";
    assert_int_equal(s3_error_explain(&f, &e), -FAULT_EXPIRED);
    assert_int_equal(strncmp(e.msg, "obs: ", 5), 0);
}

static void wrong_clocks_are_told_side_by_side(void **state)
{
    (void)state;
    struct s3_failure f = failure(403, "RequestTimeTooSkewed");
    struct err e;

    f.date = "Sat, 21 Nov 2026 03:11:00 GMT";
    e = check(f, FAULT_DENIED, "2026-11-21T01:56:05");
    assert_non_null(strstr(e.msg, "2026-11-21T03:11:00"));
    f.date = "yesterday";
    check(f, FAULT_DENIED, "2026-11-21T01:56:05");
}

static void another_region_is_named(void **state)
{
    (void)state;
    struct s3_failure f = failure(400, "AuthorizationHeaderMalformed");

    snprintf(f.error.region, sizeof(f.error.region), "eu-west-1");
    check(f, FAULT_REFUSED, "not in region us-east-1 but in eu-west-1: give --region eu-west-1");
    check(failure(301, ""), FAULT_REFUSED, "check --region and --endpoint");
}

static void a_404_is_about_what_was_asked_for(void **state)
{
    (void)state;
    struct s3_failure f = failure(404, "");

    check(f, FAULT_NO_OBJECT, "no object 'team/shop/cart/heap.hprof.zst' in bucket 'evidence'");
    f.upload = true;
    check(f, FAULT_GONE, "begin anew");
    snprintf(f.error.code, sizeof(f.error.code), "NoSuchKey");
    check(f, FAULT_GONE, "begin anew");
    f.error.code[0] = '\0';
    f.upload = false;
    f.key = NULL;
    check(f, FAULT_NO_BUCKET, "bucket 'evidence' does not exist");
}

static void codes_come_before_their_status(void **state)
{
    (void)state;
    check(failure(403, "QuotaExceeded"), FAULT_FULL, "no room for object");
    check(failure(507, ""), FAULT_FULL, "raise the quota");
    check(failure(500, "XMinioStorageFull"), FAULT_FULL, "no room");
    check(failure(200, "InternalError"), FAULT_BUSY, "may pass by itself");
    check(failure(400, "RequestTimeout"), FAULT_BUSY, "may pass by itself");
    check(failure(409, "OperationAborted"), FAULT_BUSY, "may pass by itself");
    check(failure(404, "NoSuchUpload"), FAULT_GONE, "begin anew");
    check(failure(400, "InvalidPart"), FAULT_GONE, "begin anew");
    check(failure(400, "BadDigest"), FAULT_CORRUPT, "arrived damaged");
    check(failure(400, "XAmzContentSHA256Mismatch"), FAULT_CORRUPT, "arrived damaged");
    check(failure(412, "PreconditionFailed"), FAULT_EXISTS, "there already");
}

static void a_status_alone_is_enough_to_know_what_may_pass(void **state)
{
    (void)state;
    static const long passing[] = {408, 429, 500, 502, 503, 504, 599};
    static const long lasting[] = {400, 405, 409, 411, 413, 416, 418, 501, 505};

    for (size_t i = 0; i < sizeof(passing) / sizeof(*passing); i++)
        check(failure(passing[i], ""), FAULT_BUSY, "not ready");
    for (size_t i = 0; i < sizeof(lasting) / sizeof(*lasting); i++)
        check(failure(lasting[i], ""), FAULT_REFUSED, "without saying why");
    check(failure(400, "EntityTooLarge"), FAULT_REFUSED, "refuses s3:PutObject");
    check(failure(418, "NeverHeardOf"), FAULT_REFUSED, "418 NeverHeardOf");
}

static void the_stores_own_words_and_request_id_are_kept(void **state)
{
    (void)state;
    struct s3_failure f = failure(503, "SlowDown");
    struct err e;

    snprintf(f.error.message, sizeof(f.error.message), "Please reduce your request rate.");
    snprintf(f.error.request_id, sizeof(f.error.request_id), "tx0001-4711");
    e = check(f, FAULT_BUSY, "(503 SlowDown: Please reduce your request rate., request tx0001-4711)");
    assert_int_equal(e.retry_after_ms, 0);
    f.retry_after_ms = 7000;
    e = check(f, FAULT_BUSY, "503");
    assert_int_equal(e.retry_after_ms, 7000);
}

static void long_names_leave_room_for_the_advice(void **state)
{
    (void)state;
    char key[1025], bucket[64];
    struct s3_failure f = failure(403, "AccessDenied");

    memset(key, 'k', sizeof(key) - 1);
    key[sizeof(key) - 1] = '\0';
    memset(bucket, 'b', sizeof(bucket) - 1);
    bucket[sizeof(bucket) - 1] = '\0';
    f.key = key;
    f.bucket = bucket;
    memset(f.error.message, 'm', sizeof(f.error.message) - 1);
    snprintf(f.error.request_id, sizeof(f.error.request_id), "4711");
    check(f, FAULT_DENIED, "request 4711)");
}

static void what_a_store_does_not_know_is_recognised(void **state)
{
    (void)state;
    assert_true(s3_error_not_implemented(501, ""));
    assert_true(s3_error_not_implemented(400, "NotImplemented"));
    assert_false(s3_error_not_implemented(400, "InvalidRequest"));
    assert_false(s3_error_not_implemented(500, ""));
    assert_true(s3_error_may_be_unknown(501, ""));
    assert_true(s3_error_may_be_unknown(400, "InvalidArgument"));
    assert_true(s3_error_may_be_unknown(400, ""));
    assert_false(s3_error_may_be_unknown(400, "BadDigest"));
    assert_false(s3_error_may_be_unknown(400, "ExpiredToken"));
    assert_false(s3_error_may_be_unknown(403, "AccessDenied"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_bucket_is_named_with_what_to_do),
        cmocka_unit_test(a_wrong_secret_is_told_apart_from_a_forbidden_action),
        cmocka_unit_test(an_expired_token_says_when_it_expired),
        cmocka_unit_test(a_temporary_key_that_is_unknown_may_have_ended),
        cmocka_unit_test(wrong_clocks_are_told_side_by_side),
        cmocka_unit_test(another_region_is_named),
        cmocka_unit_test(a_404_is_about_what_was_asked_for),
        cmocka_unit_test(codes_come_before_their_status),
        cmocka_unit_test(a_status_alone_is_enough_to_know_what_may_pass),
        cmocka_unit_test(the_stores_own_words_and_request_id_are_kept),
        cmocka_unit_test(long_names_leave_room_for_the_advice),
        cmocka_unit_test(what_a_store_does_not_know_is_recognised),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
