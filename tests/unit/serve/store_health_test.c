/* SPDX-License-Identifier: Apache-2.0
 *
 * A store that is down is not waited for by everybody.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fault.h"
#include "serve/store_health.h"

static void one_in_two_seconds_finds_out(void **state)
{
    struct store_health *h = store_health_new();
    struct err e = {0};

    (void)state;
    assert_non_null(h);
    assert_int_equal(store_health_check(h, &e), 0);
    store_health_note(h, -FAULT_NO_OBJECT);
    assert_int_equal(store_health_check(h, &e), 0);
    store_health_note(h, -FAULT_UNREACHABLE);
    assert_true(store_health_is_down(h));
    assert_int_equal(store_health_check(h, &e), -FAULT_BUSY);
    assert_int_equal(e.retry_after_ms, 2000);
    clock_sleep_ms(2100);
    assert_int_equal(store_health_check(h, &e), 0);
    assert_int_equal(store_health_check(h, &e), -FAULT_BUSY); /* one asks already */
    store_health_note(h, -FAULT_STALLED);
    assert_int_equal(store_health_check(h, &e), -FAULT_BUSY);
    store_health_note(h, 0);
    assert_false(store_health_is_down(h));
    assert_int_equal(store_health_check(h, &e), 0);
    store_health_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_in_two_seconds_finds_out)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
