/* SPDX-License-Identifier: Apache-2.0
 *
 * YAML texts as trees, and what is refused with which line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "node/config_tree.h"

static void a_text_becomes_a_tree_with_lines(void **state)
{
    static const char text[] = "# a comment\nname: shop\nlist:\n  - one\n  - {two: ~, three: 'null'}\n";
    struct config_errors errors = {0};
    struct config_node *n = NULL, *list;

    (void)state;
    assert_int_equal(config_tree_read(text, strlen(text), &n, &errors), 0);
    assert_int_equal(errors.count, 0);
    assert_int_equal(n->kind, CONFIG_MAP);
    assert_int_equal(n->count, 2);
    assert_string_equal(n->entry[0].key, "name");
    assert_string_equal(n->entry[0].value->text, "shop");
    assert_int_equal(n->entry[0].line, 2);
    list = n->entry[1].value;
    assert_int_equal(list->kind, CONFIG_LIST);
    assert_null(list->entry[0].key);
    assert_string_equal(list->entry[0].value->text, "one");
    assert_int_equal(list->entry[1].value->line, 5);
    assert_string_equal(list->entry[1].value->entry[0].value->text, "");
    assert_string_equal(list->entry[1].value->entry[1].value->text, "null");
    config_tree_free(n);
}

static void refused(const char *text, size_t size, unsigned line, const char *why)
{
    struct config_errors errors = {0};
    struct config_node *n = NULL;

    assert_int_equal(config_tree_read(text, size, &n, &errors), -EINVAL);
    assert_null(n);
    assert_int_equal(errors.count, 1);
    assert_int_equal(errors.item[0].line, line);
    if (!strstr(errors.item[0].text, why))
        fail_msg("\"%s\" is not in \"%s\"", why, errors.item[0].text);
}

static void what_could_grow_or_hide_is_refused_with_its_line(void **state)
{
    static const struct {
        const char *text;
        unsigned line;
        const char *why;
    } cases[] = {
        {"", 0, "nothing in it"},
        {"a: [1\nb: 2\n", 2, "not YAML"},
        {"a: &x [1, 2]\n", 1, "anchors"},
        {"a: 1\nb: *x\n", 2, "aliases"},
        {"a: !!int 7\n", 1, "tags"},
        {"a: 1\nb: 2\na: 3\n", 3, "twice"},
        {"a: 1\n---\nb: 2\n", 2, "second document"},
        {"? [a]\n: b\n", 1, "a word"},
        {"a: \"b\\0c\"\n", 1, "NUL"},
        {"\"a\\0b\": c\n", 1, "NUL"},
        {"[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", 1, "16 deep"},
        {"a: \xff\xfe\n", 1, "not YAML"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        refused(cases[i].text, strlen(cases[i].text), cases[i].line, cases[i].why);
}

static void sizes_have_ceilings(void **state)
{
    CLEANUP(buf_done) struct buf many = {0}, long_one = {0};

    (void)state;
    for (int i = 0; i <= CONFIG_NODES_MAX; i++)
        assert_int_equal(buf_add_text(&many, "- x\n"), 0);
    refused(many.data, many.size, CONFIG_NODES_MAX, "more than 10000 values");
    while (long_one.size <= CONFIG_SIZE_MAX)
        assert_int_equal(buf_add_text(&long_one, "# nothing but a comment\n"), 0);
    refused(long_one.data, long_one.size, 0, "256 KiB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_becomes_a_tree_with_lines),
        cmocka_unit_test(what_could_grow_or_hide_is_refused_with_its_line),
        cmocka_unit_test(sizes_have_ceilings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
