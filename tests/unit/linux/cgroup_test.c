/* SPDX-License-Identifier: Apache-2.0
 *
 * Where our memory cgroup is, as the kernels and the runtimes of this world show it; and what its files say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "linux/cgroup.h"

#define V1_MOUNT(root, point) "36 32 0:29 " root " " point " rw,nosuid master:9 - cgroup cgroup rw,memory\n"
#define OTHER_MOUNTS                                                                                                   \
    "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"                                                          \
    "33 32 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"

struct places {
    char text[256];
    bool v2;
};

static int keep(void *ctx, const struct cgroup_place *p)
{
    struct places *all = ctx;
    size_t length = strlen(all->text);

    snprintf(all->text + length, sizeof(all->text) - length, "%s%s", length ? " " : "", p->path);
    all->v2 = p->v2;
    return 0;
}

static void expect(const char *cgroup, const char *mountinfo, const char *path, bool v2)
{
    struct places all = {0};

    assert_int_equal(cgroup_each_place(cgroup, mountinfo, NULL, keep, &all), 0);
    assert_string_equal(all.text, path);
    assert_int_equal(all.v2, v2);
}

static void expect_none(const char *cgroup, const char *mountinfo)
{
    struct places all = {0};
    int r = cgroup_each_place(cgroup, mountinfo, NULL, keep, &all);

    assert_true(r == 0 || r == -ENOENT);
    assert_string_equal(all.text, "");
}

static void names_that_climb_are_below_our_own_path(void **state)
{
    static const char mounts[] = "31 23 0:26 /../.. /host rw - cgroup2 cgroup2 rw\n"
                                 "32 23 0:26 / /own rw - cgroup2 cgroup2 rw\n"
                                 "33 23 0:26 /../x /part rw - cgroup2 cgroup2 rw\n";
    static const struct {
        const char *cgroup, *home, *path;
    } rows[] = {
        {"0::/../../pods/a\n", "/kube/guard", "/host/pods/a"},      {"0::/../../pods/a\n", NULL, "/host/pods/a"},
        {"0::/../app\n", "/kube/guard", "/host/kube/app"},          {"0::/../app\n", NULL, ""},
        {"0::/in\n", "/kube/guard", "/host/kube/guard/in /own/in"}, {"0::/../../../a\n", "/kube/guard", ""},
        {"0::/../x/a\n", "/kube/guard", "/host/kube/x/a /part/a"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct places all = {0};

        assert_int_equal(cgroup_each_place(rows[i].cgroup, mounts, rows[i].home, keep, &all), 0);
        assert_string_equal(all.text, rows[i].path);
    }
    assert_int_equal(cgroup_climb("/../../a/.."), 2);
    assert_int_equal(cgroup_climb("/..a"), 0);
}

static void a_host_shows_all_of_it(void **state)
{
    (void)state;
    expect("0::/user.slice/a.scope\n", "31 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n",
           "/sys/fs/cgroup/user.slice/a.scope", true);
    expect("11:cpu,cpuacct:/x\n4:memory:/user.slice\n0::/y\n", OTHER_MOUNTS V1_MOUNT("/", "/sys/fs/cgroup/memory"),
           "/sys/fs/cgroup/memory/user.slice", false);
}

static void a_container_sees_its_own_as_the_mounts_root(void **state)
{
    (void)state;
    expect("4:memory:/docker/0123\n", OTHER_MOUNTS V1_MOUNT("/docker/0123", "/sys/fs/cgroup/memory"),
           "/sys/fs/cgroup/memory", false);
    expect("4:memory:/docker/0123/inner", V1_MOUNT("/docker/0123", "/sys/fs/cgroup/memory"),
           "/sys/fs/cgroup/memory/inner", false);
    expect("0::/", "31 23 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup rw", "/sys/fs/cgroup", true);
}

static void where_both_are_mounted_the_one_with_the_controller_counts(void **state)
{
    static const char both[] = "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n" OTHER_MOUNTS V1_MOUNT(
        "/", "/sys/fs/cgroup/memory");

    (void)state;
    expect("0::/a\n4:memory:/b\n", both, "/sys/fs/cgroup/memory/b", false);
    expect("4:memory:/b\n0::/a\n", both, "/sys/fs/cgroup/memory/b", false);
    expect("3:cpu:/c\n0::/a\n", both, "/sys/fs/cgroup/unified/a", true);
    expect("3:hugetlb,memory:/b\n0::/a\n", both, "/sys/fs/cgroup/memory/b", false);
}

static void every_mount_that_shows_it_is_told(void **state)
{
    (void)state;
    expect("0::/a/b", "1 2 3:4 / /sys/fs/cgroup rw - cgroup2 x rw\n5 2 3:4 /a /host rw - cgroup2 x rw\n",
           "/sys/fs/cgroup/a/b /host/b", true);
}

/* Readers in a namespace of their own see what is beside and above them so; nobody may be led to a folder beside the
 * mount. */
