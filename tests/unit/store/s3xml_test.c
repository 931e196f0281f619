/* SPDX-License-Identifier: Apache-2.0
 *
 * The answers of AWS, Ceph and MinIO are understood; what is cut, foreign or made to hurt is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "store/s3/s3_xml.h"

#define DECLARATION "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
#define NAMESPACE " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""
#define OBJECT "<Contents><Key>k</Key></Contents>"

static void an_error_is_told(void **state)
{
    static const char xml[] = DECLARATION
        "\n<Error><Code>AuthorizationHeaderMalformed</Code><Message>The region 'us-east-1' is wrong; expecting "
        "'eu-central-1'</Message><Region>eu-central-1</Region><RequestId>4442587FB7D0A2F9</RequestId>"
        "<HostId>x</HostId></Error>";
    struct s3_error e;

    (void)state;
    assert_int_equal(s3xml_error(xml, sizeof(xml) - 1, &e), 0);
    assert_string_equal(e.code, "AuthorizationHeaderMalformed");
    assert_string_equal(e.message, "The region 'us-east-1' is wrong; expecting 'eu-central-1'");
    assert_string_equal(e.request_id, "4442587FB7D0A2F9");
    assert_string_equal(e.region, "eu-central-1");
}

static void an_error_without_words_is_still_one(void **state)
{
    static const char xml[] = DECLARATION "<Error><Code>SlowDown</Code><Message></Message></Error>";
    struct s3_error e;

    (void)state;
    assert_int_equal(s3xml_error(xml, sizeof(xml) - 1, &e), 0);
    assert_string_equal(e.code, "SlowDown");
    assert_string_equal(e.message, "");
    assert_string_equal(e.region, "");
}

static void a_long_or_dirty_message_is_cut_and_cleaned(void **state)
{
    CLEANUP(buf_done) struct buf xml = {0};
    struct s3_error e;

    (void)state;
    assert_int_equal(buf_add_text(&xml, "<Error><Code>A&#10;B</Code><Message>"), 0);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(buf_add_text(&xml, "word "), 0);
    assert_int_equal(buf_add_text(&xml, "</Message></Error>"), 0);
    assert_int_equal(s3xml_error(xml.data, xml.size, &e), 0);
    assert_int_equal(strncmp(e.message, "word word ", 10), 0);
    assert_true(strlen(e.message) < sizeof(e.message));
    assert_null(strchr(e.code, '\n'));
}

static void an_error_without_a_code_is_none(void **state)
{
    static const char *const texts[] = {"<Error/>", "<Error><Message>m</Message></Error>", "<Error><Code/></Error>",
                                        "<Error><Deeper><Code>c</Code></Deeper></Error>"};
    struct s3_error e;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        assert_int_equal(s3xml_error(texts[i], strlen(texts[i]), &e), -EBADMSG);
}

static void an_upload_id_is_found(void **state)
{
    static const char xml[] = DECLARATION "\n<InitiateMultipartUploadResult" NAMESPACE
                                          "><Bucket>b</Bucket><Key>k</Key><UploadId>VXBs_b2Fk~1</UploadId>"
                                          "</InitiateMultipartUploadResult>";
    static const char *const without[] = {"<InitiateMultipartUploadResult/>",
                                          "<InitiateMultipartUploadResult><UploadId/></InitiateMultipartUploadResult>"};
    CLEANUP_FREE char *id = NULL;
    char *untouched = NULL;

    (void)state;
    assert_int_equal(s3xml_upload_id(xml, sizeof(xml) - 1, &id), 0);
    assert_string_equal(id, "VXBs_b2Fk~1");
    for (size_t i = 0; i < ARRAY_SIZE(without); i++)
        assert_int_equal(s3xml_upload_id(without[i], strlen(without[i]), &untouched), -EBADMSG);
    assert_null(untouched);
}

static void a_completed_upload_tells_its_etag(void **state)
{
    static const struct {
        const char *element, *etag;
    } cases[] = {
        {"<ETag>&quot;17fbc0a106abbb6f381aac6e331f2a19-2&quot;</ETag>", "17fbc0a106abbb6f381aac6e331f2a19-2"},
        {"<ETag>\"17fbc0a106abbb6f381aac6e331f2a19-2\"</ETag>", "17fbc0a106abbb6f381aac6e331f2a19-2"},
        {"<ETag>17fbc0a106abbb6f381aac6e331f2a19-2</ETag>", "17fbc0a106abbb6f381aac6e331f2a19-2"},
        {"<ETag></ETag>", ""},
        {"<ETag>\"\"</ETag>", ""},
        {"<ETag>\"</ETag>", "\""},
        {"", ""},
        {"<ETag>01234567890123456789012345678901234567890123456789012345678901234567890</ETag>",
         "01234567890123456789012345678901234567890123456789012345678901234567890"},
        {"<ETag>012345678901234567890123456789012345678901234567890123456789012345678901</ETag>", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char xml[512], etag[72] = "before";
        int size = snprintf(xml, sizeof(xml),
                            "<CompleteMultipartUploadResult" NAMESPACE "><Location>http://x/b/k</Location>%s"
                            "</CompleteMultipartUploadResult>",
                            cases[i].element);

        assert_int_equal(s3xml_completed(xml, (size_t)size, etag), 0);
        assert_string_equal(etag, cases[i].etag);
    }
}

static void an_error_inside_a_200_is_not_taken_for_success(void **state)
{
    /* AWS sends white space while it completes an upload, then whatever came of it. */
    static const char xml[] = DECLARATION "\n\n   \n<Error><Code>InternalError</Code><Message>m</Message></Error>";
    struct s3_error e;
    char etag[72] = "before";

    (void)state;
    assert_int_equal(s3xml_completed(xml, sizeof(xml) - 1, etag), -EBADMSG);
    assert_string_equal(etag, "before");
    assert_int_equal(s3xml_error(xml, sizeof(xml) - 1, &e), 0);
    assert_string_equal(e.code, "InternalError");
}

