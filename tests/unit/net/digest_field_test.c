/* SPDX-License-Identifier: Apache-2.0
 *
 * Content-Digest and Repr-Digest: RFC 9530's examples, and malformed ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "net/digest_field.h"

static const char HELLO_256[] = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";
static const char HELLO_512[] = "sha-512=:YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCs"
                                "yRZOtw8MjkM7iw7yZ/WkppmM44T3qg==:";

static void known_algorithms(void **state)
{
    struct digest_field d;
    char field[256];

    (void)state;
    assert_int_equal(digest_field_parse(HELLO_256, &d), 0);
    assert_true(d.has_sha256 && !d.has_sha512);
    assert_int_equal(d.sha256[0], 0x44);
    assert_int_equal(d.sha256[31], 0x38);
    snprintf(field, sizeof(field), "md5=:AAAA:, %s,%s;x=1", HELLO_512, HELLO_256);
    assert_int_equal(digest_field_parse(field, &d), 0);
    assert_true(d.has_sha256 && d.has_sha512);
    assert_int_equal(d.sha512[0], 0x60);
    assert_int_equal(d.sha512[63], 0xaa);
}

static void unknown_ones_are_ignored(void **state)
{
    struct digest_field d = {.has_sha256 = true};

    (void)state;
    assert_int_equal(digest_field_parse("unixsum=5, crc32c=:AAAAAA==:, sha=whatever", &d), 0);
    assert_true(!d.has_sha256 && !d.has_sha512);
    assert_int_equal(digest_field_parse(NULL, &d), 0);
    assert_int_equal(digest_field_parse("", &d), 0);
    assert_true(!d.has_sha256 && !d.has_sha512);
}

static void malformed_ones_are_refused(void **state)
{
    static const char *const BAD[] = {"sha-256=:AAAA:", "sha-256=5",     "sha-256",
                                      "sha-256=\"x\"",  "sha-512=::",    "SHA-256=RK/0qy18Ml=",
                                      "sha-256=",       "sha-256=:RK/0", ","};
    struct digest_field d = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(BAD); i++)
        if (digest_field_parse(BAD[i], &d) != -EBADMSG)
            fail_msg("'%s' was not refused", BAD[i]);
    assert_true(!d.has_sha256 && !d.has_sha512);
}

static void a_digest_as_text(void **state)
{
    char text[DIGEST_FIELD_MAX];
    struct digest_field d;

    (void)state;
    assert_int_equal(digest_field_parse(HELLO_256, &d), 0);
    assert_string_equal(digest_field_format(d.sha256, text), HELLO_256);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_algorithms),
        cmocka_unit_test(unknown_ones_are_ignored),
        cmocka_unit_test(malformed_ones_are_refused),
        cmocka_unit_test(a_digest_as_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
