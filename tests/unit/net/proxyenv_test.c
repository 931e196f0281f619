/* SPDX-License-Identifier: Apache-2.0
 *
 * Proxies as the environment names them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "net/proxyenv.h"

static void forget(void)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                        "ALL_PROXY",  "no_proxy",    "NO_PROXY"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        unsetenv(names[i]);
}

static int judge(const char *value)
{
    struct err e = {0};

    forget();
    setenv("http_proxy", value, 1);
    return proxyenv_check(false, "files.example", &e);
}

static void test_addresses(void **state)
{
    static const char *const right[] = {"host:3128",
                                        "host",
                                        "http://host:3128",
                                        "HTTP://host:3128/",
                                        "http://u:p@host:3128",
                                        "socks5h://host:1",
                                        "10.0.0.1:8",
                                        "http://[fd00::1]:3128",
                                        "[::1]",
                                        "http://u:p/w@host:1"};
    static const char *const wrong[] = {"http://host:0", "host:65536", "host:",      ":3128",    "http://",
                                        "http://:3128",  "ho st:1",    "ftp://host", "host:80x", "[::1:3128",
                                        "[]:3128",       "u:p@",       "://host",    "host:1:2"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(right); i++)
        if (judge(right[i]) != 0)
            fail_msg("%s", right[i]);
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        if (judge(wrong[i]) != -FAULT_USAGE)
            fail_msg("%s", wrong[i]);
}

static void test_which_variable_counts(void **state)
{
    const char *place;
    struct err e = {0};

    (void)state;
    forget();
    assert_null(proxyenv_name(true, &place));
    setenv("ALL_PROXY", "all:1", 1);
    assert_string_equal(proxyenv_name(true, &place), "ALL_PROXY");
    setenv("HTTPS_PROXY", "http://user:secret@large:1", 1);
    assert_string_equal(proxyenv_name(true, &place), "HTTPS_PROXY");
    assert_string_equal(place, "large:1");
    assert_string_equal(proxyenv_name(false, &place), "ALL_PROXY");
    setenv("https_proxy", "", 1);
    assert_string_equal(proxyenv_name(true, &place), "HTTPS_PROXY");

    setenv("https_proxy", "http://user:secret@:1", 1);
    assert_int_equal(proxyenv_check(true, "files.example", &e), -FAULT_USAGE);
    assert_non_null(strstr(e.msg, "https_proxy"));
    assert_null(strstr(e.msg, "secret"));
}

static void test_what_no_proxy_excepts_needs_none(void **state)
{
    struct err e = {0};

    (void)state;
    forget();
    setenv("http_proxy", "ho st", 1);
    setenv("no_proxy", "localhost,.example", 1);
    assert_int_equal(proxyenv_check(false, "files.example", &e), 0);
    assert_int_equal(proxyenv_check(false, "files.other", &e), -FAULT_USAGE);
    setenv("no_proxy", "*", 1);
    assert_int_equal(proxyenv_check(false, "files.other", &e), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_addresses), cmocka_unit_test(test_which_variable_counts),
                                       cmocka_unit_test(test_what_no_proxy_excepts_needs_none)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