static void white_space_before_the_declaration_is_skipped(void **state)
{
    static const char xml[] = " \r\n " DECLARATION "<Error><Code>c</Code></Error>";
    struct s3_error e;

    (void)state;
    assert_int_equal(s3xml_error(xml, sizeof(xml) - 1, &e), 0);
}

static void objects_are_listed(void **state)
{
    static const char xml[] = DECLARATION
        "<ListBucketResult" NAMESPACE "><Name>b</Name><Prefix/><NextContinuationToken>1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J=="
        "</NextContinuationToken><KeyCount>2</KeyCount><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType>"
        "<IsTruncated>true</IsTruncated>"
        "<Contents><Key>a/b+c%20d.json</Key><LastModified>2026-11-21T01:56:05.123Z</LastModified>"
        "<ETag>&quot;fba9dede5f27731c9771645a39863328&quot;</ETag><Size>434234</Size>"
        "<Owner><ID>75aa</ID><DisplayName>x</DisplayName></Owner><StorageClass>STANDARD</StorageClass></Contents>\n"
        "<Contents><Size>9223372036854775807</Size><Key> &lt;two&gt;&amp;\xc3\xa9 </Key></Contents>"
        "<CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes></ListBucketResult>";
    CLEANUP(s3_listing_done) struct s3_listing l = {0};

    (void)state;
    assert_int_equal(s3xml_objects(xml, sizeof(xml) - 1, &l), 0);
    assert_int_equal(l.count, 3);
    assert_string_equal(l.entry[2].key, "p/");
    assert_string_equal(l.entry[0].key, "a/b+c%20d.json");
    assert_int_equal(l.entry[0].size, 434234);
    assert_true(l.entry[0].time_ns == 1795226165123000000);
    assert_string_equal(l.entry[0].etag, "fba9dede5f27731c9771645a39863328");
    assert_null(l.entry[0].upload_id);
    assert_string_equal(l.entry[1].key, " <two>&\xc3\xa9 ");
    assert_true(l.entry[1].size == INT64_MAX);
    assert_int_equal(l.entry[1].time_ns, 0);
    assert_string_equal(l.entry[1].etag, "");
    assert_true(l.truncated);
    assert_string_equal(l.next, "1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J==");
    assert_null(l.next_upload_id);
}

static void a_listing_that_goes_on_behind_a_key_says_which(void **state)
{
    static const char xml[] = DECLARATION
        "<ListBucketResult xmlns=\"http://obs.cn-north-4.myhuaweicloud.com/doc/2015-06-30/\"><Name>b</Name><Prefix/>"
        "<Marker/><NextMarker>object001</NextMarker><MaxKeys>1</MaxKeys><IsTruncated>true</IsTruncated><Contents>"
        "<Key>object001</Key><LastModified>2015-07-01T00:32:16.482Z</LastModified>"
        "<ETag>\"2fa3bcaaec668adc5da177e67a122d7c\"</ETag><Size>12041</Size></Contents></ListBucketResult>";
    CLEANUP(s3_listing_done) struct s3_listing l = {0};

    (void)state;
    assert_int_equal(s3xml_objects(xml, sizeof(xml) - 1, &l), 0);
    assert_int_equal(l.count, 1);
    assert_true(l.truncated);
    assert_string_equal(l.next, "object001");
}

