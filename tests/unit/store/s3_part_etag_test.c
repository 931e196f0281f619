/* SPDX-License-Identifier: Apache-2.0
 *
 * ETags of parts, and the sums over them. The expected sums were made with Python's hashlib.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "store/s3/s3_part_etag.h"

/* Of "a" and of "b". */
#define MD5_A "0cc175b9c0f1b6a831c399e269772661"
#define MD5_B "92eb5ffee6ae2fec3ad71c777531578f"
#define CRC_A "wdBDMA=="
#define CRC_B "0oCwxA=="
#define SHA_A "ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs="
#define SHA_B "PiPoFgA5WUoziU9lZOGxNIu9egCI1CxKy3PurtWcAJ0="

static void an_etag_loses_its_quotes(void **state)
{
    (void)state;
    char out[S3_ETAG_SIZE];

    assert_int_equal(s3_etag_parse("\"" MD5_A "\"", out), 0);
    assert_string_equal(out, MD5_A);
    assert_int_equal(s3_etag_parse("W/\"x-1\"", out), 0);
    assert_string_equal(out, "x-1");
    assert_int_equal(s3_etag_parse("bare", out), 0);
    assert_string_equal(out, "bare");
}

static void an_etag_that_could_not_be_given_back_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "\"\"", "a b", "a\"b", "<a>", "a&b", "\x80", "a\nb", "a\\b"};
    char out[S3_ETAG_SIZE] = "before", longest[S3_ETAG_SIZE + 1];

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(s3_etag_parse(bad[i], out), -EBADMSG);
    assert_string_equal(out, "before");
    memset(longest, 'x', sizeof(longest));
    longest[S3_ETAG_SIZE] = '\0';
    assert_int_equal(s3_etag_parse(longest, out), -EBADMSG);
    longest[S3_ETAG_SIZE - 1] = '\0';
    assert_int_equal(s3_etag_parse(longest, out), 0);
    assert_string_equal(out, longest);
}

static void only_32_hex_digits_are_taken_for_an_md5(void **state)
{
    (void)state;
    assert_true(s3_etag_is_md5(MD5_A));
    assert_true(s3_etag_is_md5("0CC175B9C0F1B6A831C399E269772661"));
    assert_false(s3_etag_is_md5(MD5_A "-1"));
    assert_false(s3_etag_is_md5("0cc175b9c0f1b6a831c399e26977266"));
    assert_false(s3_etag_is_md5("0cc175b9c0f1b6a831c399e26977266x"));
    assert_false(s3_etag_is_md5(""));
}

static void only_an_md5_with_a_number_is_taken_for_a_sum(void **state)
{
    (void)state;
    assert_true(s3_etag_is_sum(MD5_A "-1"));
    assert_true(s3_etag_is_sum(MD5_A "-10000"));
    assert_false(s3_etag_is_sum(MD5_A "-"));
    assert_false(s3_etag_is_sum(MD5_A "-1x"));
    assert_false(s3_etag_is_sum(MD5_A));
    assert_false(s3_etag_is_sum("x-1"));
    assert_false(s3_etag_is_sum(""));
}

static void check_round(const char *text, const char *etag, const char *sum)
{
    char out[S3_PART_ETAG_MAX];
    struct s3_part_etag r;

    assert_int_equal(s3_part_etag_parse(text, &r), 0);
    assert_string_equal(r.etag, etag);
    assert_string_equal(r.sum, sum);
    assert_string_equal(s3_part_etag_format(&r, out), text);
}

static void part_etags_come_back_as_they_went(void **state)
{
    (void)state;
    char longest[S3_PART_ETAG_MAX];

    check_round(MD5_A, MD5_A, "");
    check_round(MD5_A " sha256=" SHA_A, MD5_A, SHA_A);
    check_round(MD5_A " crc32c=" CRC_A, MD5_A, CRC_A);
    memset(longest, 'e', S3_ETAG_SIZE - 1);
    memcpy(longest + S3_ETAG_SIZE - 1, " sha256=" SHA_B, sizeof(" sha256=" SHA_B));
    longest[S3_ETAG_SIZE - 1] = ' ';
    {
        struct s3_part_etag r;

        assert_int_equal(s3_part_etag_parse(longest, &r), 0);
        assert_int_equal(strlen(r.etag), S3_ETAG_SIZE - 1);
        assert_string_equal(r.sum, SHA_B);
        assert_int_equal(r.checksum, S3_CHECKSUM_SHA256);
    }
}

