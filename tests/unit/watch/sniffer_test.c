/* SPDX-License-Identifier: Apache-2.0
 *
 * The rate for each tenant, and the memory for what was looked at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "watch/sniffer.h"

static unsigned looks(struct sniffer *s, uid_t uid, uint64_t from_ms, uint64_t to_ms)
{
    unsigned count = 0;

    for (uint64_t now = from_ms; now < to_ms; now++)
        while (sniffer_wait(s, uid, now) == 0)
            count++;
    return count;
}

static void a_tenant_has_its_rate_and_a_burst(void **state)
{
    struct sniffer s = {0};

    (void)state;
    assert_in_range(looks(&s, 1, 1000000, 1010000), 10 * SNIFFER_RATE, 10 * SNIFFER_RATE + SNIFFER_BURST + 1);
    assert_int_not_equal(sniffer_wait(&s, 1, 1010000 - 1), 0);
    assert_int_equal(sniffer_wait(&s, 2, 1010000 - 1), 0);
    assert_in_range(looks(&s, 1, 2000000, 2000001), SNIFFER_BURST, SNIFFER_BURST + 1);
}

static void many_tenants_cost_no_more_memory(void **state)
{
    struct sniffer s = {0};

    (void)state;
    for (uid_t uid = 0; uid < 10000; uid++)
        assert_int_equal(sniffer_wait(&s, uid, 1000000), 0);
    assert_int_equal(s.tenants, SNIFFER_TENANTS_MAX);
}

static void a_file_is_known_until_it_changes(void **state)
{
    struct sniffer s = {0};

    (void)state;
    assert_false(sniffer_knows(&s, 1, 2, 3));
    sniffer_learn(&s, 1, 2, 3);
    assert_true(sniffer_knows(&s, 1, 2, 3));
    assert_false(sniffer_knows(&s, 1, 2, 4));
    assert_false(sniffer_knows(&s, 1, 3, 3));
    assert_false(sniffer_knows(&s, 2, 2, 3));
    sniffer_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tenant_has_its_rate_and_a_burst),
        cmocka_unit_test(many_tenants_cost_no_more_memory),
        cmocka_unit_test(a_file_is_known_until_it_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
