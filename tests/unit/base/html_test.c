/* SPDX-License-Identifier: Apache-2.0
 *
 * HTML: what comes out, and that nothing of a text becomes more than text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/html.h"
#include "base/mem.h"

static void assert_text(const char *text, const char *wanted)
{
    CLEANUP(html_done) struct html h = {0};

    html_text(&h, text);
    assert_int_equal(h.failed, 0);
    assert_string_equal(buf_text(&h.out), wanted);
}

static void text_is_escaped(void **state)
{
    (void)state;
    assert_text("a < b && \"c\" 'd' >", "a &lt; b &amp;&amp; &quot;c&quot; &#39;d&#39; &gt;");
    assert_text("&lt;", "&amp;lt;");
    assert_text("\xc3\xa4 \xe2\x82\xac\n\t", "\xc3\xa4 \xe2\x82\xac\n\t");
    assert_text("", "");
    assert_text(NULL, "");
}

static void what_cannot_be_shown_is_replaced(void **state)
{
    (void)state;
    assert_text("a\x01\x7f\r"
                "b",
                "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                "b");
    assert_text("\xff\xc3", "\xef\xbf\xbd\xef\xbf\xbd");                 /* not UTF-8, and cut */
    assert_text("x\xe2\x80\xaey", "x\xef\xbf\xbdy");                     /* U+202E turns what follows */
    assert_text("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* a surrogate */
}

static void elements_nest_and_end(void **state)
{
    CLEANUP(html_done) struct html h = {0};

    (void)state;
    html_begin_class(&h, "p", "a\"b");
    html_attr(&h, "title", NULL);
    html_attr_number(&h, "data-n", 7);
    html_flag(&h, "hidden");
    html_printf(&h, "%d<", 1);
    html_void(&h, "br");
    html_element(&h, "b", NULL, "x");
    html_link(&h, "/a?b=c&d=e", "y");
    html_end(&h);
    assert_int_equal(h.failed, 0);
    assert_int_equal(h.depth, 0);
    assert_string_equal(buf_text(&h.out), "<p class=\"a&quot;b\" data-n=\"7\" hidden>1&lt;<br><b>x</b>"
                                          "<a href=\"/a?b=c&amp;d=e\">y</a></p>");
}

static void one_joins_another(void **state)
{
    CLEANUP(html_done) struct html h = {0}, part = {0};

    (void)state;
    html_text(&part, "<");
    html_void(&part, "br");
    html_begin(&h, "p");
    html_add(&h, &part);
    html_end(&h);
    assert_string_equal(buf_text(&h.out), "<p>&lt;<br></p>");
}

static void too_much_is_a_failure_that_stays(void **state)
{
    CLEANUP(html_done) struct html h = {.out.ceiling = 8};

    (void)state;
    html_text(&h, "123456789");
    assert_int_equal(h.failed, -EMSGSIZE);
    html_text(&h, "1");
    assert_int_equal(h.failed, -EMSGSIZE);
    assert_string_equal(buf_text(&h.out), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_escaped),
        cmocka_unit_test(what_cannot_be_shown_is_replaced),
        cmocka_unit_test(elements_nest_and_end),
        cmocka_unit_test(one_joins_another),
        cmocka_unit_test(too_much_is_a_failure_that_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
