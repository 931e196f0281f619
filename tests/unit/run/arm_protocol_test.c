/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line of run-arm is read as run and its supervisor write it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "run/arm_protocol.h"

static void it_is_read_as_it_was_written(void **state)
{
    static const enum log_format logs[] = {LOG_TEXT, LOG_JSON};

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        CLEANUP(strv_done) struct strv argv = {0};
        struct run_arm_request r = {.dir = "/tmp/salvage/1", .armed = i & 1, .log = logs[i / 2]}, again;
        char group[RUN_ARM_GROUP_MAX];

        assert_int_equal(run_arm_encode(&r, &argv), 0);
        assert_string_equal(argv.item[1], "run-arm");
        assert_true(run_arm_decode((int)argv.count - 1, argv.item + 1, &again, NULL) < 0); /* without the group */
        assert_int_equal(strv_add(&argv, run_arm_encode_group(4711, group)), 0);
        assert_int_equal(run_arm_decode((int)argv.count - 1, argv.item + 1, &again, NULL), 0);
        assert_string_equal(again.dir, r.dir);
        assert_int_equal(again.armed, r.armed);
        assert_int_equal(again.log, r.log);
        assert_int_equal(again.group, 4711);
    }
}

static void a_group_is_a_number(void **state)
{
    static const char *const bad[] = {"0", "-1", "", "x", "99999999999"};
    struct run_arm_request again;

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        char *argv[] = {(char *)"run-arm", (char *)"/d", (char *)"armed", (char *)"text", (char *)bad[i], NULL};

        assert_true(run_arm_decode(5, argv, &again, NULL) < 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_read_as_it_was_written),
        cmocka_unit_test(a_group_is_a_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
