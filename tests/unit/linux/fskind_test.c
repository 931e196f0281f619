/* SPDX-License-Identifier: Apache-2.0
 *
 * Which file systems count as network ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>

#include "base/mem.h"
#include "linux/fskind.h"

static void check(uint64_t magic, bool network, const char *name)
{
    struct fskind k = fskind_of_magic(magic);

    assert_int_equal(k.network, network);
    assert_string_equal(k.name, name);
}

static void network_file_systems_are_known(void **state)
{
    (void)state;
    check(NFS_SUPER_MAGIC, true, "nfs");
    check(0xFF534D42, true, "cifs");
    check(0xFE534D42, true, "smb2");
    check(0x00C36400, true, "ceph");
    check(V9FS_MAGIC, true, "9p");
    check(0x65735546, true, "fuse");
    check(AFS_SUPER_MAGIC, true, "afs");
    check(0x01161970, true, "gfs2");
    check(OCFS2_SUPER_MAGIC, true, "ocfs2");
    check(0x0BD00BD0, true, "lustre");
}

static void file_systems_of_this_machine_are_local(void **state)
{
    (void)state;
    check(EXT4_SUPER_MAGIC, false, "local");
    check(XFS_SUPER_MAGIC, false, "local");
    check(BTRFS_SUPER_MAGIC, false, "local");
    check(TMPFS_MAGIC, false, "local");
    check(OVERLAYFS_SUPER_MAGIC, false, "local");
    check(0x2FC12FC1, false, "local"); /* zfs */
}

static void asks_the_kernel_also_by_a_path_descriptor(void **state)
{
    CLEANUP_FD int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct fskind k = {.network = true, .free_bytes = 1};

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(fskind_get(fd, &k), 0);
    assert_false(k.network);
    assert_string_equal(k.name, "local");
    assert_int_equal(k.free_bytes, 0); /* procfs has none */
}

static void free_room_is_told_in_bytes(void **state)
{
    CLEANUP_FD int fd = open("/dev/shm", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct fskind k = {0};

    (void)state;
    if (fd < 0)
        skip();
    assert_int_equal(fskind_get(fd, &k), 0);
    assert_true(k.free_bytes >= 4096);
    assert_int_equal(k.free_bytes % 4096, 0);
}

static void a_bad_descriptor_leaves_the_output_alone(void **state)
{
    struct fskind k = {.name = "mine"};

    (void)state;
    assert_int_equal(fskind_get(-1, &k), -EBADF);
    assert_string_equal(k.name, "mine");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(network_file_systems_are_known),
        cmocka_unit_test(file_systems_of_this_machine_are_local),
        cmocka_unit_test(asks_the_kernel_also_by_a_path_descriptor),
        cmocka_unit_test(free_room_is_told_in_bytes),
        cmocka_unit_test(a_bad_descriptor_leaves_the_output_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
