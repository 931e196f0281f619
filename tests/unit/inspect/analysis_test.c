/* SPDX-License-Identifier: Apache-2.0
 *
 * An analysis as HTML: what stands where, and what an analysis that anybody wrote can't do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "inspect/analysis.h"
#include "inspect/analysis_page.h"
#include "inspect/analysis_tree.h"

#define HEAD "{\"schema\":\"salvage.analysis/1\",\"name\":\"app.hprof\",\"reachable_bytes\":1000"

static void sections_of(const char *json, struct html *h)
{
    json_auto_t *a = json_loads(json, 0, NULL);

    assert_non_null(a);
    analysis_html_sections(h, a);
    assert_int_equal(h->failed, 0);
    assert_int_equal(h->depth, 0);
}

static void a_suspect_has_its_path(void **state)
{
    CLEANUP(html_done) struct html h = {0};

    (void)state;
    sections_of(
        HEAD ",\"suspects\":[{\"class\":\"java.util.HashMap\",\"count\":1,\"retained_bytes\":970,"
             "\"holder\":\"static com.shop.Cart.CACHE (java.util.HashMap)\",\"path\":[\"static com.shop.Cart.CACHE\","
             "\"java.util.HashMap.table\"],\"content\":{\"class\":\"com.shop.Order\",\"count\":12,\"bytes\":9}}]}",
        &h);
    assert_non_null(strstr(h.out.data, "static com.shop.Cart.CACHE (java.util.HashMap) keeps 970 B (97 %) alive"));
    assert_non_null(strstr(h.out.data, "<li><code>java.util.HashMap.table</code></li>"));
    assert_non_null(strstr(h.out.data, "12 × <code>com.shop.Order</code>"));
}

static void no_suspect_is_said(void **state)
{
    CLEANUP(html_done) struct html h = {0};

    (void)state;
    sections_of(HEAD ",\"suspects\":[]}", &h);
    assert_non_null(strstr(h.out.data, "No object keeps more than a tenth"));
    assert_null(strstr(h.out.data, "treemap"));
}

static void text_is_never_markup(void **state)
{
    CLEANUP(html_done) struct html h = {0};

    (void)state;
    sections_of(HEAD ",\"threads\":[{\"name\":\"<script>x</script>\",\"retained_bytes\":1,\"out_of_memory\":false}],"
                     "\"tree\":[{\"parent\":null,\"retained_bytes\":9},{\"parent\":0,\"class\":\"<img "
                     "src=x>\",\"retained_bytes\":9}]}",
                &h);
    assert_null(strstr(h.out.data, "<script"));
    assert_null(strstr(h.out.data, "<img"));
    assert_non_null(strstr(h.out.data, "&lt;script&gt;x"));
}

static void waste_is_a_table_of_each_kind(void **state)
{
    CLEANUP(html_done) struct html h = {0};

    (void)state;
    sections_of(
        HEAD
        ",\"waste\":{\"duplicate_strings\":{\"count\":2,\"bytes\":2048,\"top\":[{\"text\":\"EUR\",\"length\":3,"
        "\"count\":3,\"bytes\":48}]},\"zero_arrays\":[{\"class\":\"int[]\",\"count\":7,\"bytes\":1024}],\"boxes\":[]}}",
        &h);
    assert_non_null(strstr(h.out.data, "2.0 KiB lost in 2 copies"));
    assert_non_null(strstr(h.out.data, ">EUR</th>"));
    assert_non_null(strstr(h.out.data, "Arrays of zeros"));
    assert_null(strstr(h.out.data, "Boxed numbers"));
}

static struct analysis_tree tree_of(const char *json)
{
    static json_t *a;
    struct analysis_tree t;

    json_decref(a);
    a = json_loads(json, 0, NULL);
    assert_non_null(a);
    assert_int_equal(analysis_tree_read(a, &t), 0);
    return t;
}

static void children_stand_the_largest_first(void **state)
{
    CLEANUP(analysis_tree_done)
    struct analysis_tree t =
        tree_of("{\"tree\":[{\"parent\":null,\"retained_bytes\":9},{\"parent\":0,\"retained_bytes\":2},{\"parent\":0,"
                "\"retained_bytes\":5},{\"parent\":1,\"retained_bytes\":1}]}");

    (void)state;
    assert_int_equal(t.count, 4);
    assert_int_equal(t.first[1] - t.first[0], 2);
    assert_int_equal(t.child[t.first[0]], 2);
    assert_int_equal(t.child[t.first[0] + 1], 1);
    assert_int_equal(t.child[t.first[1]], 3);
    assert_int_equal(t.first[4], 3);
}

static void a_tree_that_goes_in_circles_is_none(void **state)
{
    static const char *const parents[] = {"1", "2", "-1", "null", "\"0\"", "0.5"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(parents); i++) {
        char json[160];

        snprintf(json, sizeof(json), "{\"tree\":[{\"parent\":null},{\"parent\":%s},{\"parent\":0}]}", parents[i]);
        CLEANUP(analysis_tree_done) struct analysis_tree t = tree_of(json);
        assert_int_equal(t.count, 0);
    }
}

static void a_deep_tree_is_cut(void **state)
{
    CLEANUP(html_done) struct html h = {0};
    CLEANUP(buf_done) struct buf json = {0};

    (void)state;
    assert_int_equal(buf_add_text(&json, HEAD ",\"tree\":[{\"parent\":null,\"retained_bytes\":9}"), 0);
    for (int i = 0; i < 1500; i++)
        assert_int_equal(buf_printf(&json, ",{\"parent\":%d,\"class\":\"a.B\",\"retained_bytes\":8}", i), 0);
    assert_int_equal(buf_add_text(&json, "]}"), 0);
    sections_of(json.data, &h);
}

static void another_schema_is_refused(void **state)
{
    json_auto_t *a = json_loads("{\"schema\":\"salvage.digest/1\"}", 0, NULL);
    CLEANUP(buf_done) struct buf page = {0};
    struct err e = {0};

    (void)state;
    assert_int_equal(analysis_page(a, &page, &e), -FAULT_CORRUPT);
    assert_int_equal(page.size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_suspect_has_its_path),
        cmocka_unit_test(no_suspect_is_said),
        cmocka_unit_test(text_is_never_markup),
        cmocka_unit_test(waste_is_a_table_of_each_kind),
        cmocka_unit_test(children_stand_the_largest_first),
        cmocka_unit_test(a_tree_that_goes_in_circles_is_none),
        cmocka_unit_test(a_deep_tree_is_cut),
        cmocka_unit_test(another_schema_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