static void an_empty_listing_is_one(void **state)
{
    static const char xml[] = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";
    CLEANUP(s3_listing_done) struct s3_listing l = {0};

    (void)state;
    assert_int_equal(s3xml_objects(xml, sizeof(xml) - 1, &l), 0);
    assert_int_equal(l.count, 0);
    assert_false(l.truncated);
    assert_null(l.next);
}

static void uploads_are_listed(void **state)
{
    static const char xml[] = DECLARATION
        "<s3:ListMultipartUploadsResult xmlns:s3=\"http://s3.amazonaws.com/doc/2006-03-01/\"><s3:Bucket>b</s3:Bucket>"
        "<s3:KeyMarker/><s3:UploadIdMarker/><s3:NextKeyMarker>my-movie.m2ts</s3:NextKeyMarker>"
        "<s3:NextUploadIdMarker>YW55</s3:NextUploadIdMarker><s3:MaxUploads>3</s3:MaxUploads>"
        "<s3:IsTruncated>true</s3:IsTruncated><s3:Upload><s3:Key>my-divisor</s3:Key><s3:UploadId>XMgb</s3:UploadId>"
        "<s3:Initiated>2026-11-21T01:56:05.000Z</s3:Initiated></s3:Upload></s3:ListMultipartUploadsResult>";
    CLEANUP(s3_listing_done) struct s3_listing l = {0};

    (void)state;
    assert_int_equal(s3xml_uploads(xml, sizeof(xml) - 1, &l), 0);
    assert_int_equal(l.count, 1);
    assert_string_equal(l.entry[0].key, "my-divisor");
    assert_string_equal(l.entry[0].upload_id, "XMgb");
    assert_true(l.entry[0].time_ns == 1795226165000000000);
    assert_true(l.truncated);
    assert_string_equal(l.next, "my-movie.m2ts");
    assert_string_equal(l.next_upload_id, "YW55");
}

static void empty_markers_are_none(void **state)
{
    static const char xml[] = "<ListMultipartUploadsResult><NextKeyMarker/><NextUploadIdMarker></NextUploadIdMarker>"
                              "<IsTruncated>false</IsTruncated></ListMultipartUploadsResult>";
    CLEANUP(s3_listing_done) struct s3_listing l = {0};

    (void)state;
    assert_int_equal(s3xml_uploads(xml, sizeof(xml) - 1, &l), 0);
    assert_null(l.next);
    assert_null(l.next_upload_id);
}

static void uploads_that_say_too_little_are_refused(void **state)
{
    static const char *const uploads[] = {
        "<UploadId>u</UploadId><Initiated>2026-11-21T01:56:05.000Z</Initiated>",
        "<Key>k</Key><Initiated>2026-11-21T01:56:05.000Z</Initiated>",
        "<Key>k</Key><UploadId>u</UploadId>", /* of which age? */
        "<Key>k</Key><UploadId>u</UploadId><Initiated>soon</Initiated>",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(uploads); i++) {
        struct s3_listing l;
        char xml[512];
        int size = snprintf(xml, sizeof(xml),
                            "<ListMultipartUploadsResult><Upload>%s</Upload></ListMultipartUploadsResult>", uploads[i]);

        assert_int_equal(s3xml_uploads(xml, (size_t)size, &l), -EBADMSG);
    }
}

static void what_hurts_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "   ",
        "not xml",
        "<html><body>Index</body></html>",
        "<ListBucketResult>",
        "<ListBucketResult></ListBucketResult><more/>",
        "<ListMultipartUploadsResult/>",
        "<Error><Code>c</Code></Error>",
        "<x><ListBucketResult/></x>",
        "<!DOCTYPE ListBucketResult><ListBucketResult/>",
        "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]><ListBucketResult>&b;</ListBucketResult>",
        "<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><ListBucketResult/>",
        "<ListBucketResult><Contents><Key>&nbsp;</Key></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>&#0;</Key></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>\xff</Key></Contents></ListBucketResult>",
        "<ListBucketResult><Contents></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key/></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>k</Key><Size>-1</Size></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>k</Key><Size>9223372036854775808</Size></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>k</Key><Size>1K</Size></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>k</Key><LastModified>x</LastModified></Contents></ListBucketResult>",
        "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>", /* from where on? */
    };
    struct s3_listing untouched;

    (void)state;
    memset(&untouched, 0x5a, sizeof(untouched));
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct s3_listing l = untouched;

        if (s3xml_objects(texts[i], strlen(texts[i]), &l) != -EBADMSG)
            fail_msg("accepted: %s", texts[i]);
        assert_memory_equal(&l, &untouched, sizeof(l));
    }
    assert_int_equal(s3xml_objects(NULL, 0, &untouched), -EBADMSG);
    assert_int_equal(s3xml_objects("<ListBucketResult/>", 16 * 1024 * 1024 + 1, &untouched), -EBADMSG);
}

