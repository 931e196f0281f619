/* SPDX-License-Identifier: Apache-2.0
 *
 * When a file counts as complete: by the kernel's word where it has one, else at rest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "watch/settle.h"

enum { REST_MS = 100 };

static char path[64];
static int folder;

static int set_up(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "/tmp/settle_test.XXXXXX");
    if (!mkdtemp(path))
        return -1;
    folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return folder < 0;
}

static int tear_down(void **state)
{
    (void)state;
    close(folder);
    return file_remove_tree(AT_FDCWD, path);
}

static int make_file(const char *name)
{
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(file_write(fd, "x", 1), 0);
    return fd;
}

static enum settled poll_file(struct settle *s, const char *name, bool network, uint64_t now_ms)
{
    const struct settle_config c = {.machine = "m", .rest_ms = REST_MS, .network = network};
    struct settle_result l = settle_poll(s, &c, folder, name, now_ms);

    assert_int_equal(l.fd >= 0, l.state == SETTLE_COMPLETE || l.state == SETTLE_WRITTEN);
    if (l.fd >= 0)
        close(l.fd);
    return l.state;
}

static void a_file_that_somebody_writes_is_not_complete(void **state)
{
    struct settle s = {0};
    int fd = make_file("a.hprof");

    (void)state;
    assert_int_equal(poll_file(&s, "a.hprof", false, 1), SETTLE_WRITTEN);
    close(fd);
    assert_int_equal(poll_file(&s, "a.hprof", false, 2), SETTLE_COMPLETE);
}

static void without_leases_a_file_must_rest(void **state)
{
    struct settle s = {.closed = true};

    (void)state;
    close(make_file("a.hprof"));
    assert_int_equal(poll_file(&s, "a.hprof", true, 1000), SETTLE_RESTING);
    assert_int_equal(poll_file(&s, "a.hprof", true, 1000 + REST_MS - 1), SETTLE_RESTING);
    assert_int_equal(poll_file(&s, "a.hprof", true, 1000 + REST_MS), SETTLE_COMPLETE);
}

static void one_whose_close_was_not_seen_rests_longer(void **state)
{
    struct settle s = {0};

    (void)state;
    close(make_file("a.hprof"));
    assert_int_equal(poll_file(&s, "a.hprof", true, 1000), SETTLE_RESTING);
    assert_int_equal(poll_file(&s, "a.hprof", true, 1000 + REST_MS), SETTLE_RESTING);
    assert_int_equal(poll_file(&s, "a.hprof", true, 1000 + 4 * REST_MS), SETTLE_COMPLETE);
}

static void segments_that_grow_beside_it_keep_a_dump_waiting(void **state)
{
    struct settle s = {.closed = true};
    int fd;

    (void)state;
    close(make_file("a.hprof"));
    fd = make_file("a.hprof.p1");
    assert_int_equal(poll_file(&s, "a.hprof", true, 1000), SETTLE_RESTING);
    assert_int_equal(file_write(fd, "more", 4), 0);
    close(fd);
    assert_int_equal(poll_file(&s, "a.hprof", true, 1000 + REST_MS), SETTLE_RESTING);
    assert_int_equal(poll_file(&s, "a.hprof", true, 1000 + 2 * REST_MS), SETTLE_COMPLETE);
}

static void an_old_file_needs_no_rest(void **state)
{
    struct settle s = {0};
    struct timespec old[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};

    (void)state;
    close(make_file("a.hprof"));
    assert_int_equal(utimensat(folder, "a.hprof", old, 0), 0);
    assert_int_equal(poll_file(&s, "a.hprof", true, 1), SETTLE_COMPLETE);
}

static void a_time_in_the_future_proves_nothing(void **state)
{
    struct settle s = {.closed = true};
    struct timespec future[2] = {{.tv_sec = 4000000000}, {.tv_sec = 4000000000}};

    (void)state;
    close(make_file("a.hprof"));
    assert_int_equal(utimensat(folder, "a.hprof", future, 0), 0);
    assert_int_equal(poll_file(&s, "a.hprof", true, 1000), SETTLE_RESTING);
    assert_int_equal(poll_file(&s, "a.hprof", true, 1000 + REST_MS), SETTLE_COMPLETE);
}

static void what_is_no_regular_file_is_no_evidence(void **state)
{
    struct settle s = {0};

    (void)state;
    assert_int_equal(mkfifoat(folder, "fifo", 0600), 0);
    assert_int_equal(mkdirat(folder, "folder", 0700), 0);
    assert_int_equal(symlinkat("/etc/passwd", folder, "link"), 0);
    assert_int_equal(poll_file(&s, "fifo", false, 1), SETTLE_NO_EVIDENCE);
    assert_int_equal(poll_file(&s, "folder", false, 1), SETTLE_NO_EVIDENCE);
    assert_int_equal(poll_file(&s, "link", false, 1), SETTLE_NO_EVIDENCE);
    assert_int_equal(poll_file(&s, "nothing", false, 1), SETTLE_NO_EVIDENCE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_that_somebody_writes_is_not_complete, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_leases_a_file_must_rest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_whose_close_was_not_seen_rests_longer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(segments_that_grow_beside_it_keep_a_dump_waiting, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_old_file_needs_no_rest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_time_in_the_future_proves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_regular_file_is_no_evidence, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
