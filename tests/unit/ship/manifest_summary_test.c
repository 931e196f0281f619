/* SPDX-License-Identifier: Apache-2.0
 *
 * A sentence in the manifest of others: nothing else of it changes.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/fault.h"
#include "base/mem.h"
#include "ship/manifest.h"
#include "ship/manifest_summary.h"

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define FIELDS                                                                                                         \
    "\"schema\": \"salvage.manifest/1\", \"id\": \"0123456789abcdef\", \"key\": \"shop/x\", \"kind\": \"heap-dump\", " \
    "\"cause\": \"java-oom\", \"name\": \"x\", \"size\": 1, \"sha256\": \"" DIGEST "\", \"codec\": \"none\", "         \
    "\"stored_size\": 1, \"stored_sha256\": \"" DIGEST "\", \"of_a_later_version\": {\"a\": [1.5, null]}"

static const struct summary SUMMARY = {
    .sentence = "12 bytes", .top = {{.name = "byte[]", .count = 1, .bytes = 12}}, .top_count = 1};

static void sentence_and_classes_are_added_and_all_else_stays(void **state)
{
    CLEANUP(buf_done) struct buf json = {0}, with = {0}, again = {0};
    CLEANUP(manifest_done) struct manifest m = {0};
    struct err e = {0};

    (void)state;
    buf_add_text(&json, "{" FIELDS "}");
    assert_int_equal(manifest_with_summary(&json, &SUMMARY, &with, &e), 0);
    assert_int_equal(manifest_decode(with.data, with.size, &m, &e), 0);
    assert_string_equal(m.summary, "12 bytes");
    assert_int_equal(m.top->count, 1);
    assert_string_equal(m.top->row[0].name, "byte[]");
    assert_int_equal(m.top->row[0].bytes, 12);
    assert_non_null(strstr(buf_text(&with), "of_a_later_version"));
    assert_non_null(strstr(buf_text(&with), "1.5"));
    assert_int_equal(with.data[with.size - 1], '\n');
    assert_int_equal(manifest_with_summary(&with, &SUMMARY, &again, &e), -EALREADY);
    assert_int_equal(again.size, 0);
}

static void what_is_no_manifest_is_left_alone(void **state)
{
    static const char *const bad[] = {"", "{}", "[1]", "{\"schema\": \"salvage.manifest/1\"}", "{" FIELDS};
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        CLEANUP(buf_done) struct buf json = {0}, with = {0};

        buf_add_text(&json, bad[i]);
        assert_int_equal(manifest_with_summary(&json, &SUMMARY, &with, &e), -FAULT_FORMAT);
        assert_int_equal(with.size, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentence_and_classes_are_added_and_all_else_stays),
        cmocka_unit_test(what_is_no_manifest_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