static void a_journal_from_strangers_is_checked(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        " ",
        "a b",
        "</ETag><x>",
        MD5_A " sha256=",
        MD5_A " sha256=x",
        MD5_A " sha256=ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLss", /* 33 bytes */
        MD5_A " sha256=ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSL==", /* 31 bytes */
        MD5_A " sha256=ypeBEsobvcr6wjGz<iPcTaeG7/gUfE5yuYB3ha/uSLs=",
        MD5_A " sha256=" SHA_A "x",
        MD5_A " crc32c=" SHA_A,
        MD5_A " sha256=" CRC_A,
        MD5_A " crc32c=wdBDM===",
        MD5_A " crc32c=wdBD=A==",
        MD5_A " crc64=" CRC_A,
        MD5_A " ",
        MD5_A " sha256=" SHA_A " ",
        " sha256=" SHA_A,
        MD5_A "  sha256=" SHA_A,
    };
    struct s3_part_etag r;

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (s3_part_etag_parse(bad[i], &r) != -EBADMSG)
            fail_msg("'%s' was taken for a part's ETag", bad[i]);
}

static char *const PLAIN[] = {MD5_A, MD5_B};
static char *const SUMMED[] = {MD5_A " sha256=" SHA_A, MD5_B " sha256=" SHA_B};
static char *const CRCS[] = {MD5_A " crc32c=" CRC_A, MD5_B " crc32c=" CRC_B};
static char *const MIXED[] = {MD5_A " sha256=" SHA_A, "opaque"};

static void the_body_lists_the_parts_in_order(void **state)
{
    (void)state;
    struct buf b = {0};

    assert_int_equal(s3_complete_body(MIXED, 2, &b), 0);
    assert_string_equal(buf_text(&b), "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                                      "<Part><PartNumber>1</PartNumber><ETag>\"" MD5_A "\"</ETag>"
                                      "<ChecksumSHA256>" SHA_A "</ChecksumSHA256></Part>"
                                      "<Part><PartNumber>2</PartNumber><ETag>\"opaque\"</ETag></Part>"
                                      "</CompleteMultipartUpload>");
    buf_done(&b);
}

static void the_wholes_etag_is_the_md5_of_the_parts_md5s(void **state)
{
    (void)state;
    char out[S3_WHOLE_MAX] = "before";

    assert_int_equal(s3_whole_etag(MIXED, 2, out), -ENOENT);
    assert_string_equal(out, "before");
    assert_int_equal(s3_whole_etag(PLAIN, 2, out), 0);
    assert_string_equal(out, "96e024ba2074fe77e8e965ba43a704be-2");
    assert_int_equal(s3_whole_etag(SUMMED, 2, out), 0);
    assert_string_equal(out, "96e024ba2074fe77e8e965ba43a704be-2");
}

static void a_part_is_completed_with_the_checksum_that_the_store_confirmed(void **state)
{
    (void)state;
    static char *const part_etags[] = {MD5_A " crc32c=" CRC_A};
    struct buf body = {0};

    assert_int_equal(s3_complete_body(part_etags, 1, &body), 0);
    assert_non_null(strstr(buf_text(&body), "<ChecksumCRC32C>" CRC_A "</ChecksumCRC32C></Part>"));
    buf_done(&body);
}

static void the_wholes_checksum_is_that_of_the_parts_checksums(void **state)
{
    (void)state;
    char out[S3_WHOLE_MAX] = "before";

    assert_int_equal(s3_whole_checksum(PLAIN, 2, S3_CHECKSUM_SHA256, out), -ENOENT);
    assert_int_equal(s3_whole_checksum(MIXED, 2, S3_CHECKSUM_SHA256, out), -ENOENT);
    assert_string_equal(out, "before");
    assert_int_equal(s3_whole_checksum(SUMMED, 2, S3_CHECKSUM_SHA256, out), 0);
    assert_string_equal(out, "5aAf7hTg7VxIcU8iGA8lrYNltT+XefedxKPX6Tlj+Uo=-2");
    assert_int_equal(s3_whole_checksum(SUMMED, 2, S3_CHECKSUM_CRC32C, out), -ENOENT);
    assert_int_equal(s3_whole_checksum(CRCS, 2, S3_CHECKSUM_CRC32C, out), 0);
    assert_string_equal(out, "zR0P4A==-2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_etag_loses_its_quotes),
        cmocka_unit_test(an_etag_that_could_not_be_given_back_is_refused),
        cmocka_unit_test(only_32_hex_digits_are_taken_for_an_md5),
        cmocka_unit_test(only_an_md5_with_a_number_is_taken_for_a_sum),
        cmocka_unit_test(part_etags_come_back_as_they_went),
        cmocka_unit_test(a_journal_from_strangers_is_checked),
        cmocka_unit_test(the_body_lists_the_parts_in_order),
        cmocka_unit_test(the_wholes_etag_is_the_md5_of_the_parts_md5s),
        cmocka_unit_test(a_part_is_completed_with_the_checksum_that_the_store_confirmed),
        cmocka_unit_test(the_wholes_checksum_is_that_of_the_parts_checksums),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
