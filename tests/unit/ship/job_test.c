/* SPDX-License-Identifier: Apache-2.0
 *
 * One attempt at a stream, into a real folder: what is stored, and what is not when it goes wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "ship/job.h"

enum { SIZE = 20 * 1024 * 1024, PATIENCE_MS = 300 };

struct world {
    struct plan plan;
    struct plan_options options;
    struct whoami who;
    struct facts facts;
    struct claim claim;
    struct sink *sink;
    char folder[40], url[60];
    int in, out; /* of a pipe */

    int refusal, stop_after; /* what ended() answers; how many questions until stop() does */
    unsigned ended, reading_ended;
    size_t seen_when_reading_ended; /* files in the store */
};

static int count_file(void *ctx, const struct sink_listing_entry *entry)
{
    (void)entry;
    ++*(size_t *)ctx;
    return 0;
}

static size_t stored(struct world *w)
{
    size_t count = 0;
    struct err e;

    assert_int_equal(w->sink->ops->list(w->sink, "", count_file, &count, &e), 0);
    return count;
}

/* Files of any name, temporary ones too. */
static size_t files_below(const char *path)
{
    CLEANUP_DIR DIR *dir = file_opendir(AT_FDCWD, path);
    size_t count = 0;

    for (struct dirent *d; dir && (d = readdir(dir));) {
        char below[600];

        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        snprintf(below, sizeof(below), "%s/%s", path, d->d_name);
        count += d->d_type == DT_DIR ? files_below(below) : 1;
    }
    return count;
}

static int on_stop(void *ctx, struct err *e)
{
    struct world *w = ctx;

    return w->stop_after > 0 && --w->stop_after == 0 ? err_set(e, -EINTR, "stopped") : 0;
}

static int on_ended(void *ctx, struct err *e)
{
    struct world *w = ctx;

    assert_int_equal(stored(w), 0);
    w->ended++;
    return w->refusal ? err_set(e, w->refusal, "the writer has failed") : 0;
}

static void on_reading_ended(void *ctx)
{
    struct world *w = ctx;

    w->reading_ended++;
    w->seen_when_reading_ended = files_below(w->folder);
    close(TAKE_FD(w->in));
}

static void begin(struct world *w)
{
    struct err e = {0};
    int ends[2];

    *w = (struct world){.who = {.host = "h", .place = "host/h", .machine = "m"}};
    snprintf(w->folder, sizeof(w->folder), "/tmp/job_test.XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    snprintf(w->url, sizeof(w->url), "file://%s", w->folder);
    w->options = (struct plan_options){.to = w->url, .key = "{id}/{file}", .memory = 64 << 20, .threads = 1};
    assert_int_equal(plan_init(&w->plan, &w->options, &e), 0);
    assert_int_equal(sink_open(&w->plan.sink, &w->sink, &e), 0);
    w->claim = (struct claim){.id = "0123456789abcdef",
                              .path = strdup("heap.bin"),
                              .name = strdup("heap.bin"),
                              .cause = strdup("manual"),
                              .kind = kind_of_name("heap.bin"),
                              .time_ns = 1,
                              .found_ns = 1,
                              .settled_ns = 1};
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    w->in = ends[0];
    w->out = ends[1];
}

static int run(struct world *w, struct job_result *ret, struct err *e)
{
    struct job job = {.plan = &w->plan,
                      .who = &w->who,
                      .facts = &w->facts,
                      .sink = w->sink,
                      .claim = &w->claim,
                      .fd = w->in,
                      .claim_dir = -1,
                      .source = INTAKE_STREAM,
                      .stop = on_stop,
                      .ended = on_ended,
                      .reading_ended = on_reading_ended,
                      .ctx = w};

    return job_run(&job, ret, e);
}

static void end(struct world *w)
{
    if (w->in >= 0)
        close(w->in);
    if (w->out >= 0)
        close(w->out);
    claim_done(&w->claim);
    sink_close(w->sink);
    plan_done(&w->plan);
    assert_int_equal(file_remove_tree(AT_FDCWD, w->folder), 0);
}

/* Random enough for several parts; says how its writing went. */
static void *write_much(void *ctx)
{
    struct world *w = ctx;
    static char data[64 * 1024];
    uint64_t x = 88172645463325252u;
    int r = 0;

    for (size_t at = 0; r == 0 && at < SIZE; at += sizeof(data)) {
        for (size_t i = 0; i < sizeof(data); i += sizeof(x)) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            memcpy(data + i, &x, sizeof(x));
        }
        r = file_write(w->out, data, sizeof(data));
    }
    close(TAKE_FD(w->out));
    return (void *)(intptr_t)r;
}

