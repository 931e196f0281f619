/* SPDX-License-Identifier: Apache-2.0
 *
 * Paths of requests: which are keys, and which are refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "serve/keypath.h"

static void assert_key(const char *path, const char *wanted, const char *wanted_namespace)
{
    CLEANUP_FREE char *key = NULL, *namespace = NULL;

    if (keypath_decode(path, &key, &namespace) < 0)
        fail_msg("%s was refused", path);
    assert_string_equal(key, wanted);
    assert_string_equal(namespace, wanted_namespace);
}

static void paths_become_keys(void **state)
{
    (void)state;
    assert_key("/", "", "");
    assert_key("/heap.hprof", "heap.hprof", "");
    assert_key("/shop/", "shop/", "shop");
    assert_key("/shop/cart-7f9c/x.zst", "shop/cart-7f9c/x.zst", "shop");
    assert_key("/shop/a%20b%C3%A4+c", "shop/a b\xc3\xa4+c", "shop");
    assert_key("/shop/...", "shop/...", "shop");
}

static void what_leads_elsewhere_is_refused(void **state)
{
    static const char *const PATHS[] = {"",        "*",    "x",    "//",        "/a//b",  "/..",
                                        "/a/../b", "/./a", "/a/.", "/%2e%2e/a", "/a%2fb", "/a%00b",
                                        "/a%0ab",  "/a%",  "/a%1", "/a%zz",     "/a\tb",  "/%2E%2E%2F"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(PATHS); i++) {
        char *key = NULL, *namespace = NULL;

        if (keypath_decode(PATHS[i], &key, &namespace) != -EINVAL)
            fail_msg("'%s' was not refused", PATHS[i]);
        assert_true(!key && !namespace);
    }
}

static void long_paths_are_refused(void **state)
{
    char path[KEYPATH_MAX + 3] = "/", *key = NULL, *namespace = NULL;

    (void)state;
    for (size_t i = 1; i < sizeof(path) - 1; i++)
        path[i] = i % 100 ? 'a' : '/';
    assert_int_equal(keypath_decode(path, &key, &namespace), -EINVAL);
    path[KEYPATH_MAX + 1] = '\0';
    assert_int_equal(keypath_decode(path, &key, &namespace), 0);
    assert_int_equal(strlen(key), KEYPATH_MAX);
    mem_free_ptr(&key);
    mem_free_ptr(&namespace);
    memset(path + 1, 'a', 256);
    path[257] = '\0';
    assert_int_equal(keypath_decode(path, &key, &namespace), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_become_keys),
        cmocka_unit_test(what_leads_elsewhere_is_refused),
        cmocka_unit_test(long_paths_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
