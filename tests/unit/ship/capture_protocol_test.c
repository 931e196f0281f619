/* SPDX-License-Identifier: Apache-2.0
 *
 * Orders, reports and offers: what is read back, and what is refused with a sentence.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fault.h"
#include "base/mem.h"
#include "ship/capture_protocol.h"

static int read_order(const char *text, struct capture_order *ret, struct err *e)
{
    return capture_order_read(text, strlen(text), ret, e);
}

static void an_order_names_a_pod_and_what_is_wanted(void **state)
{
    struct capture_order o;
    struct err e;

    (void)state;
    assert_int_equal(
        read_order("{\"namespace\":\"shop\",\"pod\":\"cart.0\",\"what\":\"core\",\"container\":null}", &o, &e), 0);
    assert_string_equal(o.namespace, "shop");
    assert_string_equal(o.pod, "cart.0");
    assert_string_equal(o.container, "");
    assert_int_equal(o.what, CAPTURE_CORE);
}

static void an_order_that_is_none_is_refused_with_its_field(void **state)
{
    static const struct {
        const char *text, *sentence;
    } rows[] = {
        {"{\"pod\":\"p\",\"what\":\"core\"}", "\"namespace\""},
        {"{\"namespace\":\"-a\",\"pod\":\"p\",\"what\":\"core\"}", "\"namespace\""},
        {"{\"namespace\":\"a.b\",\"pod\":\"p\",\"what\":\"core\"}", "\"namespace\""},
        {"{\"namespace\":\"a\",\"pod\":\"p/q\",\"what\":\"core\"}", "\"pod\""},
        {"{\"namespace\":\"a\",\"pod\":\"..\",\"what\":\"core\"}", "\"pod\""},
        {"{\"namespace\":\"a\",\"pod\":\"p\",\"what\":\"all\"}", "\"what\""},
        {"{\"namespace\":\"a\",\"pod\":\"p\",\"what\":\"core\",\"container\":\"x.y\"}", "\"container\""},
        {"{\"namespace\":\"a\",\"pod\":\"p\",\"what\":\"core\",\"pid\":\"7\"}", "not known"},
        {"{\"namespace\":[],\"pod\":\"p\",\"what\":\"core\"}", "a text is needed"},
        {"", "a JSON object"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct capture_order o;
        struct err e = {0};

        assert_int_equal(read_order(rows[i].text, &o, &e), -FAULT_USAGE);
        if (!strstr(e.msg, rows[i].sentence))
            fail_msg("%s: %s", rows[i].text, e.msg);
    }
}

static void a_report_comes_back_as_one_line(void **state)
{
    struct capture_report r = {.state = CAPTURE_FAILED, .node = "node-1", .text = "no\nroom \xff", .url = "s3://b/k"};
    CLEANUP(buf_done) struct buf text = {0};
    struct capture_report back;
    struct err e;

    (void)state;
    assert_int_equal(capture_report_write(&r, &text), 0);
    assert_int_equal(capture_report_read(text.data, text.size, &back, &e), 0);
    assert_int_equal(back.state, CAPTURE_FAILED);
    assert_string_equal(back.node, "node-1");
    assert_string_equal(back.text, "no room \xef\xbf\xbd");
    assert_string_equal(back.url, "s3://b/k");
    assert_string_equal(back.key, "");
}

static void a_report_is_taken_done_or_failed(void **state)
{
    static const char *const wrong[] = {"{\"state\":\"queued\",\"node\":\"n\"}", "{\"state\":\"done\"}",
                                        "{\"state\":\"done\",\"node\":\"N\"}", "{\"node\":\"n\"}",
                                        "{\"state\":\"done\",\"node\":\"n\",\"key\":\"a\\u0007\"}"};
    struct capture_report r;
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        if (capture_report_read(wrong[i], strlen(wrong[i]), &r, &e) != -FAULT_USAGE)
            fail_msg("%s", wrong[i]);
}

static void offers_come_back(void **state)
{
    CLEANUP_FREE struct capture_offers *o = calloc(2, sizeof(*o));
    CLEANUP(buf_done) struct buf text = {0};
    struct err e;

    (void)state;
    assert_non_null(o);
    o->count = CAPTURE_OFFERS_MAX;
    for (unsigned i = 0; i < o->count; i++) {
        memset(o->item[i].id, 'a', CAPTURE_ID_MAX - 1);
        o->item[i].number = 7 + i;
        strncpy(o->item[i].by, "user:ann", CAPTURE_BY_MAX - 1);
        strncpy(o->item[i].order.namespace, "shop", CAPTURE_NAMESPACE_MAX - 1);
        strncpy(o->item[i].order.pod, "cart-0", CAPTURE_NAME_MAX - 1);
    }
    assert_int_equal(capture_offers_write(o, &text), 0);
    assert_int_equal(capture_offers_read(text.data, text.size, &o[1], &e), 0);
    assert_memory_equal(&o[0], &o[1], sizeof(*o));
    o->item[3].number = 0;
    buf_clear(&text);
    assert_int_equal(capture_offers_write(o, &text), 0);
    assert_int_equal(capture_offers_read(text.data, text.size, &o[1], &e), -FAULT_USAGE);
    assert_int_equal(capture_offers_read("{}", 2, &o[1], &e), -FAULT_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_names_a_pod_and_what_is_wanted),
        cmocka_unit_test(an_order_that_is_none_is_refused_with_its_field),
        cmocka_unit_test(a_report_comes_back_as_one_line),
        cmocka_unit_test(a_report_is_taken_done_or_failed),
        cmocka_unit_test(offers_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
