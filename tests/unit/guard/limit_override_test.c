/* SPDX-License-Identifier: Apache-2.0
 *
 * Journals of changed limits, values of settings, and what a machine can spare.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "guard/limit_journal.h"

static const char BOOT[] = "7e1ec4c6-0b52-4fc7-9a45-1de5d0f7d8aa";

static struct limit_override one(void)
{
    struct limit_override l = {.target = "process 7", .hold_until_ms = 4711, .count = 2};

    snprintf(l.boot, sizeof(l.boot), "%s", BOOT);
    l.setting[0] = (struct limit_override_setting){.cgroup = "/sys/fs/cgroup/memory/a",
                                                   .device = 31,
                                                   .inode = 99,
                                                   .file = LIMIT_OVERRIDE_V1_LIMIT,
                                                   .before = "1048576",
                                                   .after = "2097152",
                                                   .step = "1572864"};
    l.setting[1] = l.setting[0];
    l.setting[1].file = LIMIT_OVERRIDE_V1_OOM;
    l.setting[1].hold = true;
    snprintf(l.setting[1].before, LIMIT_OVERRIDE_VALUE_MAX, "0");
    snprintf(l.setting[1].after, LIMIT_OVERRIDE_VALUE_MAX, "1");
    l.setting[1].step[0] = '\0';
    return l;
}

static void test_what_is_written_is_read_again(void **state)
{
    CLEANUP(buf_done) struct buf text = {0};
    struct limit_override l = one(), again;

    (void)state;
    assert_int_equal(limit_override_encode(&l, &text), 0);
    assert_int_equal(limit_override_decode(text.data, text.size, &again), 0);
    assert_string_equal(again.boot, BOOT);
    assert_string_equal(again.target, "process 7");
    assert_int_equal(again.hold_until_ms, 4711);
    assert_int_equal(again.count, 2);
    for (unsigned i = 0; i < 2; i++) {
        assert_string_equal(again.setting[i].cgroup, l.setting[i].cgroup);
        assert_int_equal(again.setting[i].device, 31);
        assert_int_equal(again.setting[i].inode, 99);
        assert_int_equal(again.setting[i].file, l.setting[i].file);
        assert_string_equal(again.setting[i].before, l.setting[i].before);
        assert_string_equal(again.setting[i].after, l.setting[i].after);
        assert_string_equal(again.setting[i].step, l.setting[i].step);
        assert_int_equal(again.setting[i].hold, l.setting[i].hold);
    }
}

static void test_what_could_not_be_read_is_not_written(void **state)
{
    CLEANUP(buf_done) struct buf text = {0};

    (void)state;
#define REFUSED(change)                                                                                                \
    do {                                                                                                               \
        struct limit_override l = one();                                                                               \
        change;                                                                                                        \
        assert_int_equal(limit_override_encode(&l, &text), -EINVAL);                                                   \
    } while (0)
    REFUSED(l.boot[3] = 'x');
    REFUSED(l.boot[30] = '\0');
    REFUSED(l.count = LIMIT_OVERRIDE_SETTINGS_MAX + 1);
    REFUSED(l.hold_until_ms = 0);
    REFUSED(l.setting[0].cgroup[0] = '.');
    REFUSED(memcpy(l.setting[0].cgroup, "/sys/../x", 10));
    REFUSED(memcpy(l.setting[0].cgroup, "/sys/..", 8));
    REFUSED(memcpy(l.setting[0].cgroup, "/a\nb", 5));
    REFUSED(l.setting[0].file = LIMIT_OVERRIDE_FILES);
    REFUSED(l.setting[0].inode = UINT64_MAX);
    REFUSED(memcpy(l.setting[0].after, "max", 4)); /* v1 has no such word */
    REFUSED(memcpy(l.setting[0].before, "012", 4));
    REFUSED(memcpy(l.setting[0].step, "1 ", 3));
    REFUSED(l.setting[0].before[0] = '\0');
    REFUSED(l.setting[1].after[0] = '2'); /* oom_kill_disable is 0 or 1 */
#undef REFUSED
    assert_int_equal(text.size, 0);
}

