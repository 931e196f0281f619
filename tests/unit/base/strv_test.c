/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists that own their strings, and environments.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "base/strv.h"

static void a_list_always_ends_with_null(void **state)
{
    CLEANUP(strv_done) struct strv v = {0};
    char text[] = "one";

    (void)state;
    assert_null(v.item);
    assert_int_equal(strv_add(&v, text), 0);
    memset(text, 'x', 3);
    assert_int_equal(strv_printf(&v, "%s=%d", "two", 2), 0);
    assert_int_equal(v.count, 2);
    assert_string_equal(v.item[0], "one");
    assert_string_equal(v.item[1], "two=2");
    assert_null(v.item[2]);
}

static void lists_can_be_joined(void **state)
{
    CLEANUP(strv_done) struct strv v = {0}, w = {0};
    char *none[] = {NULL};

    (void)state;
    strv_add(&v, "a");
    strv_add(&v, "b");
    strv_add(&w, "0");
    assert_int_equal(strv_add_all(&w, v.item), 0);
    assert_int_equal(strv_add_all(&w, none), 0);
    assert_int_equal(w.count, 3);
    assert_string_equal(w.item[2], "b");
    assert_ptr_not_equal(w.item[2], v.item[1]);
    assert_null(w.item[3]);
}

static void a_variable_is_replaced_where_it_is(void **state)
{
    CLEANUP(strv_done) struct strv v = {0};

    (void)state;
    strv_add(&v, "PATHS=x");
    strv_add(&v, "PATH=/bin");
    strv_add(&v, "A=b");
    assert_int_equal(strv_set(&v, "PATH", "/usr/bin:/bin"), 0);
    assert_int_equal(strv_set(&v, "NEW", ""), 0);
    assert_int_equal(strv_set(&v, "A", "c=d"), 0);
    assert_int_equal(v.count, 4);
    assert_string_equal(v.item[0], "PATHS=x");
    assert_string_equal(v.item[1], "PATH=/usr/bin:/bin");
    assert_string_equal(v.item[2], "A=c=d");
    assert_string_equal(v.item[3], "NEW=");
    assert_null(v.item[4]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_always_ends_with_null),
        cmocka_unit_test(lists_can_be_joined),
        cmocka_unit_test(a_variable_is_replaced_where_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
