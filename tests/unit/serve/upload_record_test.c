/* SPDX-License-Identifier: Apache-2.0
 *
 * Records of resumable uploads: what is written is read again, and nothing else is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "serve/upload_record.h"

#define SHA "44bfbfabacbcb25055275aa08f0cfa95a1168cffe5179185f5bbc417c15a6c381"
#define BEGIN "{\"schema\":\"salvage.upload/1\",\"key\":\"shop/x\",\"owner\":\"token:ci\""

static void assert_same_again(const struct upload_record *r)
{
    CLEANUP(upload_record_done) struct upload_record again = {0};
    CLEANUP(buf_done) struct buf json = {0};

    assert_int_equal(upload_record_encode(r, &json), 0);
    assert_int_equal(upload_record_decode(buf_text(&json), json.size, &again), 0);
    assert_string_equal(again.key, r->key);
    assert_string_equal(again.owner, r->owner);
    assert_true(again.length == r->length && again.size == r->size);
    assert_true(again.only_new == r->only_new && again.complete == r->complete && again.there == r->there);
    assert_string_equal(again.sha256, r->sha256);
}

static void what_is_written_is_read(void **state)
{
    char key[] = "shop/cart \xff\xc3\xa4%2f/x", owner[] = "serviceaccount:shop/cart";
    struct upload_record r = {.key = key, .owner = owner, .length = UINT64_MAX, .size = UINT64_MAX};

    (void)state;
    assert_same_again(&r);
    r.length = 0;
    r.only_new = true;
    assert_same_again(&r);
    r.length = r.size = UINT64_C(1) << 40;
    r.complete = r.there = true;
    memset(r.sha256, 'a', 64);
    assert_same_again(&r);
}

static void what_is_wrong_is_refused(void **state)
{
    static const char *const BAD[] = {"",
                                      "{}",
                                      BEGIN,
                                      "{\"schema\":\"salvage.upload/2\",\"key\":\"a\",\"owner\":\"b\"}",
                                      "{\"schema\":\"salvage.upload/1\",\"owner\":\"b\"}",
                                      "{\"schema\":\"salvage.upload/1\",\"key\":\"\",\"owner\":\"b\"}",
                                      BEGIN ",\"length\":-1}",
                                      BEGIN ",\"only_new\":1}",
                                      BEGIN ",\"complete\":true}",
                                      BEGIN ",\"complete\":true,\"size\":1,\"sha256\":\"" SHA "\"}",
                                      BEGIN ",\"key\":\"b\"}"};
    struct upload_record r = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(BAD); i++)
        if (upload_record_decode(BAD[i], strlen(BAD[i]), &r) != -EBADMSG)
            fail_msg("%s was not refused", BAD[i]);
    assert_true(!r.key && !r.owner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(what_is_wrong_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
