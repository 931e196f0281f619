/* SPDX-License-Identifier: Apache-2.0
 *
 * The end of an upload: it is made visible once, whatever answers are lost, and is not believed where it differs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/sha.h>

#include "base/mem.h"
#include "fake_s3.h"

#define STORE "http://store.test:9000"
#define COMPLETED(etag)                                                                                                \
    "<CompleteMultipartUploadResult><ETag>&quot;" etag "&quot;</ETag></CompleteMultipartUploadResult>"

/* Both parts are in the store. */
static void ready(struct fake_upload *f)
{
    assert_int_equal(fake_begin(f, STORE, NULL), 0);
    assert_int_equal(fake_write_all(f), 0);
    upload_pool_drain(f->u->flight.pool);
}

static int commit(struct fake_upload *f)
{
    return s3_upload_commit(f->u, &FAKE_WHOLE, &f->e);
}

static int verify(struct fake_upload *f, bool read)
{
    return s3_upload_verify(f->u, &FAKE_WHOLE, read, &f->e);
}

static void a_whole_is_completed_once_and_verified(void **state)
{
    CLEANUP(fake_end) struct fake_upload f = {0};
    (void)state;
    ready(&f);
    assert_int_equal(commit(&f), 0);
    assert_int_equal(fake_count("COMPLETE"), 1);
    assert_string_equal(fake.condition, "*"); /* nothing is overwritten */
    assert_int_equal(verify(&f, true), 0);
    assert_int_equal(fake_count("HEAD"), 1);
}

static void an_error_in_a_200_is_one(void **state)
{
    CLEANUP(fake_end) struct fake_upload f = {0};
    (void)state;
    fake_rule((struct fake_rule){.what = "COMPLETE", .times = 2, .status = 200, .body = FAKE_ERROR("InternalError")});
    ready(&f);
    assert_int_equal(commit(&f), 0);
    assert_int_equal(fake_count("COMPLETE"), 3);
    assert_int_equal(fake.waits, 2);
}

static void an_error_in_a_200_that_stays_fails_it(void **state)
{
    CLEANUP(fake_end) struct fake_upload f = {0};
    (void)state;
    fake_rule((struct fake_rule){.what = "COMPLETE", .times = 99, .status = 200, .body = FAKE_ERROR("InternalError")});
    ready(&f);
    assert_int_equal(commit(&f), -FAULT_BUSY);
    assert_int_equal(fake_count("COMPLETE"), 5);
}

static void parts_that_the_store_does_not_take_end_the_upload(void **state)
{
    CLEANUP(fake_end) struct fake_upload f = {0};
    (void)state;
    fake_rule((struct fake_rule){.what = "COMPLETE", .times = 9, .status = 400, .body = FAKE_ERROR("InvalidPart")});
    ready(&f);
    assert_int_equal(commit(&f), -FAULT_GONE);
    assert_string_equal(fake.log[fake.log_count - 1], "ABORT"); /* the next attempt must not find it */
}

/* The answer to the first try was lost, after the store had acted on it. */
static void an_upload_that_is_gone_was_completed_if_the_object_is_there(void **state)
{
    CLEANUP(fake_end) struct fake_upload f = {0};
    (void)state;
    fake_rule((struct fake_rule){.what = "COMPLETE", .times = 1, .lost = -FAULT_UNREACHABLE});
    fake_rule((struct fake_rule){.what = "COMPLETE", .times = 9, .status = 404, .body = FAKE_ERROR("NoSuchUpload")});
    ready(&f);
    assert_int_equal(commit(&f), 0);
    assert_int_equal(fake_count("COMPLETE"), 2);
    assert_int_equal(fake_count("HEAD"), 1);
}

static void an_upload_that_is_gone_without_an_object_begins_anew(void **state)
{
    CLEANUP(fake_end) struct fake_upload f = {0};
    (void)state;
    fake_rule((struct fake_rule){.what = "COMPLETE", .times = 9, .status = 404, .body = FAKE_ERROR("NoSuchUpload")});
    fake_rule((struct fake_rule){.what = "HEAD", .times = 9, .status = 404});
    fake_rule((struct fake_rule){.what = "GET", .times = 9, .status = 404, .body = FAKE_ERROR("NoSuchKey")});
    ready(&f);
    assert_int_equal(commit(&f), -FAULT_GONE);
    assert_non_null(strstr(f.e.msg, "begin anew"));
}