static void a_cgroup_beside_our_namespace_has_a_name_with_dots(void **state)
{
    static const char own[] = "31 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
    static const char app[] = "31 23 0:26 /../app /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";

    (void)state;
    expect_none("0::/../app\n", own);
    expect("0::/../app\n", app, "/sys/fs/cgroup", true);
    expect("0::/../app/inner\n", app, "/sys/fs/cgroup/inner", true);
    expect("0::/..app/x..\n", own, "/sys/fs/cgroup/..app/x..", true);
    expect_none("0::/../../b/..\n",
                "31 23 0:26 /../.. /host rw - cgroup2 cgroup2 rw\n1 2 3:4 /../../b /h rw - cgroup2 x rw");
}

static void blanks_are_written_in_octal(void **state)
{
    (void)state;
    expect("0::/a b", "31 23 0:26 /a\\040b /mnt/c\\134\\011d rw - cgroup2 x rw", "/mnt/c\\\td", true);
}

static void what_is_not_mounted_is_not_there(void **state)
{
    (void)state;
    expect_none("", V1_MOUNT("/", "/sys"));
    expect_none("4:memory:/docker/1\n", OTHER_MOUNTS);
    expect_none("4:memory:/docker/1\n", V1_MOUNT("/docker/12", "/sys"));
    expect_none("4:memory:/docker/12\n", V1_MOUNT("/docker/1", "/sys"));
    expect_none("0::/../other\n", "31 23 0:26 /../.. /sys/fs/cgroup rw - cgroup2 cgroup rw");
    expect_none("4:memory\n5\n::\n", V1_MOUNT("/", "/sys"));
    expect_none("4:memory:/", "1 2 3:4 / /p - cgroup\n1 2 - cgroup c rw,memory\n\n - \n"
                              "1 2 3:4 / /p rw - cgroup c rw,memoryx\n1 2 3:4 / /p rw - fuse c rw,memory\n");
}

static void events_are_counted_in_either_file(void **state)
{
    struct cgroup_events e = {0};

    (void)state;
    assert_int_equal(cgroup_events("oom_kill_disable 1\nunder_oom 1\noom_kill 3\n", &e), 0);
    assert_int_equal(e.oom_kill, 3);
    assert_int_equal(e.oom_kill_disable, 1);
    assert_int_equal(e.under_oom, 1);
    assert_int_equal(e.oom, 0);
    assert_int_equal(cgroup_events("low 1\nhigh 2\nmax 9\noom 5\noom_kill 18446744073709551615\noom_group_kill 4", &e),
                     0);
    assert_true(e.oom_kill == UINT64_MAX);
    assert_int_equal(e.low, 1);
    assert_int_equal(e.high, 2);
    assert_int_equal(e.max, 9);
    assert_int_equal(e.oom, 5);
    assert_int_equal(e.oom_group_kill, 4);
    assert_int_equal(e.under_oom, 0);
}

static void a_kernel_that_does_not_count_is_told(void **state)
{
    static const char *const texts[] = {"",
                                        "oom_kill_disable 0\nunder_oom 0\n",
                                        "oom_kill \n",
                                        "oom_kill x\n",
                                        "oom_kill -1\n",
                                        "oom_kill 99999999999999999999\n",
                                        "oom_kill"};
    struct cgroup_events e = {.oom_kill = 77};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        assert_int_equal(cgroup_events(texts[i], &e), -EINVAL);
    assert_int_equal(e.oom_kill, 77);
}

static void a_counter_is_found_by_its_whole_name(void **state)
{
    static const char stat[] = "cache 1\ninactive_file 22\ntotal_inactive_file 333\n";
    uint64_t n = 77;

    (void)state;
    assert_int_equal(cgroup_counter(stat, "inactive_file", &n), 0);
    assert_int_equal(n, 22);
    assert_int_equal(cgroup_counter(stat, "total_inactive_file", &n), 0);
    assert_int_equal(n, 333);
    assert_int_equal(cgroup_counter(stat, "file", &n), -EINVAL);
    assert_int_equal(cgroup_counter(stat, "inactive", &n), -EINVAL);
}

static void no_limit_is_said_in_two_ways(void **state)
{
    static const char *const bad[] = {"", "\n", "maximal", "-1\n", "12k\n", "99999999999999999999\n"};
    uint64_t n = 77;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(cgroup_bytes(bad[i], &n), -EINVAL);
    assert_int_equal(n, 77);
    assert_int_equal(cgroup_bytes("67108864\n", &n), 0);
    assert_int_equal(n, 67108864);
    assert_int_equal(cgroup_bytes("max\n", &n), 0);
    assert_true(n == UINT64_MAX);
    n = 0;
    assert_int_equal(cgroup_bytes("9223372036854771712\n", &n), 0);
    assert_true(n == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_shows_all_of_it),
        cmocka_unit_test(names_that_climb_are_below_our_own_path),
        cmocka_unit_test(a_container_sees_its_own_as_the_mounts_root),
        cmocka_unit_test(where_both_are_mounted_the_one_with_the_controller_counts),
        cmocka_unit_test(blanks_are_written_in_octal),
        cmocka_unit_test(what_is_not_mounted_is_not_there),
        cmocka_unit_test(every_mount_that_shows_it_is_told),
        cmocka_unit_test(a_cgroup_beside_our_namespace_has_a_name_with_dots),
        cmocka_unit_test(events_are_counted_in_either_file),
        cmocka_unit_test(a_kernel_that_does_not_count_is_told),
        cmocka_unit_test(a_counter_is_found_by_its_whole_name),
        cmocka_unit_test(no_limit_is_said_in_two_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