static void a_stream_is_stored_once_its_writer_agrees(void **state)
{
    struct job_result result = {0};
    struct world w;
    struct err e = {0};
    pthread_t writer;
    void *written;

    (void)state;
    begin(&w);
    assert_int_equal(pthread_create(&writer, NULL, write_much, &w), 0);
    assert_int_equal(run(&w, &result, &e), 0);
    pthread_join(writer, &written);
    assert_null(written);
    assert_int_equal(w.ended, 1);
    assert_int_equal(w.reading_ended, 0);
    assert_int_equal(result.manifest.size, SIZE);
    assert_false(result.already);
    assert_int_equal(files_below(w.folder), 2);
    job_result_done(&result);
    end(&w);
}

static void what_its_writer_takes_back_is_not_stored(void **state)
{
    struct job_result result = {0};
    struct world w;
    struct err e = {0};
    pthread_t writer;

    (void)state;
    begin(&w);
    w.refusal = -EIO;
    assert_int_equal(pthread_create(&writer, NULL, write_much, &w), 0);
    assert_int_equal(run(&w, &result, &e), -EIO);
    pthread_join(writer, NULL);
    assert_string_equal(e.msg, "the writer has failed");
    assert_int_equal(w.ended, 1);
    assert_int_equal(files_below(w.folder), 0);
    end(&w);
}

static void a_stop_frees_the_writer_before_the_store_is_tidied(void **state)
{
    struct job_result result = {0};
    struct world w;
    struct err e = {0};
    pthread_t writer;
    void *written;

    (void)state;
    begin(&w);
    w.stop_after = 12;
    assert_int_equal(pthread_create(&writer, NULL, write_much, &w), 0);
    assert_int_equal(run(&w, &result, &e), -EINTR);
    pthread_join(writer, &written);
    assert_int_equal((intptr_t)written, -EPIPE);
    assert_int_equal(w.ended, 0);
    assert_int_equal(w.reading_ended, 1);
    assert_int_equal(w.seen_when_reading_ended, 1);
    assert_int_equal(files_below(w.folder), 0);
    end(&w);
}

static void a_silent_writer_is_given_up(void **state)
{
    for (int said = 0; said < 2; said++) {
        struct job_result result = {0};
        struct world w;
        struct err e = {0};
        uint64_t begun;

        (void)state;
        begin(&w);
        w.plan.give_up_ms = PATIENCE_MS;
        if (said)
            assert_int_equal(file_write(w.out, "JAVA PROFILE 1.0.2 and then nothing more", 40), 0);
        begun = clock_mono_ms();
        assert_int_equal(run(&w, &result, &e), -ETIMEDOUT);
        assert_in_range(clock_mono_ms() - begun, PATIENCE_MS, PATIENCE_MS + 2000);
        assert_non_null(strstr(e.msg, "heap.bin"));
        assert_int_equal(files_below(w.folder), 0);
        end(&w);
    }
}

static void a_silent_writer_does_not_keep_us_from_stopping(void **state)
{
    struct job_result result = {0};
    struct world w;
    struct err e = {0};

    (void)state;
    begin(&w);
    w.stop_after = 3;
    assert_int_equal(run(&w, &result, &e), -EINTR);
    end(&w);
}

static int ignore_broken_pipes(void **state)
{
    (void)state;
    return signal(SIGPIPE, SIG_IGN) == SIG_ERR ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_is_stored_once_its_writer_agrees),
        cmocka_unit_test(what_its_writer_takes_back_is_not_stored),
        cmocka_unit_test(a_stop_frees_the_writer_before_the_store_is_tidied),
        cmocka_unit_test(a_silent_writer_is_given_up),
        cmocka_unit_test(a_silent_writer_does_not_keep_us_from_stopping),
    };

    return cmocka_run_group_tests(tests, ignore_broken_pipes, NULL);
}
