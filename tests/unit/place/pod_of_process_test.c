/* SPDX-License-Identifier: Apache-2.0
 *
 * What a process says of its pod counts less than its cgroup and the kubelet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../scratch.h"
#include "place/pod_of_process.h"

#define UID "0a1b2c3d-0000-4000-8000-000000000001"

static char logs[64];

static int process(const char *cgroup)
{
    int fd;

    scratch_put("7", "cgroup", cgroup);
    scratch_put("7", "mountinfo",
                "1 2 8:1 /var/lib/kubelet/pods/" UID "/containers/app/0a1b2c3d /dev/termination-log rw - ext4 x rw\n");
    assert_int_equal(file_mkdirs(scratch_fd, "logs/shop_cart-1_" UID, 0755), 0);
    snprintf(logs, sizeof(logs), "%s/logs", scratch_root);
    fd = openat(scratch_fd, "7", O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void a_pod_cannot_pose_as_another(void **state)
{
    CLEANUP_FD int fd = process("0::/kubepods/burstable/pod" UID "/x\n");
    CLEANUP(whoami_done) struct whoami w = {.namespace = strdup("victim"), .pod = strdup("victim-0")};

    (void)state;
    assert_int_equal(pod_of_process(logs, fd, &w), 0);
    assert_string_equal(w.namespace, "shop");
    assert_string_equal(w.pod, "cart-1");
    assert_string_equal(w.pod_uid, UID);
    assert_string_equal(w.container, "app");
}

static void what_is_in_no_pod_stays_as_it_is(void **state)
{
    CLEANUP_FD int fd = process("0::/system.slice/cron.service\n");
    CLEANUP(whoami_done) struct whoami w = {.namespace = strdup("a")};

    (void)state;
    assert_int_equal(pod_of_process(logs, fd, &w), -ENOENT);
    assert_int_equal(pod_of_process("/nowhere", fd, &w), -ENOENT);
    assert_string_equal(w.namespace, "a");
    assert_null(w.pod);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_pod_cannot_pose_as_another, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(what_is_in_no_pod_stays_as_it_is, scratch_set_up, scratch_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
