/* SPDX-License-Identifier: Apache-2.0
 *
 * Parts on their way: sent, sent again, given up, aborted, and gone on with from a journal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fake_s3.h"

#define PLAIN "http://store.test:9000"
#define TLS "https://store.test:9000"

/* Each part of the log in its place. */
static void check_log(const char *const *expected, unsigned count)
{
    assert_int_equal(fake.log_count, count);
    for (unsigned i = 0; i < count; i++)
        assert_string_equal(fake.log[i], expected[i]);
}

/* Nothing more is under way then. */
static int settle(struct fake_upload *f)
{
    upload_pool_drain(f->u->flight.pool);
    return upload_flight_result(&f->u->flight, &f->e);
}

static void parts_are_sent_and_their_etags_given(void **state)
{
    CLEANUP(fake_end) struct fake_upload f = {0};
    (void)state;
    assert_int_equal(fake_begin(&f, PLAIN, NULL), 0);
    assert_int_equal(fake.log_count, 0); /* begun with the first part of several */
    assert_int_equal(fake_write_all(&f), 0);
    assert_int_equal(settle(&f), 0);
    assert_string_equal(fake.token, "up-1");
    assert_int_equal(fake_count("CREATE"), 1);
    assert_int_equal(fake_count("PUT 1"), 1);
    assert_int_equal(fake_count("PUT 2"), 1);
    assert_int_equal(fake.done, 2);
    assert_string_equal(fake.part_etags[0], "opaque-part");
    assert_string_equal(fake.part_etags[1], "opaque-part");
}

static void a_part_that_fails_is_sent_again(void **state)
{
    CLEANUP(fake_end) struct fake_upload f = {0};
    (void)state;
    fake_rule((struct fake_rule){.what = "PUT 1", .times = 2, .status = 503, .body = FAKE_ERROR("SlowDown")});
    fake_rule((struct fake_rule){.what = "PUT 2", .times = 1, .lost = -FAULT_UNREACHABLE});
    assert_int_equal(fake_begin(&f, PLAIN, NULL), 0);
    assert_int_equal(fake_write_all(&f), 0);
    assert_int_equal(settle(&f), 0);
    assert_int_equal(fake_count("PUT 1"), 3);
    assert_int_equal(fake_count("PUT 2"), 2);
    assert_int_equal(fake.waits, 3);
    assert_int_equal(fake.done, 2);
}

static void a_store_that_stays_busy_is_given_up_after_five_tries(void **state)
{
    CLEANUP(fake_end) struct fake_upload f = {0};
    (void)state;
    fake_rule((struct fake_rule){.what = "PUT 1", .times = 100, .status = 503, .body = FAKE_ERROR("SlowDown")});
    assert_int_equal(fake_begin(&f, PLAIN, NULL), 0);
    assert_int_equal(fake_write(&f, 1, false), 0);
    assert_int_equal(settle(&f), -FAULT_BUSY);
    assert_int_equal(fake_count("PUT 1"), 5);
    assert_int_equal(fake.dropped, 1);
}

static void a_denied_part_is_not_sent_again_and_stops_the_rest(void **state)
{
    CLEANUP(fake_end) struct fake_upload f = {0};
    (void)state;
    fake_rule((struct fake_rule){.what = "PUT 1", .times = 100, .status = 403, .body = FAKE_ERROR("AccessDenied")});
    assert_int_equal(fake_begin(&f, PLAIN, NULL), 0);
    assert_int_equal(fake_write(&f, 1, false), 0);
    assert_int_equal(settle(&f), -FAULT_DENIED);
    assert_int_equal(fake_count("PUT 1"), 1);
    assert_int_equal(fake_write(&f, 2, true), -FAULT_DENIED);
    assert_non_null(strstr(f.e.msg, "s3:PutObject"));
    assert_int_equal(fake_count("PUT 2"), 0);
    assert_int_equal(fake.done, 0);
    assert_int_equal(fake.dropped, 2); /* each part comes back */
    assert_int_equal(s3_upload_commit(f.u, &FAKE_WHOLE, &f.e), -FAULT_DENIED);
    assert_int_equal(fake_count("COMPLETE"), 0);
}

static void a_part_that_arrives_damaged_is_sent_again(void **state)
{
    CLEANUP(fake_end) struct fake_upload f = {0};
    static const char damaged[] =
        "ETag: \"x\"\r\nx-amz-checksum-sha256: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n";
    (void)state;
    fake_rule((struct fake_rule){.what = "PUT 1", .times = 1, .status = 200, .headers = damaged});
    fake_rule((struct fake_rule){.what = "PUT 2", .times = 100, .status = 200, .headers = damaged});
    assert_int_equal(fake_begin(&f, PLAIN, NULL), 0);
    assert_int_equal(fake_write(&f, 1, false), 0);
    assert_int_equal(settle(&f), 0);
    assert_int_equal(fake_count("PUT 1"), 2);
    assert_int_equal(fake_write(&f, 2, true), 0);
    assert_int_equal(settle(&f), -FAULT_CORRUPT);
    assert_int_equal(fake_count("PUT 2"), 5);
}

