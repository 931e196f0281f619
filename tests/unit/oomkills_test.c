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

static char root[] = "oomkills_test.XXXXXX";
static int rootfd;

static int set_up(void **state)
{
    (void)state;
    memset(root + sizeof(root) - 7, 'X', 6);
    if (!mkdtemp(root))
        return -1;
    rootfd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return rootfd < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    close(rootfd);
    return file_remove_tree(AT_FDCWD, root);
}

static void put(const char *folder, const char *name, const char *text)
{
    assert_int_equal(file_mkdirs(rootfd, folder, 0755), 0);
    CLEANUP_FD int fd = openat(rootfd, folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    CLEANUP_FD int file = openat(fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(file >= 0);
    assert_int_equal(file_write(file, text, strlen(text)), 0);
}

static void version_1_and_its_counter(void **state)
{
    uint64_t n = 0;

    (void)state;
    put("proc/self", "cgroup", "4:memory:/docker/1\n0::/\n");
    put("proc/self", "mountinfo", "36 32 0:29 /docker/1 /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
    put("sys/fs/cgroup/memory", "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n");
    CLEANUP_FD int fd = oomkills_open(root);
    assert_true(fd >= 0);
    assert_int_equal(oomkills_read(fd, &n), 0);
    assert_int_equal(n, 4);
    put("sys/fs/cgroup/memory", "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n");
    assert_int_equal(oomkills_read(fd, &n), 0);
    assert_int_equal(n, 5);
}

static void version_2_and_its_counter(void **state)
{
    uint64_t n = 0;

    (void)state;
    put("proc/self", "cgroup", "0::/a\n");
    put("proc/self", "mountinfo", "36 32 0:29 / /cg rw - cgroup2 cgroup2 rw\n");
    put("cg/a", "memory.events", "low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\n");
    CLEANUP_FD int fd = oomkills_open(root);
    assert_int_equal(oomkills_read(fd, &n), 0);
    assert_int_equal(n, 1);
}

static void where_nothing_is_to_be_seen_nothing_is_said(void **state)
{
    uint64_t n = 77;

    (void)state;
    assert_int_equal(oomkills_open("nowhere"), -ENOENT);
    assert_int_equal(oomkills_open(root), -ENOENT);
    put("proc/self", "cgroup", "0::/a\n");
    put("proc/self", "mountinfo", "36 32 0:29 / /cg rw - cgroup2 cgroup2 rw\n");
    assert_int_equal(oomkills_open(root), -ENOENT);
    assert_int_equal(oomkills_read(-1, &n), -ENOENT);
    put("cg/a", "other", "");
    CLEANUP_FD int fd = oomkills_open(root);
    assert_true(fd >= 0);
    assert_int_equal(oomkills_read(fd, &n), -ENOENT);
    put("cg/a", "memory.events", "low 0\n");
    assert_int_equal(oomkills_read(fd, &n), -EINVAL);
    assert_int_equal(n, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(version_1_and_its_counter, set_up, tear_down),
        cmocka_unit_test_setup_teardown(version_2_and_its_counter, set_up, tear_down),
        cmocka_unit_test_setup_teardown(where_nothing_is_to_be_seen_nothing_is_said, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
