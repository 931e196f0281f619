/* SPDX-License-Identifier: Apache-2.0
 *
 * The walk by hand comes to what the kernel's own openat2 comes to, also where a link leads out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "linux/open_beneath.h"
#include "scratch.h"

static int make_tree(void **state)
{
    static const char *const links[][2] = {
        {"/etc/passwd", "root/absolute"},
        {"../../../../../etc/passwd", "root/up"},
        {"a/b", "root/into"},
        {"/a", "root/a/to-root"},
        {"loop", "root/loop"},
        {"nowhere", "root/dangling"},
        {"../file", "root/a/back"},
        {"/../../..", "root/top"},
    };

    if (scratch_set_up(state) < 0)
        return -1;
    scratch_put("root/a/b", "deep", "deep");
    scratch_put("root", "file", "file");
    scratch_put("root/etc", "passwd", "ours");
    scratch_put("outside", "secret", "secret");
    for (size_t i = 0; i < ARRAY_SIZE(links); i++)
        if (symlinkat(links[i][0], scratch_fd, links[i][1]) < 0)
            return -1;
    return 0;
}

/* What is open, or the error. */
static int64_t inode_of(int fd)
{
    struct stat st;

    if (fd < 0)
        return fd;
    assert_int_equal(fstat(fd, &st), 0);
    close(fd);
    return (int64_t)st.st_ino;
}

static void both_ways_come_to_the_same(void **state)
{
    static const char *const paths[] = {
        "/",
        ".",
        "..",
        "",
        "file",
        "/file",
        "a/b/deep",
        "//a///b/",
        "a/../file",
        "../file",
        "absolute",
        "up",
        "into/deep",
        "a/to-root/b/deep",
        "loop",
        "dangling",
        "nothing",
        "nothing/x",
        "file/x",
        "file/",
        "a/back",
        "top",
        "top/outside",
        "../outside",
        "a/b/../../../outside/secret",
        "a/./b/./deep",
        "into/../b/deep",
    };
    static const int flags[] = {O_RDONLY, O_PATH, O_RDONLY | O_NOFOLLOW, O_PATH | O_NOFOLLOW, O_RDONLY | O_DIRECTORY};
    CLEANUP_FD int base = openat(scratch_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
        for (size_t f = 0; f < ARRAY_SIZE(flags); f++) {
            int64_t by_kernel = inode_of(open_beneath(base, paths[i], flags[f], 0));
            int64_t by_hand = inode_of(open_beneath_walk(base, paths[i], flags[f], 0));

            if (by_kernel != by_hand)
                fail_msg("%s, flags %o: %lld, and by hand %lld", paths[i], (unsigned)flags[f], (long long)by_kernel,
                         (long long)by_hand);
        }
}

static void a_new_file_is_made_inside(void **state)
{
    CLEANUP_FD int base = openat(scratch_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
    CLEANUP_FD int made = open_beneath_walk(base, "into/new", O_WRONLY | O_CREAT | O_EXCL, 0600);
    struct stat st;

    (void)state;
    assert_true(made >= 0);
    assert_int_equal(fstatat(scratch_fd, "root/a/b/new", &st, 0), 0);
    assert_int_equal(open_beneath_walk(base, "into/new", O_WRONLY | O_CREAT | O_EXCL, 0600), -EEXIST);
    assert_int_equal(open_beneath_walk(base, "dangling", O_WRONLY | O_CREAT | O_EXCL, 0600), -EEXIST);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_tree, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(both_ways_come_to_the_same),
        TEST(a_new_file_is_made_inside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
