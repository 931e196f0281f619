/* SPDX-License-Identifier: Apache-2.0
 *
 * Made up cgroups: how much more memory a process may use.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "os/memcg.h"
#include "scratch.h"

enum { MIB = 1 << 20 };

static uint64_t room(int expected)
{
    uint64_t bytes = 77;

    assert_int_equal(memcg_room(scratch_fd, &bytes), expected);
    return bytes;
}

static void v2_counts_files_that_can_be_dropped_as_free(void **state)
{
    (void)state;
    scratch_put(".", "memory.max", "67108864\n");
    scratch_put(".", "memory.current", "41943040\n");
    assert_int_equal(room(0), 24 * MIB);
    scratch_put(".", "memory.stat", "anon 20971520\nfile 20971520\ninactive_file 16777216\nactive_file 4194304\n");
    assert_int_equal(room(0), 40 * MIB);
}

static void v1_counts_the_groups_below_too(void **state)
{
    (void)state;
    scratch_put(".", "memory.limit_in_bytes", "67108864\n");
    scratch_put(".", "memory.usage_in_bytes", "41943040\n");
    scratch_put(".", "memory.stat", "inactive_file 4096\ntotal_cache 2\ntotal_inactive_file 16777216\n");
    assert_int_equal(room(0), 40 * MIB);
}

static void without_a_limit_there_is_room(void **state)
{
    (void)state;
    scratch_put(".", "memory.max", "max\n");
    scratch_put(".", "memory.current", "41943040\n");
    assert_true(room(0) == UINT64_MAX);
    scratch_put(".", "memory.max", "9223372036854771712\n");
    assert_true(room(0) == UINT64_MAX);
}

static void beyond_the_limit_there_is_none(void **state)
{
    (void)state;
    scratch_put(".", "memory.max", "4096\n");
    scratch_put(".", "memory.current", "8192\n");
    assert_int_equal(room(0), 0);
    /* The files are read one after the other, and may not agree: the limit is the most. */
    scratch_put(".", "memory.stat", "inactive_file 999999\n");
    assert_int_equal(room(0), 4096);
}

static void files_that_are_missing_or_senseless_are_told(void **state)
{
    (void)state;
    assert_int_equal(room(-ENOENT), 77);
    scratch_put(".", "memory.max", "4096\n");
    assert_int_equal(room(-ENOENT), 77);
    scratch_put(".", "memory.current", "many\n");
    assert_int_equal(room(-EINVAL), 77);
    scratch_put(".", "memory.current", "0123456789012345678901234567890123456789012345678901234567890123456789\n");
    assert_int_equal(room(-EMSGSIZE), 77);
}

/* A process of a root of its own, where the cgroup is mounted. */
static void the_folder_is_opened_as_the_process_sees_it(void **state)
{
    struct proc p = PROC_NONE;
    uint64_t bytes;
    int fd;

    (void)state;
    scratch_put("7", "cgroup", "0::/app\n");
    scratch_put("7", "mountinfo", "30 1 0:26 /app /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    scratch_put("container/sys/fs/cgroup", "memory.max", "4096\n");
    scratch_put("container/sys/fs/cgroup", "memory.current", "1024\n");
    assert_int_equal(symlinkat("../container", scratch_fd, "7/root"), 0);
    assert_int_equal(proc_open(scratch_root, 7, &p), 0);
    fd = memcg_open(&p);
    assert_true(fd >= 0);
    assert_int_equal(memcg_room(fd, &bytes), 0);
    assert_int_equal(bytes, 3072);
    close(fd);
    scratch_put("7", "mountinfo", "30 1 0:26 /other /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    assert_int_equal(memcg_open(&p), -ENOENT);
    proc_done(&p);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(v2_counts_files_that_can_be_dropped_as_free),
        TEST(v1_counts_the_groups_below_too),
        TEST(without_a_limit_there_is_room),
        TEST(beyond_the_limit_there_is_none),
        TEST(files_that_are_missing_or_senseless_are_told),
        TEST(the_folder_is_opened_as_the_process_sees_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
