/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/proxy.h"

static const char *const VARIABLES[] = {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY",
                                        "all_proxy",  "ALL_PROXY",  "no_proxy",    "NO_PROXY"};

static int clear(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(VARIABLES) / sizeof(VARIABLES[0]); i++)
        unsetenv(VARIABLES[i]);
    return 0;
}

static void assert_proxy(const char *url, const char *text, const char *variable)
{
    struct proxy p;

    assert_true(proxy_find(url, &p));
    assert_string_equal(p.text, text);
    assert_string_equal(p.variable, variable);
}

static void assert_none(const char *url)
{
    struct proxy p = {.variable = "untouched"};

    assert_false(proxy_find(url, &p));
    assert_string_equal(p.variable, "untouched");
}

static void the_scheme_chooses_the_variable(void **state)
{
    (void)state;
    setenv("ALL_PROXY", "socks5h://10.0.0.9", 1);
    assert_proxy("http://a.example/x", "10.0.0.9:1080", "ALL_PROXY");
    setenv("http_proxy", "http://user:secret@10.0.0.1:3128/", 1);
    setenv("HTTPS_PROXY", "https://proxy.example", 1);
    assert_proxy("http://a.example/x", "10.0.0.1:3128", "http_proxy");
    assert_proxy("https://a.example/x", "proxy.example:443", "HTTPS_PROXY");
    setenv("https_proxy", "[fd00::1]:8080", 1);
    assert_proxy("https://a.example/x", "[fd00::1]:8080", "https_proxy");
}

static void capitals_of_http_proxy_are_a_header_of_cgi(void **state)
{
    (void)state;
    setenv("HTTP_PROXY", "http://10.0.0.1:3128", 1);
    assert_none("http://a.example/");
    setenv("http_proxy", "", 1);
    assert_none("http://a.example/");
}

static void hosts_of_no_proxy_have_none(void **state)
{
    (void)state;
    setenv("https_proxy", "http://10.0.0.1:3128", 1);
    setenv("no_proxy", "localhost, .corp.example other.example\t10.1.0.0/16,10.2.2.0/23,fd00::/8", 1);
    assert_none("https://localhost:9000/x");
    assert_none("https://corp.example/x");
    assert_none("https://s3.CORP.example/x");
    assert_none("https://a.b.other.example/x");
    assert_none("https://10.1.255.3/x");
    assert_none("https://10.2.3.4/x");
    assert_none("https://[fd00::7]:9000/x");
    assert_proxy("https://xcorp.example/", "10.0.0.1:3128", "https_proxy");
    assert_proxy("https://example/", "10.0.0.1:3128", "https_proxy");
    assert_proxy("https://10.2.4.1/", "10.0.0.1:3128", "https_proxy");
    setenv("no_proxy", "*", 1);
    assert_none("https://xcorp.example/");
}

static void nonsense_is_no_proxy(void **state)
{
    static const char *const values[] = {"http://", "http://a b:1", "://", "http://host:99999999"};

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        setenv("https_proxy", values[i], 1);
        assert_none("https://a.example/");
    }
    setenv("https_proxy", "http://10.0.0.1:3128", 1);
    assert_none("https://");
    setenv("no_proxy", "/,1.2.3.4/99,a/8,,, ", 1);
    assert_proxy("https://1.2.3.4/", "10.0.0.1:3128", "https_proxy");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_scheme_chooses_the_variable, clear),
        cmocka_unit_test_setup(capitals_of_http_proxy_are_a_header_of_cgi, clear),
        cmocka_unit_test_setup(hosts_of_no_proxy_have_none, clear),
        cmocka_unit_test_setup(nonsense_is_no_proxy, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
