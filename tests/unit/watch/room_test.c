/* SPDX-License-Identifier: Apache-2.0
 *
 * How much room there is, by the limits that are known; which dumps are of one series.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fault.h"
#include "base/mem.h"
#include "watch/retain.h"

#define MB (1ull << 20)
#define GB (1ull << 30)

static void assert_room(struct room room, enum room_by by, uint64_t bytes, uint64_t of)
{
    assert_string_equal(room_by_name(room.by), room_by_name(by));
    assert_true(room.bytes == bytes);
    assert_true(room.of == of);
}

static void without_a_limit_there_is_none(void **state)
{
    (void)state;
    assert_room(room_of(&(struct retention){0}, true, GB, MB, 0), ROOM_UNLIMITED, UINT64_MAX, 0);
    assert_room(room_of(&(struct retention){.volume_limit = GB}, false, GB, MB, 0), ROOM_UNLIMITED, UINT64_MAX, 0);
}

static void what_is_given_in_bytes_counts_alone(void **state)
{
    (void)state;
    assert_room(room_of(&(struct retention){.bytes = 20 * GB, .volume_limit = GB}, true, GB, MB, 0), ROOM_BYTES,
                20 * GB, 20 * GB);
}

static void of_a_limit_of_the_kubelet_40_percent(void **state)
{
    const struct retention r = {.automatic = true, .volume_limit = 100 * MB};

    (void)state;
    assert_room(room_of(&r, false, 1000 * GB, 500 * GB, 0), ROOM_LIMIT, 40 * MB, 100 * MB);
    assert_room(room_of(&r, false, 0, 0, 0), ROOM_LIMIT, 40 * MB, 100 * MB);
}

static void the_smaller_limit_counts(void **state)
{
    const struct retention r = {.automatic = true, .volume_limit = 2000 * MB, .ephemeral_storage = 1000 * MB};
    const struct retention s = {.automatic = true, .volume_limit = 1000 * MB, .ephemeral_storage = 2000 * MB};

    (void)state;
    assert_room(room_of(&r, false, GB, GB, 0), ROOM_EPHEMERAL, 400 * MB, 1000 * MB);
    assert_room(room_of(&s, false, GB, GB, 0), ROOM_LIMIT, 400 * MB, 1000 * MB);
}

static void a_volume_of_its_own_has_a_size_and_is_no_ephemeral_storage(void **state)
{
    const struct retention none = {.automatic = true};
    const struct retention r = {.automatic = true, .volume_limit = 2000 * MB, .ephemeral_storage = 10 * MB};

    (void)state;
    assert_room(room_of(&none, true, 1000 * MB, 10 * MB, 0), ROOM_SIZE, 400 * MB, 1000 * MB);
    assert_room(room_of(&r, true, 1000 * MB, 10 * MB, 0), ROOM_SIZE, 400 * MB, 1000 * MB);
    assert_room(room_of(&r, true, 4000 * MB, 10 * MB, 0), ROOM_LIMIT, 800 * MB, 2000 * MB);
}

static void of_a_disk_a_quarter_of_what_would_be_free_without_us(void **state)
{
    const struct retention r = {.automatic = true};

    (void)state;
    assert_room(room_of(&r, false, 1000 * GB, 100 * GB, 0), ROOM_FREE, 25 * GB, 100 * GB);
    assert_room(room_of(&r, false, 1000 * GB, 80 * GB, 20 * GB), ROOM_FREE, 25 * GB, 100 * GB);
    assert_room(room_of(&r, false, 1000 * GB, 0, 0), ROOM_FREE, 1, 1);
    assert_room(room_of(&r, false, 0, 0, 0), ROOM_UNLIMITED, UINT64_MAX, 0);
}

static void how_much_is_said_as_a_size_or_a_word(void **state)
{
    const char *const bad[] = {"", "much", "-1", "AUTO", "1Q"};
    struct retention r = {0};
    struct err e;

    (void)state;
    assert_int_equal(retention_set_bytes(&r, "auto", &e), 0);
    assert_true(r.automatic && r.bytes == 0);
    assert_int_equal(retention_set_bytes(&r, "20G", &e), 0);
    assert_true(!r.automatic && r.bytes == 20 * GB);
    assert_int_equal(retention_set_bytes(&r, "none", &e), 0);
    assert_true(!r.automatic && r.bytes == 0);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(retention_set_bytes(&r, bad[i], &e), -FAULT_USAGE);
}

static void mounts_that_are_volumes_of_their_own(void **state)
{
    (void)state;
    assert_true(volume_is_own_mount("/", "/dumps", "ext4"));
    assert_true(volume_is_own_mount("/", "/dumps", "nfs4"));
    /* An emptyDir, a hostPath, a subPath; a machine's or a container's root. */
    assert_false(volume_is_own_mount("/var/lib/kubelet/pods/1/volumes/kubernetes.io~empty-dir/d", "/dumps", "ext4"));
    assert_false(volume_is_own_mount("/", "/", "ext4"));
    assert_false(volume_is_own_mount("/", "/merged", "overlay"));
}

static uint64_t series(const char *path, const char *kind)
{
    return retain_series(&(struct claim){.path = (char *)path, .kind = kind_find(kind, NULL, "x")});
}

