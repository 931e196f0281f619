/* SPDX-License-Identifier: Apache-2.0
 *
 * How many processors there are by cgroups: v2 and v1, the least of all levels, and nothing where nothing is said.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "linux/cpulimit.h"
#include "scratch.h"

static void the_least_of_all_levels_counts(void **state)
{
    (void)state;
    scratch_put("proc/self", "cgroup", "0::/kubepods/pod1/app\n");
    scratch_put("sys/fs/cgroup/kubepods/pod1/app", "cpu.max", "max 100000\n");
    assert_int_equal(cpulimit_get(scratch_root), 0);
    scratch_put("sys/fs/cgroup/kubepods", "cpu.max", "800000 100000\n");
    assert_int_equal(cpulimit_get(scratch_root), 8000);
    scratch_put("sys/fs/cgroup/kubepods/pod1", "cpu.max", "250000 100000\n");
    assert_int_equal(cpulimit_get(scratch_root), 2500);
    scratch_put("sys/fs/cgroup/kubepods/pod1/app", "cpu.max", "50000 100000\n");
    assert_int_equal(cpulimit_get(scratch_root), 500);
}

static void in_a_namespace_the_root_is_ours(void **state)
{
    (void)state;
    scratch_put("proc/self", "cgroup", "0::/\n");
    scratch_put("sys/fs/cgroup", "cpu.max", "200000 100000\n");
    assert_int_equal(cpulimit_get(scratch_root), 2000);
}

static void version_1_has_two_files(void **state)
{
    (void)state;
    scratch_put("proc/self", "cgroup", "5:memory:/a\n4:cpu,cpuacct:/a\n");
    scratch_put("sys/fs/cgroup/cpu/a", "cpu.cfs_quota_us", "-1\n");
    scratch_put("sys/fs/cgroup/cpu/a", "cpu.cfs_period_us", "100000\n");
    assert_int_equal(cpulimit_get(scratch_root), 0);
    scratch_put("sys/fs/cgroup/cpu/a", "cpu.cfs_quota_us", "150000\n");
    assert_int_equal(cpulimit_get(scratch_root), 1500);
}

static void nonsense_is_no_limit(void **state)
{
    (void)state;
    assert_int_equal(cpulimit_get("cpulimit_test.is-not-there"), 0);
    scratch_put("proc/self", "cgroup", "0::/x\nrubbish\n::\n");
    scratch_put("sys/fs/cgroup/x", "cpu.max", "0 0\n");
    assert_int_equal(cpulimit_get(scratch_root), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_least_of_all_levels_counts),
        TEST(in_a_namespace_the_root_is_ours),
        TEST(version_1_has_two_files),
        TEST(nonsense_is_no_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
