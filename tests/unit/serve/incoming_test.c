/* SPDX-License-Identifier: Apache-2.0
 *
 * Objects on their way into a root: what can be seen when, and what is never written over.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "scratch.h"
#include "serve/incoming.h"

static struct uploads *uploads;

static int set_up_with(const struct upload_config *config, void **state)
{
    struct err e;

    return scratch_set_up(state) < 0 ? -1 : uploads_open(config, scratch_fd, &uploads, &e);
}

static int set_up(void **state)
{
    return set_up_with(&(struct upload_config){0}, state);
}

static int tear_down(void **state)
{
    uploads_close(uploads);
    return scratch_tear_down(state);
}

static struct incoming begin(const char *text)
{
    struct incoming in;
    struct err e = {0};

    if (incoming_new(uploads, &(struct upload_asked){.namespace = "shop"}, &in, &e) < 0)
        fail_msg("%s", e.msg);
    assert_int_equal(incoming_write(&in, text, strlen(text), &e), 0);
    return in;
}

static int store(const char *key, const char *text, bool replace, enum incoming_end *end)
{
    struct incoming in = begin(text);
    struct err e = {0};
    int r = incoming_commit(&in, &(struct incoming_target){key, replace}, end, &e);

    assert_true(r == 0 || e.msg[0]);
    incoming_done(&in, true);
    return r;
}

static void assert_is(const char *key, const char *text)
{
    CLEANUP(buf_done) struct buf is = {0};

    if (file_load(scratch_fd, key, &is) < 0)
        fail_msg("there is no %s", key);
    assert_string_equal(buf_text(&is), text);
}

static unsigned files_in(const char *folder)
{
    CLEANUP_DIR DIR *dir = file_opendir(scratch_fd, folder);
    unsigned count = 0;

    for (const struct dirent *entry; dir && (entry = readdir(dir));)
        count += entry->d_name[0] != '.';
    return count;
}

static void an_object_is_seen_when_it_is_whole(void **state)
{
    struct incoming in = begin("half");
    enum incoming_end end;
    uint64_t size = 0;
    struct stat st;
    struct err e;

    (void)state;
    assert_int_equal(incoming_there(uploads, "shop/cart/x", &size), 0);
    assert_int_equal(files_in("shop"), 0);
    assert_int_equal(incoming_write(&in, " and half", 9, &e), 0);
    assert_int_equal(incoming_commit(&in, &(struct incoming_target){"shop/cart/x", false}, &end, &e), 0);
    assert_int_equal(end, INCOMING_STORED);
    incoming_done(&in, true);
    assert_is("shop/cart/x", "half and half");
    assert_int_equal(incoming_there(uploads, "shop/cart/x", &size), 1);
    assert_int_equal(size, 13);
    assert_int_equal(files_in(".salvage/uploads"), 0);
    assert_int_equal(fstatat(scratch_fd, "shop/cart/x", &st, 0), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(fstatat(scratch_fd, "shop", &st, 0), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
}

static void an_upload_that_ends_early_leaves_nothing(void **state)
{
    struct incoming in = begin("half");

    (void)state;
    assert_int_equal(files_in(".salvage/uploads"), 1);
    incoming_done(&in, true);
    assert_int_equal(files_in(".salvage/uploads"), 0);
}

static void what_is_there_is_replaced_only_on_request(void **state)
{
    enum incoming_end end;

    (void)state;
    assert_int_equal(store("shop/x", "first", false, &end), 0);
    assert_int_equal(store("shop/x", "other", false, &end), -FAULT_EXISTS);
    assert_int_equal(store("shop/x", "longer than", false, &end), -FAULT_EXISTS);
    assert_is("shop/x", "first");
    assert_int_equal(store("shop/x", "first", false, &end), 0);
    assert_int_equal(end, INCOMING_THERE);
    assert_int_equal(store("shop/x", "other", true, &end), 0);
    assert_int_equal(end, INCOMING_REPLACED);
    assert_is("shop/x", "other");
    assert_int_equal(files_in(".salvage/uploads"), 0);
}

static void folders_and_objects_do_not_mix(void **state)
{
    enum incoming_end end;
    uint64_t size;

    (void)state;
    assert_int_equal(store("shop/x", "object", false, &end), 0);
    assert_int_equal(store("shop/x/y", "below an object", false, &end), -FAULT_REFUSED);
    assert_int_equal(store("shop", "over a folder", false, &end), -FAULT_REFUSED);
    assert_int_equal(store("shop", "over a folder", true, &end), -FAULT_REFUSED);
    assert_int_equal(incoming_there(uploads, "shop", &size), -EISDIR);
    assert_int_equal(incoming_there(uploads, "shop/x/y", &size), -ENOTDIR);
    assert_is("shop/x", "object");
}

static void no_link_leads_out(void **state)
{
    enum incoming_end end;
    struct stat st;
    uint64_t size;

    (void)state;
    assert_int_equal(mkdirat(scratch_fd, "inside", 0755), 0);
    scratch_put("outside", "file", "outside");
    assert_int_equal(symlinkat("../outside", scratch_fd, "inside/link"), 0);
    assert_int_equal(symlinkat("../outside/file", scratch_fd, "inside/name"), 0);
    assert_int_equal(store("inside/link/x", "text", false, &end), -FAULT_REFUSED);
    assert_true(store("inside/name", "text", false, &end) < 0);
    assert_int_equal(store("inside/name", "text", true, &end), 0);
    assert_true(incoming_there(uploads, "inside/link/x", &size) < 0);
    assert_int_equal(fstatat(scratch_fd, "inside/name", &st, AT_SYMLINK_NOFOLLOW), 0);
    assert_true(S_ISREG(st.st_mode));
    assert_int_equal(files_in("outside"), 1);
    assert_is("outside/file", "outside");
}

static void a_folder_that_others_can_write_to_gets_no_uploads(void **state)
{
    struct incoming in;
    struct err e;

    (void)state;
    assert_int_equal(mkdirat(scratch_fd, ".salvage", 0700), 0);
    assert_int_equal(mkdirat(scratch_fd, ".salvage/uploads", 0700), 0);
    assert_int_equal(fchmodat(scratch_fd, ".salvage/uploads", 0777, 0), 0);
    assert_int_equal(incoming_new(uploads, &(struct upload_asked){.namespace = "shop"}, &in, &e), -FAULT_STATE);
}

static int set_up_small(void **state)
{
    return set_up_with(&(struct upload_config){.object_max = 10}, state);
}

static void an_object_has_a_ceiling(void **state)
{
    struct incoming in = begin("0123456789");
    struct err e;

    (void)state;
    assert_int_equal(incoming_write(&in, "x", 1, &e), -EFBIG);
    incoming_done(&in, true);
}

static void folders_are_made_one_by_one(void **state)
{
    (void)state;
    assert_int_equal(incoming_make_folder(uploads, "shop/cart"), -ENOENT);
    assert_int_equal(incoming_make_folder(uploads, "shop"), 0);
    assert_int_equal(incoming_make_folder(uploads, "shop/cart"), 0);
    assert_int_equal(incoming_make_folder(uploads, "shop/cart"), -EEXIST);
    assert_int_equal(incoming_make_folder(uploads, ".salvage"), -EACCES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_object_is_seen_when_it_is_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_upload_that_ends_early_leaves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_there_is_replaced_only_on_request, set_up, tear_down),
        cmocka_unit_test_setup_teardown(folders_and_objects_do_not_mix, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_link_leads_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_that_others_can_write_to_gets_no_uploads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_object_has_a_ceiling, set_up_small, tear_down),
        cmocka_unit_test_setup_teardown(folders_are_made_one_by_one, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