static void an_answer_without_an_etag_confirms_nothing(void **state)
{
    CLEANUP(fake_end) struct fake_upload f = {0};
    (void)state;
    fake_rule((struct fake_rule){.what = "PUT 1", .times = 100, .status = 200});
    assert_int_equal(fake_begin(&f, PLAIN, NULL), 0);
    assert_int_equal(fake_write(&f, 1, false), 0);
    assert_int_equal(settle(&f), -FAULT_FORMAT);
    assert_int_equal(fake.done, 0);
}

static void an_abort_is_the_last_that_the_store_hears(void **state)
{
    CLEANUP(fake_end) struct fake_upload f = {0};
    (void)state;
    assert_int_equal(fake_begin(&f, PLAIN, NULL), 0);
    assert_int_equal(fake_write(&f, 1, false), 0);
    s3_upload_abort(f.u);
    assert_string_equal(fake.log[fake.log_count - 1], "ABORT");
    assert_int_equal(fake_write(&f, 2, true), -ECANCELED);
    assert_string_equal(fake.log[fake.log_count - 1], "ABORT");
    assert_int_equal(fake.done + fake.dropped, 2);
}

static void parts_out_of_order_and_small_ones_are_refused(void **state)
{
    CLEANUP(fake_end) struct fake_upload f = {0};
    struct part small = {.number = 1, .size = 10, .data = fake_data};
    (void)state;
    assert_int_equal(fake_begin(&f, PLAIN, NULL), 0);
    assert_int_equal(s3_upload_write(f.u, &small, &f.e), -EINVAL);
    fake_end(&f);
    f = (struct fake_upload){0};
    assert_int_equal(fake_begin(&f, PLAIN, NULL), 0);
    assert_int_equal(fake_write(&f, 2, true), -EINVAL);
    assert_int_equal(fake.log_count, 0);
}

/* --- from a journal ----------------------------------------------------------------------------------------------- */

static const char *const ETAG[] = {"first-etag"};
static const uint64_t SIZE[] = {FAKE_PART};
static const struct upload_past PAST = {
    .token = "up-0", .count = 1, .etags = ETAG, .sizes = SIZE, .stored_end = FAKE_PART};

static void a_journal_is_gone_on_with_behind_its_last_part(void **state)
{
    static const char *const expected[] = {"ASK", "PUT 2", "COMPLETE"};
    CLEANUP(fake_end) struct fake_upload f = {0};
    (void)state;
    assert_int_equal(fake_begin(&f, PLAIN, &PAST), 0);
    assert_int_equal(fake_write(&f, 2, true), 0);
    assert_int_equal(s3_upload_commit(f.u, &FAKE_WHOLE, &f.e), 0);
    check_log(expected, 3);
    assert_non_null(strstr(buf_text(&fake.completed), "<PartNumber>1</PartNumber><ETag>\"first-etag\"</ETag>"));
    assert_non_null(strstr(buf_text(&fake.completed), "<PartNumber>2</PartNumber><ETag>\"opaque-part\"</ETag>"));
}

static void an_upload_that_the_store_has_forgotten_begins_anew(void **state)
{
    CLEANUP(fake_end) struct fake_upload f = {0};
    (void)state;
    fake_rule((struct fake_rule){.what = "ASK", .times = 1, .status = 404, .body = FAKE_ERROR("NoSuchUpload")});
    assert_int_equal(fake_begin(&f, PLAIN, &PAST), -FAULT_GONE);
}

static void who_may_not_ask_for_the_upload_goes_on_all_the_same(void **state)
{
    CLEANUP(fake_end) struct fake_upload f = {0};
    (void)state;
    fake_rule((struct fake_rule){.what = "ASK", .times = 1, .status = 403, .body = FAKE_ERROR("AccessDenied")});
    assert_int_equal(fake_begin(&f, PLAIN, &PAST), 0);
}

static void a_journal_of_no_use_begins_anew_without_asking(void **state)
{
    static const char *const broken[] = {"not an etag"};
    struct upload_past past = PAST;
    (void)state;
    for (int i = 0; i < 2; i++) {
        CLEANUP(fake_end) struct fake_upload f = {0};
        past.etags = i == 0 ? broken : ETAG;
        past.token = i == 0 ? "up-0" : "";
        assert_int_equal(fake_begin(&f, PLAIN, &past), -FAULT_GONE);
        assert_int_equal(fake.log_count, 0);
    }
}

/* --- over TLS ----------------------------------------------------------------------------------------------------- */

#define CREATED "<InitiateMultipartUploadResult><UploadId>up-1</UploadId></InitiateMultipartUploadResult>"
/* Of FAKE_PART and of FAKE_LAST zeros, by another program. */
#define CRC_1 "ETag: \"x\"\r\nx-amz-checksum-crc32c: zqsFQg==\r\n"
#define CRC_2 "ETag: \"x\"\r\nx-amz-checksum-crc32c: 2E3aVw==\r\n"

