/* SPDX-License-Identifier: Apache-2.0
 *
 * Structured fields: RFC 9651's own examples, and what is malformed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "net/structured.h"

static void integers(void **state)
{
    static const char *const REFUSED[] = {"",  "1 2", "1,2", "--1", "-", "1.", "1e3", "0x1", "9999999999999999",
                                          "a", "?1"};
    uint64_t value = 7;

    (void)state;
    assert_true(structured_uint("0", &value) && value == 0);
    assert_true(structured_uint(" 42 ", &value) && value == 42);
    assert_true(structured_uint("999999999999999", &value) && value == 999999999999999);
    assert_true(structured_uint("5; foo=bar;b", &value) && value == 5);
    assert_false(structured_uint("-1", &value));
    assert_false(structured_uint("1.5", &value));
    assert_false(structured_uint(NULL, &value));
    for (size_t i = 0; i < ARRAY_SIZE(REFUSED); i++)
        if (structured_uint(REFUSED[i], &value))
            fail_msg("'%s' was taken for %llu", REFUSED[i], (unsigned long long)value);
    assert_int_equal(value, 5);
}

static void booleans(void **state)
{
    bool value = false;

    (void)state;
    assert_true(structured_boolean("?1", &value) && value);
    assert_true(structured_boolean("?0", &value) && !value);
    assert_false(structured_boolean("1", &value));
    assert_false(structured_boolean("?2", &value));
    assert_false(structured_boolean("?", &value));
    assert_false(structured_boolean("true", &value));
    assert_false(structured_boolean("?1 ?0", &value));
}

static void other_types_are_passed_over(void **state)
{
    static const char *const GOOD[] = {
        "\"a \\\"string\\\" \\\\\"",          "token/with:signs", "*x", "-1.125", ":YWJj:", "::",
        "a;b=\"c\";d=:YQ==:;e=?0;f=1.5;g=tok"};
    static const char *const BAD[] = {"\"open", "\"a\\b\"", "\"tab\t\"", ":YWJj", ":Y WJj:", "@1",
                                      "%\"x\"", "(a b)",    "a;B=1",     "a;",    "1.1234",  "1234567890123.1"};
    struct structured value;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(GOOD); i++)
        if (structured_item(GOOD[i], &value) < 0)
            fail_msg("%s was refused", GOOD[i]);
    for (size_t i = 0; i < ARRAY_SIZE(BAD); i++)
        if (structured_item(BAD[i], &value) != -EBADMSG)
            fail_msg("%s was not refused", BAD[i]);
}

static void members_of_a_dictionary(void **state)
{
    struct structured_reader r = {.at = " max-size=1234;x, flag ,\tmin-size=0,bytes=:AQI=:;q=1"};
    struct structured value;
    unsigned char out[4];
    const char *key;
    size_t size;

    (void)state;
    assert_int_equal(structured_next(&r, &key, &size, &value), 1);
    assert_memory_equal(key, "max-size=", size + 1);
    assert_true(value.type == STRUCTURED_INTEGER && value.integer == 1234);
    assert_int_equal(structured_next(&r, &key, &size, &value), 1);
    assert_memory_equal(key, "flag", size);
    assert_true(value.type == STRUCTURED_BOOLEAN && value.boolean);
    assert_int_equal(structured_next(&r, &key, &size, &value), 1);
    assert_memory_equal(key, "min-size", size);
    assert_int_equal(structured_next(&r, &key, &size, &value), 1);
    assert_int_equal(structured_bytes(&value, out, sizeof(out)), 2);
    assert_memory_equal(out, "\1\2", 2);
    assert_int_equal(structured_next(&r, &key, &size, &value), 0);
}

static void malformed_dictionaries(void **state)
{
    static const char *const BAD[] = {"a=1,", "a=1 b=2", "A=1", ",a", "a==1", "a=", "a=(1 2)", "a;=1", "1=a", "a=1;;b"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(BAD); i++) {
        struct structured_reader r = {.at = BAD[i]};
        struct structured value;
        const char *key;
        size_t size;
        int result;

        while ((result = structured_next(&r, &key, &size, &value)) > 0)
            ;
        if (result != -EBADMSG)
            fail_msg("'%s' was not refused", BAD[i]);
    }
}

static int bytes_of(const char *base64, unsigned char *out, size_t size)
{
    return structured_bytes(
        &(struct structured){.type = STRUCTURED_BYTES, .base64 = base64, .base64_size = strlen(base64)}, out, size);
}

static void base64(void **state)
{
    unsigned char out[8];

    (void)state;
    assert_int_equal(bytes_of("", out, sizeof(out)), 0);
    assert_int_equal(bytes_of("YWJj", out, sizeof(out)), 3);
    assert_memory_equal(out, "abc", 3);
    assert_int_equal(bytes_of("YWI=", out, sizeof(out)), 2);
    assert_int_equal(bytes_of("YWI", out, sizeof(out)), 2);
    assert_int_equal(bytes_of("+/8=", out, sizeof(out)), 2);
    assert_memory_equal(out, "\xfb\xff", 2);
    assert_int_equal(bytes_of("YWJj", out, 2), -EBADMSG);
    assert_int_equal(bytes_of("Y", out, sizeof(out)), -EBADMSG);
    assert_int_equal(bytes_of("Y===", out, sizeof(out)), -EBADMSG);
    assert_int_equal(bytes_of("YQ==YQ==", out, sizeof(out)), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers),
        cmocka_unit_test(booleans),
        cmocka_unit_test(other_types_are_passed_over),
        cmocka_unit_test(members_of_a_dictionary),
        cmocka_unit_test(malformed_dictionaries),
        cmocka_unit_test(base64),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
