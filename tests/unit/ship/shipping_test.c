/* SPDX-License-Identifier: Apache-2.0
 *
 * Shipping in the foreground, into a real folder that fails when the test says so: what is tried again and until when,
 * what stays, and what is said.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/text.h"
#include "scratch.h"
#include "ship/shipping.h"

enum { GIVE_UP_MS = 200 };

static struct {
    struct plan plan;
    struct plan_options options;
    struct whoami who;
    struct facts facts;
    struct shipping shipping;
    char folder[PATH_MAX], url[PATH_MAX + 16], path[PATH_MAX + 32];
    const struct sink_ops *real;
    struct sink_ops ops;
    unsigned failures, tries; /* failures to come */
    int fault;
    bool write_on_verify; /* somebody writes to the file meanwhile */
    int out, err, stdout_fd, stderr_fd;
} t;

static int upload_new(struct sink *s, const struct upload_start *start, struct upload **ret, struct err *e)
{
    t.tries++;
    if (t.failures > 0) {
        t.failures--;
        return err_set(e, -t.fault, "the store says no");
    }
    return t.real->upload_new(s, start, ret, e);
}

static void write_more(void)
{
    CLEANUP_FD int fd = open(t.path, O_WRONLY | O_APPEND | O_CLOEXEC);

    assert_int_equal(write(fd, "more", 4), 4);
}

static int verify(struct upload *u, const struct whole *whole, bool read, struct err *e)
{
    if (t.write_on_verify)
        write_more();
    return t.real->verify(u, whole, read, e);
}

static int set_up(void **state)
{
    static char host[] = "h", place[] = "host/h", machine[] = "m";
    struct err e;

    memset(&t, 0, sizeof(t));
    if (scratch_set_up(state) < 0 || !realpath(scratch_root, t.folder))
        return -1;
    snprintf(t.url, sizeof(t.url), "file://%s/store", t.folder);
    snprintf(t.path, sizeof(t.path), "%s/dumps/heap.bin", t.folder);
    t.who = (struct whoami){.host = host, .place = place, .machine = machine};
    t.options = (struct plan_options){.to = t.url,
                                      .key = "{id}/{file}",
                                      .memory = 64 << 20,
                                      .threads = 1,
                                      .timeout_ms = 1000,
                                      .give_up_ms = GIVE_UP_MS};
    if (mkdirat(scratch_fd, "store", 0755) < 0 || plan_init(&t.plan, &t.options, &e) < 0)
        return -1;
    t.shipping = (struct shipping){.plan = &t.plan, .who = &t.who, .facts = &t.facts, .cause = "drill"};
    if (sink_open(&t.plan.sink, &t.shipping.sink, &e) < 0)
        return -1;
    t.real = t.shipping.sink->ops;
    t.ops = *t.real;
    t.ops.upload_new = upload_new;
    t.ops.verify = verify;
    t.shipping.sink->ops = &t.ops;
    t.out = memfd_create("out", MFD_CLOEXEC);
    t.err = memfd_create("err", MFD_CLOEXEC);
    return t.out < 0 || t.err < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    sink_close(t.shipping.sink);
    plan_done(&t.plan);
    close(t.out);
    close(t.err);
    return scratch_tear_down(state);
}

/* stdout and stderr are the test's from here on, until give_output_back. */
static void take_output(void)
{
    fflush(stdout);
    t.stdout_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    t.stderr_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    dup2(t.out, STDOUT_FILENO);
    dup2(t.err, STDERR_FILENO);
}

static void give_output_back(void)
{
    fflush(stdout);
    dup2(t.stdout_fd, STDOUT_FILENO);
    dup2(t.stderr_fd, STDERR_FILENO);
    close(t.stdout_fd);
    close(t.stderr_fd);
}

static int ship(struct err *e)
{
    int r;

    take_output();
    r = shipping_file(&t.shipping, t.path, e);
    give_output_back();
    return r;
}

static bool has(int fd, const char *words)
{
    char text[8192];
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

    assert_true(n >= 0);
    text[n] = '\0';
    return strstr(text, words) != NULL;
}