static void a_store_that_compares_gets_unsigned_bodies(void **state)
{
    CLEANUP(fake_end) struct fake_upload f = {0};
    (void)state;
    fake_rule((struct fake_rule){.what = "CREATE",
                                 .times = 1,
                                 .status = 200,
                                 .headers = "x-amz-checksum-algorithm: CRC32C\r\n",
                                 .body = CREATED});
    fake_rule((struct fake_rule){.what = "PUT 1 unsigned", .times = 1, .status = 200, .headers = CRC_1});
    fake_rule((struct fake_rule){.what = "PUT 2 unsigned", .times = 1, .status = 200, .headers = CRC_2});
    assert_int_equal(fake_begin(&f, TLS, NULL), 0);
    assert_int_equal(fake_write_all(&f), 0);
    assert_int_equal(s3_upload_commit(f.u, &FAKE_WHOLE, &f.e), 0);
    assert_int_equal(fake_count("PUT 1 unsigned") + fake_count("PUT 2 unsigned"), 2);
    assert_int_equal(fake_count(""), 4);
    assert_string_equal(fake.part_etags[0], "x crc32c=zqsFQg==");
    assert_non_null(strstr(buf_text(&fake.completed), "<ChecksumCRC32C>2E3aVw==</ChecksumCRC32C>"));
}

static void a_part_that_was_not_compared_is_sent_again_signed(void **state)
{
    CLEANUP(fake_end) struct fake_upload f = {0};
    (void)state;
    fake_rule((struct fake_rule){.what = "CREATE",
                                 .times = 1,
                                 .status = 200,
                                 .headers = "x-amz-checksum-algorithm: CRC32C\r\n",
                                 .body = CREATED});
    assert_int_equal(fake_begin(&f, TLS, NULL), 0);
    assert_int_equal(fake_write(&f, 1, false), 0);
    assert_int_equal(settle(&f), 0);
    assert_int_equal(fake_count("PUT 1 unsigned"), 1);
    assert_int_equal(fake_count("PUT 1"), 1);
}

static void without_the_stores_word_bodies_are_signed(void **state)
{
    CLEANUP(fake_end) struct fake_upload f = {0};
    (void)state;
    assert_int_equal(fake_begin(&f, TLS, NULL), 0);
    assert_int_equal(fake_write_all(&f), 0);
    assert_int_equal(settle(&f), 0);
    assert_int_equal(fake_count("PUT 1") + fake_count("PUT 2"), 2);
}

static void a_policy_against_unsigned_bodies_is_followed(void **state)
{
    CLEANUP(fake_end) struct fake_upload f = {0};
    (void)state;
    fake_rule((struct fake_rule){.what = "CREATE",
                                 .times = 1,
                                 .status = 200,
                                 .headers = "x-amz-checksum-algorithm: CRC32C\r\n",
                                 .body = CREATED});
    fake_rule(
        (struct fake_rule){.what = "PUT 1 unsigned", .times = 9, .status = 403, .body = FAKE_ERROR("AccessDenied")});
    assert_int_equal(fake_begin(&f, TLS, NULL), 0);
    assert_int_equal(fake_write(&f, 1, false), 0);
    assert_int_equal(settle(&f), 0);
    assert_int_equal(fake_count("PUT 1 unsigned"), 1);
    assert_int_equal(fake_count("PUT 1"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(parts_are_sent_and_their_etags_given, fake_set_up),
        cmocka_unit_test_setup(a_part_that_fails_is_sent_again, fake_set_up),
        cmocka_unit_test_setup(a_store_that_stays_busy_is_given_up_after_five_tries, fake_set_up),
        cmocka_unit_test_setup(a_denied_part_is_not_sent_again_and_stops_the_rest, fake_set_up),
        cmocka_unit_test_setup(a_part_that_arrives_damaged_is_sent_again, fake_set_up),
        cmocka_unit_test_setup(an_answer_without_an_etag_confirms_nothing, fake_set_up),
        cmocka_unit_test_setup(an_abort_is_the_last_that_the_store_hears, fake_set_up),
        cmocka_unit_test_setup(parts_out_of_order_and_small_ones_are_refused, fake_set_up),
        cmocka_unit_test_setup(a_journal_is_gone_on_with_behind_its_last_part, fake_set_up),
        cmocka_unit_test_setup(an_upload_that_the_store_has_forgotten_begins_anew, fake_set_up),
        cmocka_unit_test_setup(who_may_not_ask_for_the_upload_goes_on_all_the_same, fake_set_up),
        cmocka_unit_test_setup(a_journal_of_no_use_begins_anew_without_asking, fake_set_up),
        cmocka_unit_test_setup(a_store_that_compares_gets_unsigned_bodies, fake_set_up),
        cmocka_unit_test_setup(a_part_that_was_not_compared_is_sent_again_signed, fake_set_up),
        cmocka_unit_test_setup(without_the_stores_word_bodies_are_signed, fake_set_up),
        cmocka_unit_test_setup(a_policy_against_unsigned_bodies_is_followed, fake_set_up),
    };
    return cmocka_run_group_tests(tests, NULL, fake_tear_down);
}
