/* SPDX-License-Identifier: Apache-2.0
 *
 * Both versions of cgroups, as roots made here, and this machine's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "agent/oomkills.h"
#include "base/file.h"
#include "base/mem.h"
#include "scratch.h"

static void version_1_and_its_counter(void **state)
{
    uint64_t n = 0;

    (void)state;
    scratch_put("proc/self", "cgroup", "4:memory:/docker/1\n0::/\n");
    scratch_put("proc/self", "mountinfo", "36 32 0:29 /docker/1 /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
    scratch_put("sys/fs/cgroup/memory", "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n");
    CLEANUP_FD int fd = oomkills_open(scratch_root);
    assert_true(fd >= 0);
    assert_int_equal(oomkills_read(fd, &n), 0);
    assert_int_equal(n, 4);
    scratch_put("sys/fs/cgroup/memory", "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n");
    assert_int_equal(oomkills_read(fd, &n), 0);
    assert_int_equal(n, 5);
}

static void version_2_and_its_counter(void **state)
{
    uint64_t n = 0;

    (void)state;
    scratch_put("proc/self", "cgroup", "0::/a\n");
    scratch_put("proc/self", "mountinfo", "36 32 0:29 / /cg rw - cgroup2 cgroup2 rw\n");
    scratch_put("cg/a", "memory.events", "low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\n");
    CLEANUP_FD int fd = oomkills_open(scratch_root);
    assert_int_equal(oomkills_read(fd, &n), 0);
    assert_int_equal(n, 1);
}

static void where_nothing_is_to_be_seen_nothing_is_said(void **state)
{
    uint64_t n = 77;

    (void)state;
    assert_int_equal(oomkills_open("nowhere"), -ENOENT);
    assert_int_equal(oomkills_open(scratch_root), -ENOENT);
    scratch_put("proc/self", "cgroup", "0::/a\n");
    scratch_put("proc/self", "mountinfo", "36 32 0:29 / /cg rw - cgroup2 cgroup2 rw\n");
    assert_int_equal(oomkills_open(scratch_root), -ENOENT);
    assert_int_equal(oomkills_read(-1, &n), -ENOENT);
    scratch_put("cg/a", "other", "");
    CLEANUP_FD int fd = oomkills_open(scratch_root);
    assert_true(fd >= 0);
    assert_int_equal(oomkills_read(fd, &n), -ENOENT);
    scratch_put("cg/a", "memory.events", "low 0\n");
    assert_int_equal(oomkills_read(fd, &n), -EINVAL);
    assert_int_equal(n, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(version_1_and_its_counter, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(version_2_and_its_counter, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(where_nothing_is_to_be_seen_nothing_is_said, scratch_set_up, scratch_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
