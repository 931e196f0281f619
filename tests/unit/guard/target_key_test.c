/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys by made up files of /proc/PID: what the kubelet and the runtimes write there, and what a container may.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "guard/target_key.h"
#include "scratch.h"

#define A "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define B "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define UID "6f1c2a3b-0000-1111-2222-333344445555"
#define SLICE_UID "6f1c2a3b_0000_1111_2222_333344445555"
#define OTHER_UID "00000000-aaaa-bbbb-cccc-333344445555"
#define POD "/kubepods/burstable/pod" UID
#define SLICE "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" SLICE_UID ".slice"
#define MOUNT(uid, name)                                                                                               \
    "36 35 98:0 /var/lib/kubelet/pods/" uid "/containers/" name "/4f0e /dev/termination-log rw - ext4 sda rw\n"
#define ROOT_MOUNT "35 1 0:40 / / rw - overlay overlay rw\n"

enum { CGROUP_BEYOND = 64 * 1024, MOUNTS_BEYOND = 4 * 1024 * 1024 };

struct key {
    char text[RULE_KEY_MAX];
};

static bool ask(const char *cgroup, const char *mounts, struct key *ret)
{
    scratch_put("p", "cgroup", cgroup);
    scratch_put("p", "mountinfo", mounts);
    CLEANUP_FD int fd = openat(scratch_fd, "p", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return target_key_of_process(fd, ret->text);
}

static struct key key_of(const char *cgroup, const char *mounts)
{
    struct key k = {0};

    assert_true(ask(cgroup, mounts, &k));
    return k;
}

/* "HEAD" and SIZE times a byte and "TAIL". malloc'ed. */
static char *repeat(const char *head, char byte, size_t size, const char *tail)
{
    char *text = malloc(strlen(head) + size + strlen(tail) + 1);

    assert_non_null(text);
    memcpy(text, head, strlen(head) + 1);
    memset(text + strlen(head), byte, size);
    memcpy(text + strlen(head) + size, tail, strlen(tail) + 1);
    return text;
}

static void a_pods_container_is_known_again_after_its_restart(void **state)
{
    (void)state;
    assert_string_equal(key_of("0::" POD "/" A "\n", ROOT_MOUNT MOUNT(UID, "cart")).text, "pod " UID " cart");
    assert_string_equal(key_of("0::" POD "/" B "\n", MOUNT(UID, "cart")).text, "pod " UID " cart");
    assert_string_equal(key_of("0::" SLICE "/cri-containerd-" B ".scope\n", MOUNT(UID, "cart")).text,
                        "pod " UID " cart");
    assert_string_equal(key_of("9:cpu:/x\n4:memory:" POD "/" B "\n0::/\n", MOUNT(UID, "cart")).text,
                        "pod " UID " cart");
    assert_string_equal(key_of("0::" POD "/" A "\n", MOUNT(UID, "side")).text, "pod " UID " side");
}

static void who_mounts_anothers_name_gets_its_own_id(void **state)
{
    (void)state;
    assert_string_equal(key_of("0::" POD "/" A "\n", MOUNT(OTHER_UID, "cart")).text, "container " A);
    assert_string_equal(key_of("0::" POD "/" A "\n", MOUNT(OTHER_UID, "cart") MOUNT(UID, "side")).text,
                        "pod " UID " side");
    assert_string_equal(key_of("0::/docker/" A "\n", MOUNT(UID, "cart")).text, "container " A);
    assert_string_equal(key_of("0::/pod" UID "/" A "\n", MOUNT(UID, "cart")).text, "container " A);
}

static void a_name_that_no_kubelet_writes_is_none(void **state)
{
    (void)state;
    assert_string_equal(key_of("0::" POD "/" A "\n", MOUNT(UID, "Cart\\040x")).text, "container " A);
    assert_string_equal(key_of("0::" POD "/" A "\n", MOUNT(UID, "cart/deeper")).text, "container " A);
    assert_string_equal(key_of("0::" POD "/" A "\n", MOUNT(UID, "")).text, "container " A);
}

static void a_container_without_a_pod_has_its_id(void **state)
{
    (void)state;
    assert_string_equal(key_of("0::/system.slice/docker-" A ".scope\n", ROOT_MOUNT).text, "container " A);
    assert_string_equal(key_of("4:memory:/docker/" A "\n0::/\n", "").text, "container " A);
    assert_string_equal(key_of("0::/docker/" A "/docker/" B "\n", "").text, "container " B);
}

static void cgroups_below_a_containers_are_told_apart(void **state)
{
    struct key whole = key_of("0::" POD "/" A "\n", MOUNT(UID, "cart"));
    struct key one = key_of("0::" POD "/" A "/one\n", MOUNT(UID, "cart"));
    struct key two = key_of("0::" POD "/" A "/two\n", MOUNT(UID, "cart"));

    (void)state;
    assert_string_not_equal(one.text, two.text);
    assert_string_not_equal(one.text, whole.text);
    assert_memory_equal(one.text, whole.text, strlen(whole.text));
    assert_string_equal(key_of("0::" POD "/" B "/one\n", MOUNT(UID, "cart")).text, one.text);
    assert_string_not_equal(key_of("0::/docker/" A "/one\n", "").text, key_of("0::/docker/" A "\n", "").text);
}

static void without_a_container_it_is_the_path(void **state)
{
    (void)state;
    assert_string_equal(key_of("0::/system.slice/db.service\n", ROOT_MOUNT).text, "cgroup /system.slice/db.service");
    assert_string_equal(key_of("0::/\n", MOUNT(UID, "cart")).text, "cgroup /");
    assert_string_equal(key_of("4:memory:/a\n0::/b\n", "").text, "cgroup /a");
}

static void long_paths_that_begin_alike_are_told_apart(void **state)
{
    CLEANUP_FREE char *one = repeat("0::/", 'x', 4000, "1\n"), *two = repeat("0::/", 'x', 4000, "2\n");
    CLEANUP_FREE char *id = repeat("0::/docker/" A "/", 'x', 4000, "\n");
    struct key k = key_of(one, "");

    (void)state;
    assert_string_not_equal(k.text, key_of(two, "").text);
    assert_string_equal(k.text, key_of(one, "").text);
    k = key_of(id, "");
    assert_memory_equal(k.text, "container " A "/", strlen("container " A "/"));
}

static void texts_that_are_cut_short(void **state)
{
    CLEANUP_FREE char *last = repeat(ROOT_MOUNT MOUNT(UID, "cart"), 'x', 5000, "");

    (void)state;
    assert_string_equal(key_of("0::/docker/" A, "").text, "container " A);
    assert_string_equal(key_of("0::" POD "/" A, "36 35 98:0 /pods/" UID "/containers/cart/1 /dev/termination-log").text,
                        "pod " UID " cart");
    assert_string_equal(key_of("0::" POD "/" A, last).text, "pod " UID " cart");
    assert_string_equal(key_of("0::" POD "/" A, "36 35 98:0 /pods/" UID "/contain").text, "container " A);
}

static void mounts_beyond_all_measure_leave_the_id(void **state)
{
    CLEANUP_FREE char *mounts = repeat(MOUNT(UID, "cart"), 'x', MOUNTS_BEYOND, "");

    (void)state;
    assert_string_equal(key_of("0::" POD "/" A "\n", mounts).text, "container " A);
}

static void mounts_that_cannot_be_read_leave_the_id(void **state)
{
    struct key k = {0};

    (void)state;
    scratch_put("p", "cgroup", "0::" POD "/" A "\n");
    CLEANUP_FD int fd = openat(scratch_fd, "p", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(target_key_of_process(fd, k.text));
    assert_string_equal(k.text, "container " A);
}

static void what_says_nothing_leaves_the_key_alone(void **state)
{
    CLEANUP_FREE char *beyond = repeat("0::/docker/" A "\n", 'x', CGROUP_BEYOND, "");
    const char *silent[] = {"", "\n", "4:cpu:/docker/" A "\n", "0::\n", "0::relative\n", "nonsense", beyond};
    struct key k = {"as it was"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(silent); i++)
        assert_false(ask(silent[i], MOUNT(UID, "cart"), &k));
    assert_false(target_key_of_process(scratch_fd, k.text)); /* no such file */
    assert_string_equal(k.text, "as it was");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_pods_container_is_known_again_after_its_restart),
        TEST(who_mounts_anothers_name_gets_its_own_id),
        TEST(a_name_that_no_kubelet_writes_is_none),
        TEST(a_container_without_a_pod_has_its_id),
        TEST(cgroups_below_a_containers_are_told_apart),
        TEST(without_a_container_it_is_the_path),
        TEST(long_paths_that_begin_alike_are_told_apart),
        TEST(texts_that_are_cut_short),
        TEST(mounts_beyond_all_measure_leave_the_id),
        TEST(mounts_that_cannot_be_read_leave_the_id),
        TEST(what_says_nothing_leaves_the_key_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
