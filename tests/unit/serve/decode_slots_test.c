/* SPDX-License-Identifier: Apache-2.0
 *
 * Slots of decoders: limits in all and for one caller, and waiting.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/thread.h"
#include "serve/decode_slots.h"

enum { STACK_BYTES = 64 * 1024 };

static void one_caller_cannot_take_all(void **state)
{
    struct decode_slots *s = decode_slots_new(4, 2);

    (void)state;
    assert_int_equal(decode_slots_take(s, "a", 0), 0);
    assert_int_equal(decode_slots_take(s, "a", 0), 0);
    assert_int_equal(decode_slots_take(s, "a", 0), -EBUSY);
    assert_int_equal(decode_slots_take(s, "b", 0), 0);
    assert_int_equal(decode_slots_take(s, "c", 0), 0);
    assert_int_equal(decode_slots_take(s, "d", 0), -EBUSY); /* all are taken */
    decode_slots_give(s, "a");
    assert_int_equal(decode_slots_take(s, "d", 0), 0);
    decode_slots_give(s, "a");
    assert_int_equal(decode_slots_take(s, "a", 0), 0);
    decode_slots_give(s, "a");
    decode_slots_give(s, "b");
    decode_slots_give(s, "c");
    decode_slots_give(s, "d");
    decode_slots_free(s);
}

static void *give_later(void *ctx)
{
    clock_sleep_ms(50);
    decode_slots_give(ctx, "a");
    return NULL;
}

static void a_slot_is_waited_for(void **state)
{
    struct decode_slots *s = decode_slots_new(1, 1);
    pthread_t thread;
    uint64_t begin = clock_mono_ms();

    (void)state;
    assert_int_equal(decode_slots_take(s, "a", 0), 0);
    assert_int_equal(decode_slots_take(s, "b", 20), -EBUSY);
    assert_true(clock_mono_ms() - begin >= 20);
    assert_int_equal(thread_start(&thread, STACK_BYTES, give_later, s), 0);
    assert_int_equal(decode_slots_take(s, "b", 20000), 0);
    pthread_join(thread, NULL);
    assert_true(clock_mono_ms() - begin < 10000);
    decode_slots_give(s, "b");
    decode_slots_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_caller_cannot_take_all),
        cmocka_unit_test(a_slot_is_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