static void what_is_left_of_an_earlier_attempt_is_replaced(void **state)
{
    CLEANUP(fake_end) struct fake_upload f = {0};
    (void)state;
    fake_rule(
        (struct fake_rule){.what = "COMPLETE", .times = 1, .status = 412, .body = FAKE_ERROR("PreconditionFailed")});
    fake_rule((struct fake_rule){
        .what = "HEAD", .times = 1, .status = 200, .headers = "Content-Length: 77\r\nETag: \"other\"\r\n"});
    ready(&f);
    assert_int_equal(commit(&f), 0);
    assert_int_equal(fake_count("COMPLETE"), 2);
    assert_string_equal(fake.condition, "");
}

static void a_store_that_knows_no_condition_gets_none(void **state)
{
    CLEANUP(fake_end) struct fake_upload f = {0};
    (void)state;
    fake_rule((struct fake_rule){.what = "COMPLETE", .times = 1, .status = 501, .body = FAKE_ERROR("NotImplemented")});
    ready(&f);
    assert_int_equal(commit(&f), 0);
    assert_string_equal(fake.condition, "");
    assert_int_equal(fake.waits, 1); /* it is said */
}

static void a_whole_that_its_parts_do_not_make_is_not_completed(void **state)
{
    const struct whole other = {.size = FAKE_PART + FAKE_LAST + 1};
    CLEANUP(fake_end) struct fake_upload f = {0};
    (void)state;
    ready(&f);
    assert_int_equal(s3_upload_commit(f.u, &other, &f.e), -EINVAL);
    assert_int_equal(fake_count("COMPLETE"), 0);
}

/* --- verify ------------------------------------------------------------------------------------------------------- */

static void an_object_that_differs_is_not_believed(void **state)
{
    static const struct {
        const char *headers, *word;
    } cases[] = {
        {"Content-Length: 5243879\r\nETag: \"whole-2\"\r\n", "size"},
        {"Content-Length: 5243880\r\nETag: \"another-2\"\r\n", "ETag"},
        {"Content-Length: 5243880\r\nETag: \"whole-2\"\r\nx-amz-meta-sha256: "
         "0000000000000000000000000000000000000000000000000000000000000000\r\n",
         "SHA-256"},
    };
    struct whole whole = FAKE_WHOLE;
    (void)state;
    memset(whole.sha256, 'a', 64);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(fake_end) struct fake_upload f = {0};
        fake_set_up(NULL);
        fake_rule((struct fake_rule){.what = "HEAD", .times = 9, .status = 200, .headers = cases[i].headers});
        ready(&f);
        assert_int_equal(commit(&f), 0);
        assert_int_equal(s3_upload_verify(f.u, &whole, true, &f.e), -FAULT_CORRUPT);
        assert_non_null(strstr(f.e.msg, cases[i].word));
        assert_non_null(strstr(f.e.msg, "sent again"));
    }
}

static void an_object_that_is_not_there_is_not_believed(void **state)
{
    CLEANUP(fake_end) struct fake_upload f = {0};
    (void)state;
    fake_rule((struct fake_rule){.what = "HEAD", .times = 9, .status = 404});
    fake_rule((struct fake_rule){.what = "GET", .times = 9, .status = 404, .body = FAKE_ERROR("NoSuchKey")});
    ready(&f);
    assert_int_equal(commit(&f), 0);
    assert_int_equal(verify(&f, true), -FAULT_CORRUPT);
}

/* A drop box: the ETag that was answered has to follow from the parts' where those are MD5s. */
static void who_may_not_read_believes_the_answer_alone(void **state)
{
#define MD5_A "0cc175b9c0f1b6a831c399e269772661"
#define MD5_B "92eb5ffee6ae2fec3ad71c777531578f"
    static const struct {
        const char *completed;
        int expected;
    } cases[] = {{COMPLETED("96e024ba2074fe77e8e965ba43a704be-2"), 1},
                 {COMPLETED("00000000000000000000000000000000-2"), -FAULT_CORRUPT}};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(fake_end) struct fake_upload f = {0};
        fake_set_up(NULL);
        fake_rule((struct fake_rule){.what = "PUT 1", .times = 1, .status = 200, .headers = "ETag: \"" MD5_A "\"\r\n"});
        fake_rule((struct fake_rule){.what = "PUT 2", .times = 1, .status = 200, .headers = "ETag: \"" MD5_B "\"\r\n"});
        fake_rule((struct fake_rule){.what = "COMPLETE", .times = 1, .status = 200, .body = cases[i].completed});
        fake_rule((struct fake_rule){.what = "HEAD", .times = 9, .status = 403});
        fake_rule((struct fake_rule){.what = "GET", .times = 9, .status = 403, .body = FAKE_ERROR("AccessDenied")});
        ready(&f);
        assert_int_equal(commit(&f), 0);
        assert_int_equal(verify(&f, true), cases[i].expected);
        assert_int_equal(verify(&f, false), cases[i].expected);
    }
}

