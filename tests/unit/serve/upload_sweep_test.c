/* SPDX-License-Identifier: Apache-2.0
 *
 * What a sweep of the uploads' folder takes away, and what it leaves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "scratch.h"
#include "serve/upload_sweep.h"

#define FOLDER ".salvage/uploads"
#define RECORD "{\"schema\":\"salvage.upload/1\",\"key\":\"%s\",\"owner\":\"token:ci\"}"

enum { MINUTE = 60, HOUR = 60 * MINUTE };

static struct uploads *uploads;

static int set_up(void **state)
{
    const struct upload_config config = {.abandoned_ms = UINT64_C(2) * HOUR * 1000};
    struct err e;

    if (scratch_set_up(state) < 0 || mkdirat(scratch_fd, ".salvage", 0700) < 0 || mkdirat(scratch_fd, FOLDER, 0700) < 0)
        return -1;
    return uploads_open(&config, scratch_fd, &uploads, &e);
}

static int tear_down(void **state)
{
    uploads_close(uploads);
    return scratch_tear_down(state);
}

static void put(const char *name, const char *text, int age_s)
{
    const struct timespec times[2] = {{.tv_sec = time(NULL) - age_s}, {.tv_sec = time(NULL) - age_s}};
    CLEANUP_FREE char *path = NULL;

    scratch_put(FOLDER, name, text);
    assert_true(asprintf(&path, FOLDER "/%s", name) > 0);
    assert_int_equal(utimensat(scratch_fd, path, times, 0), 0);
}

static void put_upload(const char *id, const char *key, int age_s)
{
    char name[64], record[256];

    snprintf(name, sizeof(name), "%s.part", id);
    put(name, "0123456789", age_s);
    snprintf(name, sizeof(name), "%s.sum", id);
    put(name, "x", age_s);
    snprintf(name, sizeof(name), "%s.json", id);
    snprintf(record, sizeof(record), RECORD, key);
    put(name, record, age_s);
}

static bool is_there(const char *name)
{
    CLEANUP_FREE char *path = NULL;

    assert_true(asprintf(&path, FOLDER "/%s", name) > 0);
    return faccessat(scratch_fd, path, F_OK, 0) == 0;
}

static void uploads_go_when_nobody_goes_on_with_them(void **state)
{
    (void)state;
    put_upload("old", "shop/x", 3 * HOUR);
    put_upload("young", "shop/y", HOUR);
    upload_sweep_once(uploads);
    assert_true(!is_there("old.part") && !is_there("old.json") && !is_there("old.sum"));
    assert_true(is_there("young.part") && is_there("young.json") && is_there("young.sum"));
}

static void what_a_server_that_died_has_left_goes_at_once(void **state)
{
    CLEANUP_FD int fd = -1;

    (void)state;
    scratch_put(FOLDER, ".used.tmp", "x");
    fd = openat(scratch_fd, FOLDER "/.used.tmp", O_RDONLY | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(renameat(scratch_fd, FOLDER "/.used.tmp", scratch_fd, FOLDER "/used.tmp"), 0);
    put("left.tmp", "x", 0);
    upload_sweep_once(uploads);
    assert_true(is_there("used.tmp") && !is_there("left.tmp"));
}

static void of_one_owner_the_idle_ones_go(void **state)
{
    (void)state;
    put_upload("aa1", "shop/x", 90 * MINUTE);
    put_upload("aa2", "shop/y", 30 * MINUTE);
    put_upload("bb1", "shop/z", 90 * MINUTE);
    assert_int_equal(upload_sweep_older(uploads, "aa", UINT64_C(1000) * HOUR), 1);
    assert_true(!is_there("aa1.part") && !is_there("aa1.json") && is_there("aa2.part") && is_there("bb1.part"));
}

static void what_is_locked_stays(void **state)
{
    CLEANUP_FD int fd = -1;

    (void)state;
    put_upload("used", "shop/x", HOUR);
    fd = openat(scratch_fd, FOLDER "/used.part", O_RDONLY | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    put("used.part", "0123456789", 3 * HOUR);
    upload_sweep_once(uploads);
    assert_true(is_there("used.part") && is_there("used.json"));
}

static void records_of_what_is_complete_go_after_an_hour(void **state)
{
    (void)state;
    put("young.json", "{}", 30 * MINUTE);
    put("old.json", "{}", 2 * HOUR);
    put("old.sum", "x", 2 * HOUR);
    put(".0123.tmp", "a record that was being written", 2 * HOUR);
    put(".4567.tmp", "a record that is being written", 0);
    upload_sweep_once(uploads);
    assert_true(is_there("young.json") && !is_there("old.json") && !is_there("old.sum"));
    assert_true(!is_there(".0123.tmp") && is_there(".4567.tmp"));
}

static void what_waits_counts_for_its_namespace(void **state)
{
    CLEANUP_FD int fd = -1;

    (void)state;
    put_upload("a", "shop/x", 0);
    put_upload("b", "shop/cart/y", 0);
    put_upload("c", "shopping/x", 0);
    put_upload("d", "x", 0);
    put("e.part", "nobody's", 0);
    assert_int_equal(upload_sweep_waiting(uploads, "shop"), 20);
    assert_int_equal(upload_sweep_waiting(uploads, ""), 10);
    assert_int_equal(upload_sweep_waiting(uploads, "pay"), 0);
    fd = openat(scratch_fd, FOLDER "/a.part", O_RDONLY | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX), 0); /* a request works on it, and has claimed its room */
    assert_int_equal(upload_sweep_waiting(uploads, "shop"), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(uploads_go_when_nobody_goes_on_with_them, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_server_that_died_has_left_goes_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_one_owner_the_idle_ones_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_locked_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(records_of_what_is_complete_go_after_an_hour, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_waits_counts_for_its_namespace, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
