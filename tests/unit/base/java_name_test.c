/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of Java classes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/java_name.h"

static void assert_name(const char *name, const char *wanted)
{
    char out[64];

    assert_string_equal(java_name(name, strlen(name), out, sizeof(out)), wanted);
}

static void descriptors_are_names(void **state)
{
    (void)state;
    assert_name("java/lang/String", "java.lang.String");
    assert_name("[B", "byte[]");
    assert_name("[[I", "int[][]");
    assert_name("[[Ljava/lang/String;", "java.lang.String[][]");
    assert_name("B", "B");
    assert_name("", "");
    assert_name("[", "[");
    assert_name("[X", "[X");
    assert_name("[L;", "[L;");
}

static void long_names_are_cut(void **state)
{
    char out[6];

    (void)state;
    assert_string_equal(java_name("com/shop", 8, out, sizeof(out)), "com.s");
    assert_string_equal(java_name("[[B", 3, out, sizeof(out)), "byte");
    assert_string_equal(java_name("[S", 2, out, 1), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(descriptors_are_names), cmocka_unit_test(long_names_are_cut)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
