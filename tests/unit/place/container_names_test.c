/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of containers and pods by a made up /proc.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "base/mem.h"
#include "place/container_names.h"
#include "scratch.h"

#define A "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define B "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define C "00000000000000000000000000000000000000000000000000000000000000cc"
#define UID "6f1c2a3b-0000-1111-2222-333344445555"
#define POD "/kubepods/burstable/pod" UID "/"

static void put(const char *pid, const char *cgroup, const char *environment)
{
    scratch_put(pid, "cgroup", cgroup);
    scratch_put(pid, "environ", environment);
}

static int ask(const char *container_id, const char *pod_uid, struct whoami *ret)
{
    CLEANUP(container_names_done) struct container_names t = {0};

    assert_int_equal(container_names_scan(scratch_root, &t), 0);
    return container_names_find(&t, scratch_root, container_id, pod_uid, ret);
}

static void a_container_that_runs_has_names(void **state)
{
    CLEANUP(whoami_done) struct whoami w = {0};

    (void)state;
    put("10", "4:memory:/user.slice\n0::/\n", "POD_NAME=host");
    put("11", "4:memory:" POD B "\n", "POD_NAME=other");
    put("12", "4:memory:" POD A "\n0::/\n", "POD_NAME=cart-7");
    assert_int_equal(ask(A, UID, &w), 0);
    assert_string_equal(w.pod, "cart-7");
}

static void one_that_is_gone_has_its_pods(void **state)
{
    CLEANUP(whoami_done) struct whoami w = {0};

    (void)state;
    put("11", "0::" POD B "\n", "PATH=/bin"); /* the pause process */
    put("12", "0::" POD A "\n", "POD_NAME=cart-7");
    assert_int_equal(ask(C, UID, &w), 0);
    assert_string_equal(w.pod, "cart-7");
    assert_null(w.container);
}

static void a_container_without_a_pod(void **state)
{
    struct whoami w = {0};

    (void)state;
    put("11", "0::/docker/" A "\n", "PATH=/bin");
    assert_int_equal(ask(A, "", &w), -ESRCH);
    assert_int_equal(ask("", "", &w), -ESRCH);
    assert_int_equal(ask(B, UID, &w), -ESRCH);
    assert_null(w.host);
}

static void a_pid_that_is_anothers_by_now_names_nobody(void **state)
{
    CLEANUP(container_names_done) struct container_names t = {0};
    struct whoami w = {0};

    (void)state;
    put("12", "0::" POD A "\n", "POD_NAME=cart-7");
    assert_int_equal(container_names_scan(scratch_root, &t), 0);
    put("12", "0::" POD B "\n", "POD_NAME=cart-8");
    assert_int_equal(container_names_find(&t, scratch_root, A, "", &w), -ESRCH);
}

static void without_proc(void **state)
{
    struct container_names t = {0};

    (void)state;
    assert_int_equal(container_names_scan("/nonexistent", &t), -ENOSYS);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_set_up, scratch_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_container_that_runs_has_names),
        TEST(one_that_is_gone_has_its_pods),
        TEST(a_container_without_a_pod),
        TEST(a_pid_that_is_anothers_by_now_names_nobody),
        TEST(without_proc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
