/* SPDX-License-Identifier: Apache-2.0
 *
 * Layouts: whose a file is by the folders it lies in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "place/layout.h"

static struct layout parse(const char *text)
{
    struct layout l;
    struct err e = {0};

    assert_int_equal(layout_parse(text, &l, &e), 0);
    return l;
}

static void levels_name_the_folders_from_the_top(void **state)
{
    struct layout l = parse("namespace/pod/container");
    struct layout_names n;

    (void)state;
    assert_true(layout_read(&l, "/dumps", "/dumps/shop/cart-7f9c/app/java_pid7.hprof", &n));
    assert_string_equal(n.name[LAYOUT_NAMESPACE], "shop");
    assert_string_equal(n.name[LAYOUT_POD], "cart-7f9c");
    assert_string_equal(n.name[LAYOUT_CONTAINER], "app");
}

static void deeper_folders_are_the_applications_own(void **state)
{
    struct layout l = parse("namespace/pod");
    struct layout_names n;

    (void)state;
    assert_true(layout_read(&l, "/dumps/", "/dumps//shop/cart/x/../Y/heap.hprof", &n));
    assert_string_equal(n.name[LAYOUT_POD], "cart");
    assert_string_equal(n.name[LAYOUT_CONTAINER], "");
}

static void a_star_passes_a_level_over(void **state)
{
    struct layout l = parse("*/namespace/pod");
    struct layout_names n;

    (void)state;
    assert_true(layout_read(&l, "/d", "/d/ANY thing/shop/cart/f", &n));
    assert_string_equal(n.name[LAYOUT_POD], "cart");
    assert_string_equal(n.name[LAYOUT_NAMESPACE], "shop");
}

static void what_does_not_lie_so_deep_or_elsewhere_says_nothing(void **state)
{
    struct layout l = parse("namespace/pod");
    struct layout_names n;

    (void)state;
    memset(&n, 'x', sizeof(n));
    assert_false(layout_read(&l, "/dumps", "/dumps/shop/heap.hprof", &n));
    assert_false(layout_read(&l, "/dumps", "/dumps/heap.hprof", &n));
    assert_false(layout_read(&l, "/dumps", "/dumpsters/shop/cart/heap.hprof", &n));
    assert_false(layout_read(&l, "/dumps", "/other/shop/cart/heap.hprof", &n));
    assert_int_equal(n.name[0][0], 'x');
}

static void what_is_no_name_of_kubernetes_is_not_believed(void **state)
{
    struct layout l = parse("namespace/pod");
    struct layout_names n;
    char path[700], name[400];

    (void)state;
    assert_false(layout_read(&l, "/d", "/d/../cart/heap.hprof", &n));
    assert_false(layout_read(&l, "/d", "/d/shop/CART/heap.hprof", &n));
    assert_false(layout_read(&l, "/d", "/d/shop/c\nart/heap.hprof", &n));
    memset(name, 'a', sizeof(name));
    name[253] = '\0';
    snprintf(path, sizeof(path), "/d/shop/%s/heap.hprof", name);
    assert_true(layout_read(&l, "/d", path, &n));
    name[253] = 'a';
    name[254] = '\0';
    snprintf(path, sizeof(path), "/d/shop/%s/heap.hprof", name);
    assert_false(layout_read(&l, "/d", path, &n));
}

static void a_malformed_layout_is_refused(void **state)
{
    const char *const bad[] = {"",
                               "/",
                               "namespace",
                               "pod/",
                               "/pod",
                               "pod/pod",
                               "namespace/node",
                               "*/pod",
                               "*/*/*/namespace/pod",
                               "namespace/Pod"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct layout l;
        struct err e = {0};

        assert_int_equal(layout_parse(bad[i], &l, &e), -FAULT_USAGE);
        assert_non_null(strstr(e.msg, "--layout"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_name_the_folders_from_the_top),
        cmocka_unit_test(deeper_folders_are_the_applications_own),
        cmocka_unit_test(a_star_passes_a_level_over),
        cmocka_unit_test(what_does_not_lie_so_deep_or_elsewhere_says_nothing),
        cmocka_unit_test(what_is_no_name_of_kubernetes_is_not_believed),
        cmocka_unit_test(a_malformed_layout_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
