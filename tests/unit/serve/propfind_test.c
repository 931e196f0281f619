/* SPDX-License-Identifier: Apache-2.0
 *
 * Bodies of PROPFIND: what is asked for, and what is refused.
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
#include "serve/propfind.h"

#define BEGIN "<?xml version='1.0'?><D:propfind xmlns:D='DAV:'>"
#define END "</D:propfind>"

static int parse(const char *body, struct propfind *ret)
{
    return propfind_parse(body, strlen(body), ret);
}

static void properties_are_found(void **state)
{
    CLEANUP(propfind_done) struct propfind p = {0};

    (void)state;
    assert_int_equal(parse(BEGIN "<D:prop><D:getetag/> <D:resourcetype></D:resourcetype></D:prop>" END, &p), 0);
    assert_int_equal(p.wanted, PROPERTY_ETAG | PROPERTY_TYPE);
    assert_false(p.all || p.names);
    assert_int_equal(p.others.size, 0);
}

static void all_names_and_no_body(void **state)
{
    struct propfind p;

    (void)state;
    assert_int_equal(propfind_parse(NULL, 0, &p), 0);
    assert_true(p.all && !p.names && p.wanted & PROPERTY_SIZE);
    assert_int_equal(parse(BEGIN "<D:allprop/><D:include><D:x/></D:include>" END, &p), 0);
    assert_true(p.all && !p.names && p.wanted & PROPERTY_NAME);
    assert_int_equal(parse(BEGIN "<D:propname/>" END, &p), 0);
    assert_true(p.all && p.names);
}

static void others_are_kept_with_their_namespaces(void **state)
{
    CLEANUP(propfind_done) struct propfind p = {0};

    (void)state;
    assert_int_equal(parse(BEGIN "<D:prop xmlns:a='urn:a&amp;&lt;&quot;'><a:getetag/><b/><D:quota/></D:prop>" END, &p),
                     0);
    assert_int_equal(p.wanted, 0);
    assert_string_equal(buf_text(&p.others),
                        "<x:getetag xmlns:x=\"urn:a&amp;&lt;&quot;\"/><b xmlns=\"\"/><x:quota xmlns:x=\"DAV:\"/>");
}

static void others_are_refused(void **state)
{
    static const char *const BODIES[] = {"x",
                                         " ",
                                         "<a/>",
                                         "<propfind/>",
                                         BEGIN,
                                         BEGIN END,
                                         BEGIN "<D:other/>" END,
                                         BEGIN "<D:allprop/><D:propname/>" END,
                                         BEGIN "<D:prop/><D:prop/>" END,
                                         "<!DOCTYPE a [<!ENTITY b 'c'>]>" BEGIN "<D:allprop/>" END,
                                         "<D:propfind><D:allprop/></D:propfind>",
                                         BEGIN "<D:prop><x:y/></D:prop>" END};
    struct propfind p;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(BODIES); i++)
        if (parse(BODIES[i], &p) != -EBADMSG)
            fail_msg("'%s' was taken", BODIES[i]);
}

static void deep_and_long_ones_are_refused(void **state)
{
    CLEANUP(buf_done) struct buf body = {0};
    struct propfind p;

    (void)state;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(buf_add_text(&body, i ? "<D:prop>" : BEGIN), 0);
    assert_int_equal(parse(buf_text(&body), &p), -EBADMSG);
    buf_clear(&body);
    assert_int_equal(buf_add_text(&body, BEGIN "<D:prop>"), 0);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(buf_printf(&body, "<D:p%d/>", i), 0);
    assert_int_equal(buf_add_text(&body, "</D:prop>" END), 0);
    assert_int_equal(parse(buf_text(&body), &p), -EBADMSG);
}

static void text_is_escaped(void **state)
{
    CLEANUP(buf_done) struct buf out = {0};

    (void)state;
    assert_int_equal(propfind_escape(&out, "a<b>&\"\xc3\xa4\xff\x01\xef\xbf\xbf"), 0);
    assert_string_equal(buf_text(&out), "a&lt;b&gt;&amp;&quot;\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(properties_are_found),
        cmocka_unit_test(all_names_and_no_body),
        cmocka_unit_test(others_are_kept_with_their_namespaces),
        cmocka_unit_test(others_are_refused),
        cmocka_unit_test(deep_and_long_ones_are_refused),
        cmocka_unit_test(text_is_escaped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
