/* SPDX-License-Identifier: Apache-2.0
 *
 * Addresses of proxies that are believed, and the client that they name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "serve/trusted_proxy.h"

static void assert_covers(const char *proxy, const char *address, bool wanted)
{
    struct trusted_proxies p = {0};
    struct err e;

    assert_int_equal(trusted_proxies_add(&p, proxy, &e), 0);
    if (trusted_proxies_has(&p, address) != wanted)
        fail_msg("%s and %s", proxy, address);
}

static void addresses_and_networks_are_compared_by_bits(void **state)
{
    (void)state;
    assert_covers("10.0.0.7", "10.0.0.7", true);
    assert_covers("10.0.0.7", "10.0.0.8", false);
    assert_covers("10.0.0.7", "::ffff:10.0.0.7", true);
    assert_covers("10.0.0.0/24", "10.0.0.255", true);
    assert_covers("10.0.0.0/24", "10.0.1.0", false);
    assert_covers("10.0.0.0/31", "10.0.0.1", true);
    assert_covers("10.0.0.0/31", "10.0.0.2", false);
    assert_covers("10.0.0.0/32", "10.0.0.0", true);
    assert_covers("0.0.0.0/0", "192.168.1.1", true);
    assert_covers("0.0.0.0/0", "fd00::1", false);
    assert_covers("fd00::/8", "fdff::1", true);
    assert_covers("fd00::/8", "fe00::1", false);
    assert_covers("::1", "::1", true);
    assert_covers("10.0.0.7", "", false);
    assert_false(trusted_proxies_has(&(struct trusted_proxies){0}, "10.0.0.7"));
}

static void other_texts_are_refused(void **state)
{
    static const char *const TEXTS[] = {"",          "proxy",      "10.0.0",     "10.0.0.7/33",
                                        "10.0.0.7/", "fd00::/129", "10.0.0.7/a", "10.0.0.7/-1"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(TEXTS); i++) {
        struct trusted_proxies p = {0};
        struct err e;

        if (trusted_proxies_add(&p, TEXTS[i], &e) != -FAULT_USAGE || p.count != 0)
            fail_msg("'%s'", TEXTS[i]);
    }
}

static void the_client_is_the_address_that_the_proxy_added(void **state)
{
    static const char *const NONE[] = {"", "1.2.3.4,", "unknown", "1.2.3.4 5.6.7.8", "1.2.3.4, _hidden"};
    char out[64];

    (void)state;
    assert_true(trusted_proxy_client("10.1.1.1", out, sizeof(out)));
    assert_string_equal(out, "10.1.1.1");
    assert_true(trusted_proxy_client("6.6.6.6, 10.1.1.1", out, sizeof(out)));
    assert_string_equal(out, "10.1.1.1");
    assert_true(trusted_proxy_client("6.6.6.6,fd00::1 ", out, sizeof(out)));
    assert_string_equal(out, "fd00::1");
    for (size_t i = 0; i < ARRAY_SIZE(NONE); i++)
        if (trusted_proxy_client(NONE[i], out, sizeof(out)))
            fail_msg("'%s'", NONE[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_and_networks_are_compared_by_bits),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(the_client_is_the_address_that_the_proxy_added),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
