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

static void classes_and_frames_of_runtimes(void **state)
{
    static const char *const RUNTIMES[] = {"java.lang.Thread.run(Thread.java:840)",
                                           "javax.swing.JFrame",
                                           "jdk.internal.misc.VM",
                                           "sun.misc.Unsafe",
                                           "com.sun.crypto.provider.AESCipher",
                                           "kotlin.Unit",
                                           "kotlinx.coroutines.Job",
                                           "scala.Option",
                                           "clojure.lang.Var",
                                           "groovy.lang.Closure",
                                           "byte[]",
                                           "int[][]"},
                             *const OTHERS[] = {"com.shop.Cart.add(Cart.java:61)",
                                                "com.sunshine.Cart",
                                                "javassist.ClassPool",
                                                "org.java.Cart",
                                                "kotlinc.Cart",
                                                "Cart",
                                                "bytes",
                                                "com.shop.Cart[]",
                                                ""};

    (void)state;
    for (size_t i = 0; i < sizeof(RUNTIMES) / sizeof(*RUNTIMES); i++)
        assert_true(java_name_is_runtime(RUNTIMES[i]));
    for (size_t i = 0; i < sizeof(OTHERS) / sizeof(*OTHERS); i++)
        assert_false(java_name_is_runtime(OTHERS[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(descriptors_are_names), cmocka_unit_test(long_names_are_cut),
                                       cmocka_unit_test(classes_and_frames_of_runtimes)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