static void an_answer_cut_at_any_byte_is_refused(void **state)
{
    static const char xml[] =
        DECLARATION "<ListBucketResult><IsTruncated>false</IsTruncated>" OBJECT OBJECT "</ListBucketResult>";

    (void)state;
    for (size_t size = 0; size < sizeof(xml) - 1; size++) {
        struct s3_listing l;

        assert_int_equal(s3xml_objects(xml, size, &l), -EBADMSG);
    }
}

static int list_many(unsigned count, struct s3_listing *ret)
{
    CLEANUP(buf_done) struct buf xml = {0};

    assert_int_equal(buf_add_text(&xml, "<ListBucketResult>"), 0);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(buf_add_text(&xml, OBJECT), 0);
    assert_int_equal(buf_add_text(&xml, "</ListBucketResult>"), 0);
    return s3xml_objects(xml.data, xml.size, ret);
}

static void ten_thousand_entries_are_enough(void **state)
{
    CLEANUP(s3_listing_done) struct s3_listing l = {0};
    struct s3_listing more;

    (void)state;
    assert_int_equal(list_many(10000, &l), 0);
    assert_int_equal(l.count, 10000);
    assert_string_equal(l.entry[9999].key, "k");
    assert_int_equal(list_many(10001, &more), -EBADMSG);
}

static void sixteen_levels_are_enough(void **state)
{
    (void)state;
    for (int depth = 15; depth <= 17; depth++) {
        CLEANUP(buf_done) struct buf xml = {0};
        CLEANUP(s3_listing_done) struct s3_listing l = {0};

        assert_int_equal(buf_add_text(&xml, "<ListBucketResult>"), 0);
        for (int i = 1; i < depth; i++)
            assert_int_equal(buf_add_text(&xml, "<a>"), 0);
        for (int i = 1; i < depth; i++)
            assert_int_equal(buf_add_text(&xml, "</a>"), 0);
        assert_int_equal(buf_add_text(&xml, "</ListBucketResult>"), 0);
        assert_int_equal(s3xml_objects(xml.data, xml.size, &l), depth <= 16 ? 0 : -EBADMSG);
    }
}

static void long_names_and_texts_are_refused(void **state)
{
    static const char *const formats[] = {"<Error><Code>c</Code><%s/></Error>",
                                          "<Error><Code>c</Code><Message>%s</Message></Error>"};
    static const size_t most[] = {504, 65536};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
        CLEANUP_FREE char *text = malloc(most[i] + 2);
        CLEANUP(buf_done) struct buf fits = {0}, longer = {0};
        struct s3_error e;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        memset(text, 'x', most[i] + 1);
        text[most[i] + 1] = '\0';
        assert_int_equal(buf_printf(&longer, formats[i], text), 0);
        text[most[i]] = '\0';
        assert_int_equal(buf_printf(&fits, formats[i], text), 0);
#pragma GCC diagnostic pop
        assert_int_equal(s3xml_error(longer.data, longer.size, &e), -EBADMSG);
        assert_int_equal(s3xml_error(fits.data, fits.size, &e), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_is_told),
        cmocka_unit_test(an_error_without_words_is_still_one),
        cmocka_unit_test(a_long_or_dirty_message_is_cut_and_cleaned),
        cmocka_unit_test(an_error_without_a_code_is_none),
        cmocka_unit_test(an_upload_id_is_found),
        cmocka_unit_test(a_completed_upload_tells_its_etag),
        cmocka_unit_test(an_error_inside_a_200_is_not_taken_for_success),
        cmocka_unit_test(white_space_before_the_declaration_is_skipped),
        cmocka_unit_test(objects_are_listed),
        cmocka_unit_test(a_listing_that_goes_on_behind_a_key_says_which),
        cmocka_unit_test(an_empty_listing_is_one),
        cmocka_unit_test(uploads_are_listed),
        cmocka_unit_test(empty_markers_are_none),
        cmocka_unit_test(uploads_that_say_too_little_are_refused),
        cmocka_unit_test(what_hurts_is_refused),
        cmocka_unit_test(an_answer_cut_at_any_byte_is_refused),
        cmocka_unit_test(ten_thousand_entries_are_enough),
        cmocka_unit_test(sixteen_levels_are_enough),
        cmocka_unit_test(long_names_and_texts_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