/* --- a small object, by one PUT ----------------------------------------------------------------------------------- */

static struct whole small_whole(void)
{
    struct whole w = {.size = FAKE_LAST};
    unsigned char raw[SHA256_DIGEST_LENGTH];

    text_hex(SHA256(fake_data, FAKE_LAST, raw), sizeof(raw), w.sha256);
    return w;
}

#define ZEROS_ETAG "ETag: \"ede3d3b685b4e137ba4cb2521329a75e\"\r\n" /* of FAKE_LAST zeros */

static void a_small_object_waits_for_commit(void **state)
{
    CLEANUP(fake_end) struct fake_upload f = {0};
    struct whole w = small_whole();
    (void)state;
    fake_rule((struct fake_rule){.what = "PUT", .times = 1, .status = 200, .headers = ZEROS_ETAG});
    assert_int_equal(fake_begin(&f, STORE, NULL), 0);
    assert_int_equal(fake_write(&f, 1, true), 0);
    assert_int_equal(fake.log_count, 0); /* it would be visible at once */
    assert_int_equal(s3_upload_commit(f.u, &w, &f.e), 0);
    assert_int_equal(fake_count("PUT"), 1);
    assert_string_equal(fake.condition, "*");
    assert_int_equal(fake.done, 1);
}

static void a_small_object_that_is_there_already_is_not_sent_twice(void **state)
{
    CLEANUP(fake_end) struct fake_upload f = {0};
    struct whole w = small_whole();
    (void)state;
    fake_rule((struct fake_rule){.what = "PUT", .times = 1, .lost = -FAULT_UNREACHABLE});
    fake_rule((struct fake_rule){.what = "PUT", .times = 9, .status = 412, .body = FAKE_ERROR("PreconditionFailed")});
    fake_rule((struct fake_rule){
        .what = "HEAD", .times = 9, .status = 200, .headers = "Content-Length: 1000\r\n" ZEROS_ETAG});
    assert_int_equal(fake_begin(&f, STORE, NULL), 0);
    assert_int_equal(fake_write(&f, 1, true), 0);
    assert_int_equal(s3_upload_commit(f.u, &w, &f.e), 0);
    assert_int_equal(fake_count("PUT"), 2);
}

static void a_small_object_that_changed_in_memory_is_not_sent(void **state)
{
    CLEANUP(fake_end) struct fake_upload f = {0};
    struct whole w = small_whole();
    (void)state;
    w.sha256[0] ^= 1;
    assert_int_equal(fake_begin(&f, STORE, NULL), 0);
    assert_int_equal(fake_write(&f, 1, true), 0);
    assert_int_equal(s3_upload_commit(f.u, &w, &f.e), -FAULT_CORRUPT);
    assert_int_equal(fake.log_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_whole_is_completed_once_and_verified, fake_set_up),
        cmocka_unit_test_setup(an_error_in_a_200_is_one, fake_set_up),
        cmocka_unit_test_setup(an_error_in_a_200_that_stays_fails_it, fake_set_up),
        cmocka_unit_test_setup(parts_that_the_store_does_not_take_end_the_upload, fake_set_up),
        cmocka_unit_test_setup(an_upload_that_is_gone_was_completed_if_the_object_is_there, fake_set_up),
        cmocka_unit_test_setup(an_upload_that_is_gone_without_an_object_begins_anew, fake_set_up),
        cmocka_unit_test_setup(what_is_left_of_an_earlier_attempt_is_replaced, fake_set_up),
        cmocka_unit_test_setup(a_store_that_knows_no_condition_gets_none, fake_set_up),
        cmocka_unit_test_setup(a_whole_that_its_parts_do_not_make_is_not_completed, fake_set_up),
        cmocka_unit_test_setup(an_object_that_differs_is_not_believed, fake_set_up),
        cmocka_unit_test_setup(an_object_that_is_not_there_is_not_believed, fake_set_up),
        cmocka_unit_test_setup(who_may_not_read_believes_the_answer_alone, fake_set_up),
        cmocka_unit_test_setup(a_small_object_waits_for_commit, fake_set_up),
        cmocka_unit_test_setup(a_small_object_that_is_there_already_is_not_sent_twice, fake_set_up),
        cmocka_unit_test_setup(a_small_object_that_changed_in_memory_is_not_sent, fake_set_up),
    };
    return cmocka_run_group_tests(tests, NULL, fake_tear_down);
}
