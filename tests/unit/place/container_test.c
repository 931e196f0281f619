/* SPDX-License-Identifier: Apache-2.0
 *
 * The container and pod of a process, by a made up /proc/PID.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "place/container.h"
#include "scratch.h"

#define A "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define B "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define UID "6f1c2a3b-0000-1111-2222-333344445555"
#define OTHER "aaaaaaaa-0000-1111-2222-333344445555"
#define HOSTNAME_OF(id) "1 2 8:1 /docker/containers/" id "/hostname /etc/hostname rw - ext4 x rw\n"
#define LOG_OF(uid, name)                                                                                              \
    "1 2 8:1 /var/lib/kubelet/pods/" uid "/containers/" name "/0a1b2c3d /dev/termination-log rw - ext4 x rw\n"

/* Writes the two files of a process; NULL: the file is missing. */
static void put(const char *cgroup, const char *mounts)
{
    assert_int_equal(file_remove_tree(scratch_fd, "7"), 0);
    assert_int_equal(file_mkdirs(scratch_fd, "7", 0755), 0);
    if (cgroup)
        scratch_put("7", "cgroup", cgroup);
    if (mounts)
        scratch_put("7", "mountinfo", mounts);
}

static int process(void)
{
    int fd = openat(scratch_fd, "7", O_PATH | O_DIRECTORY | O_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

static void the_cgroup_names_the_container_before_the_mounts(void **state)
{
    static const struct {
        const char *cgroup, *mounts, *of_process, *of_cgroup; /* NULL: none */
    } rows[] = {
        {"0::/docker/" A "\n", HOSTNAME_OF(B), A, A},
        {"0::/\n", HOSTNAME_OF(B), B, NULL},
        {NULL, HOSTNAME_OF(B), B, NULL},
        {"0::/docker/" A "\n", NULL, A, A},
        {"0::/user.slice\n", "1 2 8:1 / / rw - ext4 x rw\n", NULL, NULL},
        {NULL, NULL, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char id[CONTAINERID_MAX] = "untouched", cheap[CONTAINERID_MAX] = "untouched";

        put(rows[i].cgroup, rows[i].mounts);
        CLEANUP_FD int fd = process();
        assert_int_equal(container_of_process(fd, id), rows[i].of_process != NULL);
        assert_int_equal(container_of_cgroup(fd, cheap), rows[i].of_cgroup != NULL);
        assert_string_equal(id, rows[i].of_process ? rows[i].of_process : "untouched");
        assert_string_equal(cheap, rows[i].of_cgroup ? rows[i].of_cgroup : "untouched");
    }
}

static void the_cgroup_names_the_pod(void **state)
{
    char uid[PODUID_MAX] = "untouched";

    (void)state;
    put("0::/docker/" A "\n", NULL);
    CLEANUP_FD int docker = process();
    assert_false(container_pod(docker, uid));
    assert_string_equal(uid, "untouched");
    put("4:memory:/kubepods/burstable/pod" UID "/" A "\n0::/\n", NULL);
    CLEANUP_FD int pod = process();
    assert_true(container_pod(pod, uid));
    assert_string_equal(uid, UID);
}

static void the_kubelets_file_names_the_container_if_it_is_of_the_same_pod(void **state)
{
    static const struct {
        const char *cgroup, *mounts, *name; /* NULL: none */
    } rows[] = {
        {"0::/kubepods/pod" UID "/" A "\n", LOG_OF(UID, "app"), "app"},
        {"0::/kubepods/pod" UID "/" A "\n", LOG_OF(OTHER, "forged"), NULL},
        {"0::/kubepods/pod" UID "/" A "\n", LOG_OF(OTHER, "forged") LOG_OF(UID, "app"), "app"},
        {"0::/kubepods/pod" UID "/" A "\n", NULL, NULL},
        {"0::/docker/" A "\n", LOG_OF(UID, "app"), NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char name[CONTAINERNAME_MAX] = "untouched";

        put(rows[i].cgroup, rows[i].mounts);
        CLEANUP_FD int fd = process();
        assert_int_equal(container_kubelet_name(fd, name), rows[i].name != NULL);
        assert_string_equal(name, rows[i].name ? rows[i].name : "untouched");
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_cgroup_names_the_container_before_the_mounts),
        TEST(the_cgroup_names_the_pod),
        TEST(the_kubelets_file_names_the_container_if_it_is_of_the_same_pod),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
