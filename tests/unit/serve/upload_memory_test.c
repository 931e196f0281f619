/* SPDX-License-Identifier: Apache-2.0
 *
 * The ceiling of memory for uploads: who is refused, who waits, and what comes back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/thread.h"
#include "serve/upload_memory.h"

static void claims_end_at_the_ceiling(void **state)
{
    struct upload_memory *m = upload_memory_new(100);

    (void)state;
    assert_int_equal(upload_memory_claim(m, "shop", 60, 0), 0);
    assert_int_equal(upload_memory_claim(m, "pay", 60, 0), -FAULT_BUSY);
    assert_int_equal(upload_memory_claim(m, "pay", 40, 0), 0);
    assert_int_equal(upload_memory_claim(m, "bank", 0, 0), 0);
    assert_int_equal(upload_memory_claim(m, "bank", 1, 10), -FAULT_BUSY);
    upload_memory_release(m, "shop", 60);
    assert_int_equal(upload_memory_claim(m, "bank", 60, 0), 0);
    upload_memory_release(m, "bank", 60);
    upload_memory_release(m, "pay", 40);
    upload_memory_free(m);
}

static void a_tenant_gets_half_or_one_upload(void **state)
{
    struct upload_memory *m = upload_memory_new(100);

    (void)state;
    assert_int_equal(upload_memory_claim(m, "shop", 30, 0), 0);
    assert_int_equal(upload_memory_claim(m, "shop", 30, 0), -FAULT_BUSY);
    assert_int_equal(upload_memory_claim(m, "shop", 20, 0), 0);
    assert_int_equal(upload_memory_claim(m, "shop", 1, 0), -FAULT_BUSY);
    assert_int_equal(upload_memory_claim(m, "pay", 50, 0), 0);
    upload_memory_release(m, "shop", 30);
    assert_int_equal(upload_memory_claim(m, "shop", 30, 0), 0);
    upload_memory_release(m, "shop", 20);
    upload_memory_release(m, "shop", 30);
    assert_int_equal(upload_memory_claim(m, "shop", 50, 0), 0);
    upload_memory_release(m, "shop", 50);
    upload_memory_release(m, "pay", 50);
    upload_memory_free(m);
}

static void what_is_more_than_all_gets_all(void **state)
{
    struct upload_memory *m = upload_memory_new(100);

    (void)state;
    assert_int_equal(upload_memory_claim(m, "shop", 1000, 0), 0);
    assert_int_equal(upload_memory_claim(m, "shop", 1, 0), -FAULT_BUSY);
    upload_memory_release(m, "shop", 1000);
    assert_int_equal(upload_memory_claim(m, "shop", 100, 0), 0);
    upload_memory_release(m, "shop", 100);
    upload_memory_free(m);
}

static void *release_soon(void *m)
{
    clock_sleep_ms(20);
    upload_memory_release(m, "shop", 100);
    return NULL;
}

static void who_waits_gets_what_is_released(void **state)
{
    struct upload_memory *m = upload_memory_new(100);
    pthread_t thread;

    (void)state;
    assert_int_equal(upload_memory_claim(m, "shop", 100, 0), 0);
    assert_int_equal(thread_start(&thread, (size_t)64 * 1024, release_soon, m), 0);
    assert_int_equal(upload_memory_claim(m, "shop", 1, 10000), 0);
    pthread_join(thread, NULL);
    upload_memory_release(m, "shop", 1);
    upload_memory_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_end_at_the_ceiling),
        cmocka_unit_test(a_tenant_gets_half_or_one_upload),
        cmocka_unit_test(what_is_more_than_all_gets_all),
        cmocka_unit_test(who_waits_gets_what_is_released),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