static void test_a_journal_that_is_not_exactly_right_is_refused(void **state)
{
#define HEAD                                                                                                           \
    "{\"schema\":\"salvage.limit-override/1\",\"boot\":\"7e1ec4c6-0b52-4fc7-9a45-1de5d0f7d8aa\",\"target\":\"t\","
#define SETTING                                                                                                        \
    "{\"cgroup\":\"/c\",\"device\":1,\"inode\":2,\"before\":\"1\",\"after\":\"2\",\"step\":\"\",\"hold\":false,"
    static const char *const wrong[] = {
        "",
        "{}",
        "[]",
        HEAD "\"hold_until_ms\":0}",
        HEAD "\"hold_until_ms\":-1,\"settings\":[]}",
        HEAD "\"hold_until_ms\":0,\"settings\":{}}",
        HEAD "\"hold_until_ms\":0,\"settings\":[],\"more\":1}",
        HEAD "\"hold_until_ms\":0,\"settings\":[1]}",
        HEAD "\"hold_until_ms\":0,\"settings\":[" SETTING "\"file\":\"cgroup.procs\"}]}",
        HEAD "\"hold_until_ms\":0,\"settings\":[" SETTING "\"file\":\"../memory.max\"}]}",
        HEAD "\"hold_until_ms\":0,\"settings\":[" SETTING "\"file\":\"memory.max\",\"file\":\"memory.max\"}]}",
        HEAD "\"hold_until_ms\":0,\"settings\":[" SETTING "\"file\":\"memory.max\"}]} x",
        HEAD "\"hold_until_ms\":0,\"settings\":[" SETTING "\"file\":\"memory.max\\u0000\"}]}",
    };
    static const char right[] = HEAD "\"hold_until_ms\":0,\"settings\":[" SETTING "\"file\":\"memory.max\"}]}";
    struct limit_override l = {.count = 4711};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_int_equal(limit_override_decode(wrong[i], strlen(wrong[i]), &l), -EBADMSG);
    assert_int_equal(l.count, 4711);
    assert_int_equal(limit_override_decode(right, strlen(right), &l), 0);
    assert_int_equal(l.count, 1);
    assert_int_equal(l.setting[0].file, LIMIT_OVERRIDE_V2_MAX);
}

static void test_a_setting_says_one_value(void **state)
{
    char value[LIMIT_OVERRIDE_VALUE_MAX] = "before";

    (void)state;
    assert_int_equal(
        limit_override_value(LIMIT_OVERRIDE_V1_OOM, "oom_kill_disable 1\nunder_oom 0\noom_kill 3\n", value), 0);
    assert_string_equal(value, "1");
    assert_int_equal(limit_override_value(LIMIT_OVERRIDE_V2_HIGH, "max\n", value), 0);
    assert_string_equal(value, "max");
    assert_int_equal(limit_override_value(LIMIT_OVERRIDE_V1_LIMIT, "9223372036854771712\n", value), 0);
    assert_string_equal(value, "9223372036854771712");
    assert_int_equal(limit_override_value(LIMIT_OVERRIDE_V1_LIMIT, "max\n", value), -EINVAL);
    assert_int_equal(limit_override_value(LIMIT_OVERRIDE_V1_LIMIT, "", value), -EINVAL);
    assert_int_equal(limit_override_value(LIMIT_OVERRIDE_V1_OOM, "1\n", value), -EINVAL);
    assert_string_equal(value, "9223372036854771712");
}

static void test_a_machine_keeps_a_reserve(void **state)
{
    uint64_t bytes = 4711;

    (void)state;
    assert_int_equal(limit_override_spare("MemTotal:  1048576 kB\nMemFree: 1 kB\nMemAvailable:  524288 kB\n", &bytes),
                     0);
    assert_int_equal(bytes, (512 - 128) << 20);
    assert_int_equal(limit_override_spare("MemTotal: 104857600 kB\nMemAvailable: 10485760 kB\n", &bytes), 0);
    assert_int_equal(bytes, UINT64_C(5) << 30);
    assert_int_equal(limit_override_spare("MemTotal: 104857600 kB\nMemAvailable: 1048576 kB\n", &bytes), 0);
    assert_int_equal(bytes, 0);
    bytes = 4711;
    assert_int_equal(limit_override_spare("MemTotal: 1 kB\n", &bytes), -EINVAL);
    assert_int_equal(limit_override_spare("MemTotal: 1 kB\nMemAvailable: x kB\n", &bytes), -EINVAL);
    assert_int_equal(limit_override_spare("MemTotal: 1 kB\nMemAvailable: 18446744073709551615 kB\n", &bytes), -EINVAL);
    assert_int_equal(bytes, 4711);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read_again),
        cmocka_unit_test(test_what_could_not_be_read_is_not_written),
        cmocka_unit_test(test_a_journal_that_is_not_exactly_right_is_refused),
        cmocka_unit_test(test_a_setting_says_one_value),
        cmocka_unit_test(test_a_machine_keeps_a_reserve),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
