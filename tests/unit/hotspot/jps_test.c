/* SPDX-License-Identifier: Apache-2.0
 *
 * Java commands taken apart. That it is jps's way is shown beside the JDK's own (tests/e2e/test_jvm_ps.py).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "hotspot/jps.h"

static void a_command_is_a_class_and_arguments(void **state)
{
    static const struct {
        const char *command, *class, *short_name, *arguments;
    } cases[] = {
        {"Main", "Main", "Main", ""},
        {"shop.Cart -v  x", "shop.Cart", "Cart", "-v  x"},
        {"/opt/shop-1.2/cart.jar x", "/opt/shop-1.2/cart.jar", "cart.jar", "x"},
        {"cart.jar", "cart.jar", "cart.jar", ""},
        {"cart/shop.Cart a", "cart/shop.Cart", "Cart", "a"},
        {"/a dir.x/my cart.jar", "/a", "/a", "dir.x/my cart.jar"},
        {"C:\\x\\cart.jar", "C:\\x\\cart.jar", "cart.jar", ""},
        {".hidden", ".hidden", ".hidden", ""},
        {"/cart", "/cart", "/cart", ""},
        {"a.", "a.", "", ""},
        {"/opt/", "/opt/", "", ""},
        {"x.jars", "x.jars", "jars", ""},
        {"Main ", "Main", "Main", ""},
        {" Main", " Main", " Main", ""},
        {"", "", "", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *arguments;
        size_t size = jps_class(cases[i].command, &arguments), at = jps_short(cases[i].command, size);

        assert_int_equal(size, strlen(cases[i].class));
        assert_memory_equal(cases[i].command, cases[i].class, size);
        assert_string_equal(arguments, cases[i].arguments);
        assert_int_equal(size - at, strlen(cases[i].short_name));
        assert_memory_equal(cases[i].command + at, cases[i].short_name, size - at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_is_a_class_and_arguments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
