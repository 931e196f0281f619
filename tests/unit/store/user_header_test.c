/* SPDX-License-Identifier: Apache-2.0
 *
 * Which headers are taken from the user, and what they go with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/user_header.h"

static void each_goes_with_what_takes_it(void **state)
{
    static const struct {
        const char *text, *name, *value;
        enum user_header_scope scope;
        bool archives;
    } rows[] = {
        {"x-amz-acl:bucket-owner-full-control", "x-amz-acl", "bucket-owner-full-control", USER_HEADER_CREATE, false},
        {"X-Amz-Storage-Class: STANDARD_IA ", "X-Amz-Storage-Class", "STANDARD_IA", USER_HEADER_CREATE, false},
        {"x-amz-storage-class:GLACIER", "x-amz-storage-class", "GLACIER", USER_HEADER_CREATE, true},
        {"x-amz-tagging:a=b&c=d e", "x-amz-tagging", "a=b&c=d e", USER_HEADER_CREATE, false},
        {"x-amz-server-side-encryption:aws:kms", "x-amz-server-side-encryption", "aws:kms", USER_HEADER_CREATE, false},
        {"x-amz-server-side-encryption-aws-kms-key-id:arn:aws:kms:eu-west-1:1:key/x",
         "x-amz-server-side-encryption-aws-kms-key-id", "arn:aws:kms:eu-west-1:1:key/x", USER_HEADER_CREATE, false},
        {"x-amz-server-side-encryption-customer-algorithm:AES256", "x-amz-server-side-encryption-customer-algorithm",
         "AES256", USER_HEADER_OBJECT, false},
        {"x-amz-request-payer:requester", "x-amz-request-payer", "requester", USER_HEADER_ALL, false},
        {"x-amz-expected-bucket-owner:1", "x-amz-expected-bucket-owner", "1", USER_HEADER_ALL, false},
        {"x-amz-meta-team:shop", "x-amz-meta-team", "shop", USER_HEADER_CREATE, false},
        {"Cache-Control:no-store", "Cache-Control", "no-store", USER_HEADER_CREATE, false},
        {"X-Api-Key:k", "X-Api-Key", "k", USER_HEADER_ALL, false},
        {"x-obs-storage-class:COLD", "x-obs-storage-class", "COLD", USER_HEADER_CREATE, true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(user_headers_done) struct user_headers h = {0}, copy = {0};
        struct err e = {0};

        assert_int_equal(user_headers_add(&h, rows[i].text, URL_S3, &e), 0);
        assert_int_equal(user_headers_copy(&h, &copy), 0);
        assert_string_equal(copy.item[0].name, rows[i].name);
        assert_string_equal(copy.item[0].value, rows[i].value);
        assert_int_equal(copy.item[0].scope, rows[i].scope);
        assert_int_equal(copy.item[0].archives, rows[i].archives);
    }
}

static void others_are_refused(void **state)
{
    static const char *const rows[] = {
        "Authorization:Bearer x",
        "host:elsewhere",
        "Content-Length:5",
        "transfer-encoding:chunked",
        "Connection:close",
        "Keep-Alive:1",
        "Proxy-Authorization:x",
        "TE:x",
        "Upgrade:h2c",
        "Expect:100-continue",
        "Range:bytes=0-1",
        "If-None-Match:*",
        "Date:x",
        "Content-Type:text/html",
        "Content-MD5:x",
        "x-amz-date:x",
        "X-Amz-Content-SHA256:x",
        "x-amz-security-token:x",
        "x-amz-checksum-crc32:x",
        "x-amz-sdk-checksum-algorithm:x",
        "x-amz-copy-source:x",
        "x-amz-meta-sha256:x",
        "x-obs-date:x",
        "Destination:x",
        "x-amz-acl",
        "x-amz-acl:",
        ":x",
        "a b:c",
        "a:b\r\nHost: c",
        "a:b\x1b",
        "a:\xc3\xbc",
        "",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct user_headers h = {0};
        struct err e = {0};

        if (user_headers_add(&h, rows[i], URL_S3, &e) != -FAULT_USAGE)
            fail_msg("'%s' was taken", rows[i]);
        assert_true(strncmp(e.msg, "--header: ", 10) == 0);
        assert_int_equal(h.count, 0);
    }
}

static void none_twice_not_too_many_and_none_for_a_folder(void **state)
{
    CLEANUP(user_headers_done) struct user_headers h = {0};
    struct err e = {0};
    char text[32];

    (void)state;
    assert_int_equal(user_headers_add(&h, "x-amz-acl:private", URL_FILE, &e), -FAULT_USAGE);
    for (unsigned i = 0; i < USER_HEADERS_MAX; i++) {
        snprintf(text, sizeof(text), "x-%u:y", i);
        assert_int_equal(user_headers_add(&h, text, URL_HTTP, &e), 0);
        assert_int_equal(user_headers_add(&h, text, URL_HTTP, &e), -FAULT_USAGE);
    }
    assert_int_equal(user_headers_add(&h, "x-more:y", URL_HTTP, &e), -FAULT_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_goes_with_what_takes_it),
        cmocka_unit_test(others_are_refused),
        cmocka_unit_test(none_twice_not_too_many_and_none_for_a_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
