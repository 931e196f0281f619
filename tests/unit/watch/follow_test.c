/* SPDX-License-Identifier: Apache-2.0
 *
 * Where following would take the JVM's processor time, it is not done unasked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "watch/follow.h"

static void one_processor_is_the_jvms(void **state)
{
    (void)state;
    assert_false(follow_affordable(1, 0, false));
    assert_false(follow_affordable(1, 4000, false));
    assert_true(follow_affordable(2, 0, false));
}

static void half_a_processor_does_for_a_sidecar(void **state)
{
    (void)state;
    assert_false(follow_affordable(8, 499, false));
    assert_true(follow_affordable(8, 500, false));
}

static void a_limit_that_is_shared_with_the_jvm_has_room_for_both(void **state)
{
    (void)state;
    assert_false(follow_affordable(8, 1999, true));
    assert_true(follow_affordable(8, 2000, true));
    assert_true(follow_affordable(8, 0, true));
}

static void what_is_asked_for_is_done(void **state)
{
    (void)state;
    assert_true(follow_wanted(FOLLOW_YES, true));
    assert_false(follow_wanted(FOLLOW_NO, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_processor_is_the_jvms),
        cmocka_unit_test(half_a_processor_does_for_a_sidecar),
        cmocka_unit_test(a_limit_that_is_shared_with_the_jvm_has_room_for_both),
        cmocka_unit_test(what_is_asked_for_is_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