static bool is_there(const char *path)
{
    return faccessat(scratch_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int count_file(void *ctx, const struct sink_listing_entry *entry)
{
    (void)entry;
    ++*(unsigned *)ctx;
    return 0;
}

static unsigned stored(void)
{
    unsigned count = 0;
    struct err e;

    assert_int_equal(t.real->list(t.shipping.sink, "", count_file, &count, &e), 0);
    return count;
}

static void a_file_is_shipped_and_goes(void **state)
{
    struct shipped what;
    struct err e;

    (void)state;
    scratch_put("dumps", "heap.bin", "bytes");
    t.shipping.shipped = &what;
    assert_int_equal(ship(&e), 0);
    assert_int_equal(stored(), 2); /* with its manifest */
    assert_true(has(t.out, "heap.bin"));
    assert_int_equal(what.size, 5);
    assert_false(what.partial);
    assert_false(is_there("dumps/heap.bin"));
    assert_false(is_there("dumps/.salvage")); /* as it was before */
}

static void passing_trouble_is_waited_out(void **state)
{
    struct err e;

    (void)state;
    scratch_put("dumps", "heap.bin", "bytes");
    t.failures = 1;
    t.fault = FAULT_BUSY;
    assert_int_equal(ship(&e), 0);
    assert_int_equal(t.tries, 2);
    assert_true(has(t.err, "the store says no; trying again in 0."));
    assert_int_equal(stored(), 2);
}

static void it_gives_up_at_the_end_of_its_time_and_the_file_stays(void **state)
{
    uint64_t began = clock_mono_ms();
    struct err e;

    (void)state;
    scratch_put("dumps", "heap.bin", "bytes");
    t.failures = UINT_MAX;
    t.fault = FAULT_UNREACHABLE;
    assert_int_equal(ship(&e), -FAULT_UNREACHABLE);
    assert_int_equal(t.tries, 2); /* the second at the end of the time */
    assert_true(clock_mono_ms() - began >= GIVE_UP_MS);
    assert_string_equal(e.msg, "the store says no");
    assert_true(is_there("dumps/heap.bin"));
    assert_int_equal(stored(), 0);
}

static void what_an_operator_must_mend_is_not_tried_again(void **state)
{
    struct err e;

    (void)state;
    scratch_put("dumps", "heap.bin", "bytes");
    t.failures = UINT_MAX;
    t.fault = FAULT_DENIED;
    assert_int_equal(ship(&e), -FAULT_DENIED);
    assert_int_equal(t.tries, 1);
    assert_true(is_there("dumps/heap.bin"));
}

static void a_file_that_is_written_to_meanwhile_stays(void **state)
{
    struct err e;

    (void)state;
    scratch_put("dumps", "heap.bin", "bytes");
    t.write_on_verify = true;
    assert_int_equal(ship(&e), -FAULT_CHANGED);
    assert_int_equal(t.tries, 1);
    assert_true(is_there("dumps/heap.bin"));
}

static void a_writer_is_waited_for_as_long_as_the_time_lasts(void **state)
{
    CLEANUP_FD int writer = -1;
    struct err e;

    (void)state;
    scratch_put("dumps", "heap.bin", "bytes");
    writer = open(t.path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(ship(&e), -FAULT_CHANGED);
    assert_true(has(t.err, "waiting for its writer"));
    assert_int_equal(t.tries, 0);
    assert_true(is_there("dumps/heap.bin"));
}

static void what_is_no_file_is_refused(void **state)
{
    struct err e;

    (void)state;
    assert_int_equal(file_mkdirs(scratch_fd, "dumps/heap.bin", 0755), 0);
    assert_int_equal(ship(&e), -FAULT_USAGE);
    assert_int_equal(file_remove_tree(scratch_fd, "dumps"), 0);
    assert_int_equal(ship(&e), -ENOENT);
}

/* Its path may be a stranger's by now. */
static void a_held_file_is_shipped_by_its_descriptor_and_not_erased(void **state)
{
    CLEANUP_FD int fd = -1;
    struct err e;

    (void)state;
    scratch_put("dumps", "heap.bin", "bytes");
    fd = open(t.path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(unlink(t.path), 0);
    scratch_put("dumps", "heap.bin", "another's");
    take_output();
    assert_int_equal(shipping_open_file(&t.shipping, &(struct open_file){fd, -1, "heap.bin", t.path}, &e), 0);
    give_output_back();
    assert_int_equal(stored(), 2);
    assert_true(is_there("dumps/heap.bin"));
    assert_true(fcntl(fd, F_GETFD) >= 0); /* the caller's still */
}

static void pieces_of_one_case_share_a_folder_of_the_store(void **state)
{
    struct shipping_case one = {0};
    char id[IDENTITY_MAX], in_store[100];
    struct err e;

    (void)state;
    t.shipping.shared_case = &one;
    scratch_put("dumps", "heap.bin", "bytes");
    assert_int_equal(ship(&e), 0);
    memcpy(id, one.id, sizeof(id));
    assert_int_equal(strlen(id), IDENTITY_MAX - 1);
    scratch_put("dumps", "threads.txt", "text");
    snprintf(t.path, sizeof(t.path), "%s/dumps/threads.txt", t.folder);
    assert_int_equal(ship(&e), 0);
    assert_string_equal(one.id, id);
    snprintf(in_store, sizeof(in_store), "store/%s/heap.bin.zst", id);
    assert_true(is_there(in_store));
    snprintf(in_store, sizeof(in_store), "store/%s/threads.txt.zst", id);
    assert_true(is_there(in_store));
}

static void with_a_log_nothing_goes_to_stdout(void **state)
{
    struct err e;

    (void)state;
    t.shipping.logs = true;
    scratch_put("dumps", "heap.bin", "bytes");
    assert_int_equal(ship(&e), 0);
    assert_true(has(t.err, "event=shipped"));
    assert_true(has(t.err, "seconds="));
    assert_int_equal(lseek(t.out, 0, SEEK_END), 0);
}

static int stream(const char *text, struct shipping_stream *s, struct err *e)
{
    int ends[2], r;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(write(ends[1], text, strlen(text)), (ssize_t)strlen(text));
    close(ends[1]);
    s->fd = ends[0];
    s->name = "heap.bin";
    take_output();
    r = shipping_stream(&t.shipping, s, NULL, e);
    give_output_back();
    return r;
}

static void a_stream_is_shipped_without_a_file(void **state)
{
    struct shipping_stream s = {0};
    struct err e = {0};

    (void)state;
    assert_int_equal(stream("bytes", &s, &e), 0);
    assert_int_equal(stored(), 2);
    assert_true(has(t.out, "heap.bin"));
}

static void a_stream_is_tried_once_and_the_error_says_why(void **state)
{
    struct shipping_stream s = {0};
    struct err e = {0};

    (void)state;
    t.failures = 1;
    t.fault = FAULT_BUSY;
    assert_int_equal(stream("bytes", &s, &e), -FAULT_BUSY);
    assert_int_equal(t.tries, 1);
    assert_non_null(strstr(e.msg, "cannot be read twice"));
    assert_int_equal(stored(), 0);
}

static int writer_failed(void *ctx, struct err *e)
{
    (void)ctx;
    return err_set(e, -EIO, "the writer has failed");
}

static void a_stream_whose_writer_failed_is_not_stored(void **state)
{
    struct shipping_stream s = {.ended = writer_failed};
    struct err e = {0};

    (void)state;
    assert_int_equal(stream("bytes", &s, &e), -EIO);
    assert_string_equal(e.msg, "the writer has failed");
    assert_int_equal(stored(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_is_shipped_and_goes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(passing_trouble_is_waited_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_gives_up_at_the_end_of_its_time_and_the_file_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_an_operator_must_mend_is_not_tried_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_is_written_to_meanwhile_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_writer_is_waited_for_as_long_as_the_time_lasts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_file_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_held_file_is_shipped_by_its_descriptor_and_not_erased, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pieces_of_one_case_share_a_folder_of_the_store, set_up, tear_down),
        cmocka_unit_test_setup_teardown(with_a_log_nothing_goes_to_stdout, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stream_is_shipped_without_a_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stream_is_tried_once_and_the_error_says_why, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stream_whose_writer_failed_is_not_stored, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
