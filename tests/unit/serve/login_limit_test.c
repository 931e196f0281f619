/* SPDX-License-Identifier: Apache-2.0
 *
 * How often an address may guess.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "serve/login_limit.h"

static const unsigned char GUESS[LOGIN_LIMIT_HASH] = {1}, VALID[LOGIN_LIMIT_HASH] = {2};
enum { BEGIN = 1000 };

static void guess(struct login_limit *l, const char *address, unsigned count, uint64_t now)
{
    unsigned failures;

    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(login_limit_wait(l, address, GUESS, now), 0);
        login_limit_failed(l, address, now, &failures);
    }
}

static void a_guesser_has_to_wait(void **state)
{
    struct login_limit *l = login_limit_new();
    uint64_t wait;

    (void)state;
    guess(l, "10.0.0.1", LOGIN_LIMIT_BURST, BEGIN);
    wait = login_limit_wait(l, "10.0.0.1", GUESS, BEGIN);
    assert_in_range(wait, 1, LOGIN_LIMIT_EACH_MS);
    assert_int_equal(login_limit_wait(l, "10.0.0.2", GUESS, BEGIN), 0);
    guess(l, "10.0.0.1", 1, BEGIN + wait);
    assert_int_not_equal(login_limit_wait(l, "10.0.0.1", GUESS, BEGIN + wait), 0);
    login_limit_free(l);
}

static void a_credential_that_was_valid_is_not_held_back(void **state)
{
    struct login_limit *l = login_limit_new();

    (void)state;
    login_limit_succeeded(l, VALID);
    guess(l, "10.0.0.1", LOGIN_LIMIT_BURST, BEGIN);
    assert_int_equal(login_limit_wait(l, "10.0.0.1", VALID, BEGIN), 0);
    assert_int_not_equal(login_limit_wait(l, "10.0.0.1", GUESS, BEGIN), 0);
    login_limit_free(l);
}

static void a_network_of_ipv6_counts_as_one_address(void **state)
{
    struct login_limit *l = login_limit_new();

    (void)state;
    guess(l, "2001:db8::1", LOGIN_LIMIT_BURST, BEGIN);
    assert_int_not_equal(login_limit_wait(l, "2001:db8::2:3", GUESS, BEGIN), 0);
    assert_int_equal(login_limit_wait(l, "2001:db8:0:1::1", GUESS, BEGIN), 0);
    login_limit_free(l);
}

static void events_are_one_a_minute(void **state)
{
    struct login_limit *l = login_limit_new();
    unsigned failures = 0;

    (void)state;
    assert_true(login_limit_failed(l, "10.0.0.1", BEGIN, &failures));
    assert_int_equal(failures, 1);
    assert_false(login_limit_failed(l, "10.0.0.1", BEGIN + 1, &failures));
    assert_false(login_limit_failed(l, "10.0.0.1", BEGIN + 2, &failures));
    assert_true(login_limit_failed(l, "10.0.0.1", BEGIN + 60 * 1000, &failures));
    assert_int_equal(failures, 3);
    login_limit_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guesser_has_to_wait),
        cmocka_unit_test(a_credential_that_was_valid_is_not_held_back),
        cmocka_unit_test(a_network_of_ipv6_counts_as_one_address),
        cmocka_unit_test(events_are_one_a_minute),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
