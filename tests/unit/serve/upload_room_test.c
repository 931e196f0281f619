/* SPDX-License-Identifier: Apache-2.0
 *
 * The room on a root's disk: quotas, the reserve, and what uploads under way have claimed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"
#include "serve/upload_room.h"

enum { MIB = 1024 * 1024 };

static uint64_t disk_free;

static int fake_space(int fd, uint64_t *ret_size, uint64_t *ret_free)
{
    (void)fd;
    *ret_size = UINT64_C(1000) * MIB;
    *ret_free = disk_free;
    return 0;
}

static int set_up(void **state)
{
    disk_free = UINT64_C(100) * MIB;
    return scratch_set_up(state);
}

static struct upload_claim claim_of(struct upload_room *m, const char *namespace, uint64_t size, int wanted)
{
    struct upload_claim c = {0};
    struct err e = {0};
    int r = upload_room_claim(m, &(struct upload_asked){.namespace = namespace, .size = size}, &c, &e);

    if (r != wanted)
        fail_msg("%d instead of %d: %s", r, wanted, e.msg);
    assert_true(r == 0 ? c.tenant != NULL : c.tenant == NULL && e.msg[0]);
    return c;
}

static void the_reserve_stays_free(void **state)
{
    const struct upload_room_config bytes = {.space = fake_space, .reserve = 30 * MIB},
                                    part = {.space = fake_space, .reserve_permille = 90};
    struct upload_room *m = upload_room_new(&bytes, scratch_fd), *n = upload_room_new(&part, scratch_fd);
    struct upload_claim c;

    (void)state;
    claim_of(m, "shop", 71 * MIB, -FAULT_FULL);
    c = claim_of(m, "shop", 70 * MIB, 0);
    claim_of(m, "pay", 1, -FAULT_FULL);
    upload_room_release(m, &c, false);
    c = claim_of(m, "pay", 1, 0);
    upload_room_release(m, &c, false);
    claim_of(n, "shop", 11 * MIB, -FAULT_FULL); /* 9 % of 1000 MiB stay free */
    c = claim_of(n, "shop", 9 * MIB, 0);
    upload_room_release(n, &c, false);
    upload_room_free(m);
    upload_room_free(n);
}

static void what_is_promised_is_not_given_twice(void **state)
{
    struct upload_room *m = upload_room_new(&(struct upload_room_config){.space = fake_space}, scratch_fd);
    struct upload_claim a = claim_of(m, "shop", 60 * MIB, 0), b;
    struct err e;

    (void)state;
    claim_of(m, "shop", 60 * MIB, -FAULT_FULL);
    /* what is written is no longer promised: it shows in the disk's free space */
    assert_int_equal(upload_room_write(m, &a, 50 * MIB, &e), 0);
    disk_free -= 50 * MIB;
    claim_of(m, "shop", 41 * MIB, -FAULT_FULL);
    b = claim_of(m, "shop", 40 * MIB, 0);
    upload_room_release(m, &a, true);
    upload_room_release(m, &b, false);
    upload_room_free(m);
}

static void an_upload_of_unknown_size_ends_where_the_room_does(void **state)
{
    struct upload_room *m =
        upload_room_new(&(struct upload_room_config){.space = fake_space, .reserve = 10 * MIB}, scratch_fd);
    struct upload_claim c = claim_of(m, "shop", 0, 0);
    uint64_t written = 0;
    struct err e = {0};
    int r;

    (void)state;
    while ((r = upload_room_write(m, &c, MIB, &e)) == 0) {
        written += MIB;
        disk_free -= MIB;
    }
    assert_int_equal(r, -FAULT_FULL);
    assert_true(written >= 64 * MIB && disk_free >= 10 * MIB);
    upload_room_release(m, &c, false);
    upload_room_free(m);
}

static void others_who_fill_the_disk_end_an_upload_too(void **state)
{
    struct upload_room *m =
        upload_room_new(&(struct upload_room_config){.space = fake_space, .reserve = 10 * MIB}, scratch_fd);
    struct upload_claim c = claim_of(m, "shop", 80 * MIB, 0);
    struct err e;

    (void)state;
    assert_int_equal(upload_room_write(m, &c, 17 * MIB, &e), 0);
    disk_free = 9 * MIB;
    assert_int_equal(upload_room_write(m, &c, 17 * MIB, &e), -FAULT_FULL);
    upload_room_release(m, &c, false);
    upload_room_free(m);
}

static void shares_of_namespaces(void **state)
{
    char shop[] = "shop", each[] = "*";
    struct upload_quota quotas[] = {{each, 10}, {shop, 100}};
    struct upload_room *m = upload_room_new(
        &(struct upload_room_config){.space = fake_space, .quotas = quotas, .quota_count = 2}, scratch_fd);
    struct upload_claim c, d;

    (void)state;
    scratch_put("shop/cart", "a", "0123456789");
    scratch_put("shop", "b", "0123456789");
    scratch_put(".", "free", "01234");
    claim_of(m, "shop", 81, -FAULT_FULL);
    c = claim_of(m, "shop", 80, 0);
    claim_of(m, "shop", 1, -FAULT_FULL);
    upload_room_release(m, &c, false);
    claim_of(m, "pay", 11, -FAULT_FULL);
    d = claim_of(m, "pay", 10, 0);
    upload_room_release(m, &d, false);
    claim_of(m, "", 6, -FAULT_FULL); /* the root's own files count, those of namespaces don't */
    d = claim_of(m, "", 5, 0);
    upload_room_release(m, &d, false);
    upload_room_free(m);
}

static void what_is_stored_counts_and_what_is_removed_does_not(void **state)
{
    char each[] = "*";
    struct upload_quota quotas[] = {{each, 20}};
    struct upload_room *m = upload_room_new(
        &(struct upload_room_config){.space = fake_space, .quotas = quotas, .quota_count = 1}, scratch_fd);
    struct upload_claim c = claim_of(m, "shop", 15, 0);
    struct err e;

    (void)state;
    assert_int_equal(upload_room_write(m, &c, 15, &e), 0);
    upload_room_release(m, &c, true);
    claim_of(m, "shop", 6, -FAULT_FULL);
    upload_room_forget(m, "pay");
    claim_of(m, "shop", 6, -FAULT_FULL);
    upload_room_forget(m, "shop"); /* counted again, by the folder, which is empty */
    c = claim_of(m, "shop", 20, 0);
    upload_room_release(m, &c, false);
    upload_room_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_reserve_stays_free, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(what_is_promised_is_not_given_twice, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(an_upload_of_unknown_size_ends_where_the_room_does, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(others_who_fill_the_disk_end_an_upload_too, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(shares_of_namespaces, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(what_is_stored_counts_and_what_is_removed_does_not, set_up, scratch_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