static void some_of_a_disk_stays_free_whoever_fills_it(void **state)
{
    const struct retention r = {.keep_free_percent = 17}, bytes = {.keep_free = 30 * GB}, none = {.bytes = GB};
    uint64_t spare;

    (void)state;
    assert_room(room_keep_free(&none, 100 * GB, GB, 0, &spare), ROOM_UNLIMITED, UINT64_MAX, 0);
    assert_room(room_keep_free(&r, 100 * GB, 50 * GB, 0, &spare), ROOM_KEEP_FREE, 33 * GB, 17 * GB);
    assert_room(room_keep_free(&bytes, 100 * GB, 50 * GB, 5 * GB, &spare), ROOM_KEEP_FREE, 25 * GB, 30 * GB);
    assert_true(spare == 35 * GB);
    /* What others take is not ours. */
    assert_room(room_keep_free(&r, 100 * GB, 10 * GB, 8 * GB, &spare), ROOM_KEEP_FREE, GB, 17 * GB);
    assert_room(room_keep_free(&r, 100 * GB, GB, 2 * GB, &spare), ROOM_KEEP_FREE, 1, 17 * GB);
    assert_true(spare == 0);
    assert_room(room_keep_free(&r, 0, 0, GB, &spare), ROOM_UNLIMITED, UINT64_MAX, 0); /* no statfs(2) */
}

static void how_much_stays_free_is_a_part_or_a_size(void **state)
{
    static const char *const bad[] = {"", "%", "100%", "1000%", "-1%", "17 %", "x", "1.5%"};
    struct retention r = {0};
    struct err e = {0};

    (void)state;
    assert_int_equal(retention_set_keep_free(&r, "17%", &e), 0);
    assert_int_equal(r.keep_free_percent, 17);
    assert_true(retention_limits_room(&r));
    assert_int_equal(retention_set_keep_free(&r, "20G", &e), 0);
    assert_true(r.keep_free_percent == 0 && r.keep_free == 20ull << 30);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (retention_set_keep_free(&r, bad[i], &e) == 0)
            fail_msg("%s", bad[i]);
    assert_int_equal(retention_set_keep_free(&r, "none", &e), 0);
    assert_false(retention_limits_room(&r));
}

/* A Deployment's pods have a folder each, and are one application; so is one that is called otherwise each time. */
static void pods_of_one_workload_are_a_series(void **state)
{
    uint64_t first = series("/dumps/shop/cart-7f9c8d6b5-x2x7q/java_pid1.hprof", "heap-dump");
    struct claim in_pod = {.path = (char *)"/k/pods/11-ab/volumes/kubernetes.io~empty-dir/d/java_pid1.hprof",
                           .kind = kind_find("heap-dump", NULL, "x"),
                           .pod = {.namespace = (char *)"shop", .pod = (char *)"cart-7f9c8d6b5-x2x7q"}},
                 other = in_pod;

    (void)state;
    assert_true(series("/dumps/shop/cart-7f9c8d6b5-zzzzz/java_pid7.hprof", "heap-dump") == first);
    assert_true(series("/dumps/shop/cart-5c4b7d6f8-bcdfg/java_pid1.hprof", "heap-dump") == first);
    assert_true(series("/dumps/shop/till-7f9c8d6b5-x2x7q/java_pid1.hprof", "heap-dump") != first);
    assert_true(series("/dumps/bank/cart-7f9c8d6b5-x2x7q/java_pid1.hprof", "heap-dump") != first);
    other.path = (char *)"/k/pods/22-cd/volumes/kubernetes.io~empty-dir/d/java_pid1.hprof";
    other.pod.pod = (char *)"cart-7f9c8d6b5-bbbbb";
    assert_true(retain_series(&other) == retain_series(&in_pod));
    other.pod.namespace = (char *)"bank";
    assert_true(retain_series(&other) != retain_series(&in_pod));
}

/* So that one of each stays as long as there is room for it. */
static void another_cause_is_another_series(void **state)
{
    struct claim a = {.path = (char *)"/d/x.hprof",
                      .kind = kind_find("heap-dump", NULL, "x"),
                      .cause = (char *)"java-oom"},
                 b = a;

    (void)state;
    assert_true(retain_series(&a) == retain_series(&b));
    b.cause = (char *)"manual";
    assert_true(retain_series(&a) != retain_series(&b));
}

static void dumps_of_one_application_are_a_series(void **state)
{
    uint64_t first = series("/dumps/java_pid1.hprof", "heap-dump");

    (void)state;
    assert_true(series("/dumps/java_pid4711.hprof", "heap-dump") == first);
    assert_true(series("/dumps/java_pid1.hprof.2", "heap-dump") != first);
    assert_true(series("/dumps/other.hprof", "heap-dump") != first);
    assert_true(series("/dumps/a/java_pid1.hprof", "heap-dump") != first);
    assert_true(series("/dumps/java_pid1.hprof", "core") != first);
    assert_true(series("/dumps/core.20260102.030405.7.0001.dmp", "core") ==
                series("/dumps/core.20261122.230415.12345.0002.dmp", "core"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_limit_there_is_none),
        cmocka_unit_test(what_is_given_in_bytes_counts_alone),
        cmocka_unit_test(of_a_limit_of_the_kubelet_40_percent),
        cmocka_unit_test(the_smaller_limit_counts),
        cmocka_unit_test(a_volume_of_its_own_has_a_size_and_is_no_ephemeral_storage),
        cmocka_unit_test(of_a_disk_a_quarter_of_what_would_be_free_without_us),
        cmocka_unit_test(how_much_is_said_as_a_size_or_a_word),
        cmocka_unit_test(mounts_that_are_volumes_of_their_own),
        cmocka_unit_test(dumps_of_one_application_are_a_series),
        cmocka_unit_test(some_of_a_disk_stays_free_whoever_fills_it),
        cmocka_unit_test(how_much_stays_free_is_a_part_or_a_size),
        cmocka_unit_test(pods_of_one_workload_are_a_series),
        cmocka_unit_test(another_cause_is_another_series),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
