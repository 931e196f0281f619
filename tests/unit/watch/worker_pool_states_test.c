/* SPDX-License-Identifier: Apache-2.0
 *
 * The states of a claim and of a worker in the pool: the test is the clock, and speaks as the worker; a worker's
 * process is one that only sleeps, so that it can be killed, crash and hang like a real one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/err.h"
#include "captured_log.h"
#include "fake_worker.h"
#include "net/bandwidth.h"
#include "scratch.h"
#include "ship/manifest.h"
#include "watch/source.h"
#include "watch/worker_pool_internal.h"

enum { STUCK_MS = 60000, PATIENCE_MS = 20000 };

static struct {
    uv_loop_t loop;
    struct pool *pool;
    struct plan plan;
    uint64_t now_ms;
    unsigned stored, dropped, failed;
    char folder[PATH_MAX], store[PATH_MAX + 16];
} t;

static uint64_t test_clock(void)
{
    return t.now_ms;
}

static void on_claim_ended(void *ctx, const struct claim *c, enum pool_outcome outcome)
{
    (void)ctx;
    (void)c;
    t.stored += outcome == POOL_STORED;
    t.dropped += outcome == POOL_DROPPED;
    t.failed += outcome == POOL_FAILED;
}

static int set_up(void **state)
{
    struct err e;

    memset(&t, 0, sizeof(t));
    fake_set_up();
    t.now_ms = 1000000;
    if (scratch_set_up(state) < 0 || !realpath(scratch_root, t.folder))
        return -1;
    snprintf(t.store, sizeof(t.store), "file://%s/store", t.folder);
    t.plan = (struct plan){.memory = 64 << 20};
    if (!capture_log())
        return -1;
    if (plan_sink_config(&t.plan.sink, &(struct plan_options){.timeout_ms = 1000}, t.store, &e) < 0)
        return -1;
    return uv_loop_init(&t.loop);
}

static int tear_down(void **state)
{
    int r;

    if (t.pool)
        pool_close(t.pool);
    uv_run(&t.loop, UV_RUN_DEFAULT);
    pool_free(t.pool);
    plan_done(&t.plan);
    fake_tear_down();
    release_log();
    r = uv_loop_close(&t.loop);
    return r < 0 ? -1 : scratch_tear_down(state);
}

static void begin(bool once)
{
    static char salvage[] = "salvage", worker[] = WORKER_COMMAND;
    static char *const args[] = {salvage, worker, NULL};
    struct pool_config config = {.worker_args = args,
                                 .plan = &t.plan,
                                 .machine = "m",
                                 .stuck_ms = STUCK_MS,
                                 .once = once,
                                 .spawn = fake_spawn,
                                 .now_ms = test_clock};
    struct pool_events events = {.ended = on_claim_ended};

    assert_int_equal(pool_new(&t.loop, &config, &events, &t.pool), 0);
    t.pool->next_sweep_ms = UINT64_MAX;
}

static struct claim *make_claim(const char *name, int *ret_fd)
{
    struct claim *c = malloc(sizeof(*c));
    struct identity file;
    char *path;

    scratch_put("dumps", name, "JAVA PROFILE 1.0.2");
    assert_true(asprintf(&path, "%s/dumps/%s", t.folder, name) > 0);
    *ret_fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(c && *ret_fd >= 0);
    assert_int_equal(identity_get(*ret_fd, "m", &file), 0);
    assert_int_equal(claim_of_file(c, path, name, &file, CONTENT_HPROF), 0);
    c->erase = true;
    return c;
}

static void add(const char *name)
{
    CLEANUP_FD int fd = -1;
    struct claim *c = make_claim(name, &fd);

    assert_int_equal(pool_add(t.pool, c), 0);
}

static void pump(void)
{
    fake_pump(&t.loop);
}

static void advance(uint64_t ms)
{
    t.now_ms += ms;
    pool_schedule(t.pool);
    pump();
}

static enum wire_type hear(unsigned n, uint64_t *ret_a)
{
    struct wire w;
    enum wire_type type = fake_hear(n, &w);

    if (ret_a)
        *ret_a = w.a;
    wire_done(&w);
    return type;
}

static bool is_silent(unsigned n)
{
    char byte;

    return fake.worker[n].channel < 0 || recv(fake.worker[n].channel, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
}

static void say(unsigned n, struct wire w)
{
    fake_say(n, w);
    pump();
}

static void say_failed(unsigned n, int fault, uint64_t retry_after_ms)
{
    char why[] = "the reason";

    say(n, (struct wire){.type = WIRE_FAILED, .code = -fault, .a = retry_after_ms, .text = why});
}

static void say_shipped(unsigned n, const char *name)
{
    CLEANUP(buf_done) struct buf text = {0};
    char key[] = "k", codec[] = "none", cause[] = "drill", path[PATH_MAX + 32];
    struct manifest m = {.key = key, .codec = codec, .cause = cause, .size = 18, .stored_size = 18};
    struct stat st;

    snprintf(path, sizeof(path), "%s/dumps/%s", t.folder, name);
    assert_int_equal(stat(path, &st), 0);
    memset(m.sha256, '0', sizeof(m.sha256) - 1);
    memset(m.stored_sha256, '0', sizeof(m.stored_sha256) - 1);
    assert_int_equal(manifest_encode(&m, &text), 0);
    say(n, (struct wire){.type = WIRE_SHIPPED,
                         .b = (uint64_t)st.st_mtim.tv_sec * 1000000000 + (uint64_t)st.st_mtim.tv_nsec,
                         .text = text.data});
}

/* Until the loop has seen its end. */
static void await_end(unsigned n)
{
    uint64_t until = clock_mono_ms() + PATIENCE_MS;
    const struct worker_slot *s = NULL;

    for (unsigned i = 0; i < POOL_SLOTS_MAX; i++)
        if (child_pid(&t.pool->slots[i].child) == fake.worker[n].pid)
            s = &t.pool->slots[i];
    while (s && child_pid(&s->child) == fake.worker[n].pid && clock_mono_ms() < until) {
        clock_sleep_ms(1);
        pump();
    }
    pump(); /* the handle is closed in a round of its own */
    if (fake.worker[n].channel >= 0)
        close(TAKE_FD(fake.worker[n].channel));
}

static bool is_there(const char *name)
{
    char path[PATH_MAX + 32];

    snprintf(path, sizeof(path), "%s/dumps/%s", t.folder, name);
    return access(path, F_OK) == 0;
}

static void a_claim_is_shipped_and_its_file_goes(void **state)
{
    uint64_t followed;

    (void)state;
    begin(false);
    add("a.hprof");
    assert_int_equal(hear(0, &followed), WIRE_JOB);
    assert_int_equal(followed, 0);
    say_shipped(0, "a.hprof");
    assert_int_equal(t.stored, 1);
    assert_int_equal(pool_count(t.pool), 0);
    assert_false(is_there("a.hprof"));
    assert_true(logged("event=shipped"));
}

static void a_file_that_was_written_to_is_kept_and_found_again(void **state)
{
    (void)state;
    begin(false);
    add("a.hprof");
    assert_int_equal(hear(0, NULL), WIRE_JOB);
    scratch_put("dumps", "a.hprof", "JAVA PROFILE 1.0.2 and more");
    say_shipped(0, "a.hprof");
    assert_int_equal(t.dropped, 1); /* it lies in place: the watcher claims it anew */
    assert_true(is_there("a.hprof"));
}

static void a_failure_of_one_file_holds_back_that_file_alone(void **state)
{
    (void)state;
    begin(false);
    add("a.hprof");
    assert_int_equal(hear(0, NULL), WIRE_JOB);
    say_failed(0, FAULT_CORRUPT, 0);
    assert_true(is_silent(0));
    assert_true(logged("fault=corrupt"));
    add("b.hprof");
    await_end(0); /* it was idle for a moment, and let go */
    assert_int_equal(hear(1, NULL), WIRE_JOB);
    say_shipped(1, "b.hprof");
    assert_int_equal(t.stored, 1);
    advance(1000);
    await_end(1);
    advance(0);
    assert_int_equal(fake.count, 3);
    assert_int_equal(hear(2, NULL), WIRE_JOB);
}

static void a_failing_store_holds_all_back(void **state)
{
    (void)state;
    begin(false);
    add("a.hprof");
    assert_int_equal(hear(0, NULL), WIRE_JOB);
    add("b.hprof");
    say_failed(0, FAULT_BUSY, 7000);
    await_end(0);
    advance(6999);
    assert_int_equal(fake.count, 1);
    assert_int_equal(pool_count(t.pool), 2);
    assert_false(pool_hopeful(t.pool, 0));
    assert_true(pool_hopeful(t.pool, 1));
    advance(1);
    assert_int_equal(hear(1, NULL), WIRE_JOB);
}

static void what_fails_for_longer_than_give_up_is_given_up(void **state)
{
    (void)state;
    t.plan.give_up_ms = 5000;
    begin(false);
    add("a.hprof");
    for (unsigned n = 0; t.failed == 0; n++) {
        assert_true(n < 8);
        assert_int_equal(hear(n, NULL), WIRE_JOB);
        say_failed(n, FAULT_CORRUPT, 0);
        await_end(n);
        advance(5000);
    }
    assert_int_equal(fake.count, 2); /* the last try is at the end of the time */
    assert_true(logged("event=gave-up"));
    assert_int_equal(pool_failed(t.pool), 1);
    assert_true(is_there("a.hprof"));
}

static void once_is_one_try(void **state)
{
    (void)state;
    begin(true);
    add("a.hprof");
    assert_int_equal(hear(0, NULL), WIRE_JOB);
    say_failed(0, FAULT_UNREACHABLE, 0);
    assert_int_equal(t.failed, 1);
}

static void a_file_that_is_gone_is_no_failure(void **state)
{
    (void)state;
    begin(false);
    add("a.hprof");
    assert_int_equal(hear(0, NULL), WIRE_JOB);
    say_failed(0, ENOENT, 0);
    assert_int_equal(t.dropped, 1);
    assert_int_equal(pool_failed(t.pool), 0);
}

static void a_worker_that_crashes_costs_one_delay(void **state)
{
    (void)state;
    begin(false);
    add("a.hprof");
    assert_int_equal(hear(0, NULL), WIRE_JOB);
    kill(fake.worker[0].pid, SIGSEGV);
    await_end(0);
    assert_true(logged("event=worker-died"));
    assert_true(logged("signal 11"));
    assert_int_equal(pool_count(t.pool), 1);
    assert_int_equal(fake.count, 1);
    advance(1000);
    assert_int_equal(hear(1, NULL), WIRE_JOB);
}

static void a_worker_that_hangs_is_killed_and_its_claim_tried_again(void **state)
{
    (void)state;
    begin(false);
    add("a.hprof");
    assert_int_equal(hear(0, NULL), WIRE_JOB);
    for (unsigned i = 0; i < STUCK_MS / 1000 - 1; i++)
        advance(1000);
    assert_false(logged("event=worker-stuck"));
    for (unsigned i = 0; i < 10; i++) /* its processor time counts from the first poll on */
        advance(1000);
    assert_true(logged("event=worker-stuck"));
    await_end(0);
    advance(1000);
    assert_int_equal(hear(1, NULL), WIRE_JOB);
}

static void a_worker_that_says_it_waits_may_be_silent_for_as_long(void **state)
{
    char why[] = "the store is busy";

    (void)state;
    begin(false);
    add("a.hprof");
    assert_int_equal(hear(0, NULL), WIRE_JOB);
    say(0, (struct wire){.type = WIRE_WAITING, .a = 600000, .text = why});
    for (unsigned i = 0; i < 10; i++)
        advance(STUCK_MS);
    assert_false(logged("event=worker-stuck"));
    assert_true(logged("fault=passing"));
    advance(STUCK_MS);
    assert_true(logged("event=worker-stuck"));
}

/* As in an uninterruptible sleep: its end is not seen, and its slot is lost. */
static void a_worker_that_not_even_sigkill_ends_is_replaced(void **state)
{
    (void)state;
    begin(false);
    add("a.hprof");
    assert_int_equal(hear(0, NULL), WIRE_JOB);
    for (uint64_t ms = 0; ms < 120000; ms += 1000) {
        t.now_ms += 1000;
        pool_schedule(t.pool); /* without the loop: no end is seen */
    }
    assert_true(logged("its worker hangs"));
    assert_true(t.pool->slots[0].lost);
    assert_int_equal(fake.count, 2);
    assert_int_equal(hear(1, NULL), WIRE_JOB);
    say_shipped(1, "a.hprof");
    assert_int_equal(t.stored, 1);
}

static void a_spawn_that_fails_holds_all_back_and_is_tried_again(void **state)
{
    (void)state;
    begin(false);
    fake.error = UV_EAGAIN;
    add("a.hprof");
    assert_int_equal(fake.count, 0);
    assert_true(logged("fault=no-process"));
    assert_true(logged("pids.max"));
    pump();
    advance(1000);
    assert_int_equal(hear(0, NULL), WIRE_JOB);
}

static void others_are_let_through_after_a_slice(void **state)
{
    (void)state;
    begin(false);
    add("a.hprof");
    assert_int_equal(hear(0, NULL), WIRE_JOB);
    add("b.hprof");
    advance(2000);
    assert_int_equal(fake.count, 1); /* --memory has room for one */
    advance(3000);
    assert_true(logged("event=yielded"));
    await_end(0);
    advance(0);
    assert_int_equal(fake.count, 2);
    assert_int_equal(hear(1, NULL), WIRE_JOB);
    say_shipped(1, "b.hprof"); /* not a.hprof again */
    assert_int_equal(t.stored, 1);
    assert_false(is_there("b.hprof"));
}

/* Else no part of it might ever be confirmed before it is put back. */
static void a_slice_is_longer_where_the_bandwidth_is_limited(void **state)
{
    static const char *const limit[] = {"1M"};
    struct err e = {0};

    (void)state;
    assert_int_equal(bandwidth_new(limit, 1, &t.plan.sink.http.bandwidth, &e), 0);
    begin(false);
    add("a.hprof");
    assert_int_equal(hear(0, NULL), WIRE_JOB);
    add("b.hprof");
    advance(31000);
    assert_false(logged("event=yielded"));
    advance(1000);
    assert_true(logged("event=yielded"));
}

static void a_second_worker_helps_where_memory_has_room(void **state)
{
    (void)state;
    t.plan.memory = 128 << 20;
    begin(false);
    add("a.hprof");
    add("b.hprof");
    assert_int_equal(fake.count, 1);
    advance(2000);
    assert_int_equal(fake.count, 2);
    assert_int_equal(hear(1, NULL), WIRE_JOB);
}

static void a_followed_file_is_shipped_once_it_is_complete(void **state)
{
    struct claim *c, now;
    uint64_t followed;
    int fd;

    (void)state;
    begin(false);
    c = make_claim("a.hprof", &fd);
    now = *c;
    assert_true(pool_may_follow(t.pool));
    assert_int_equal(pool_follow(t.pool, c, fd), 0);
    assert_int_equal(hear(0, &followed), WIRE_JOB);
    assert_int_equal(followed, 1);
    assert_false(pool_may_follow(t.pool));
    assert_true(pool_complete(t.pool, &now));
    assert_false(pool_complete(t.pool, &now));
    assert_int_equal(hear(0, NULL), WIRE_COMPLETE);
    say_shipped(0, "a.hprof");
    assert_int_equal(t.stored, 1);
}

static void a_followed_file_that_vanishes_is_dropped(void **state)
{
    struct claim *c;
    int fd;

    (void)state;
    begin(false);
    c = make_claim("a.hprof", &fd);
    assert_int_equal(pool_follow(t.pool, c, fd), 0);
    assert_int_equal(hear(0, NULL), WIRE_JOB);
    pool_unfollow(t.pool, t.pool->items->claim->id);
    pump(); /* its channel is closed, and it ends */
    await_end(0);
    assert_int_equal(t.dropped, 1);
    assert_int_equal(pool_count(t.pool), 0);
}

static void a_message_that_makes_no_sense_ends_the_worker(void **state)
{
    (void)state;
    begin(false);
    add("a.hprof");
    assert_int_equal(hear(0, NULL), WIRE_JOB);
    assert_int_equal(send(fake.worker[0].channel, "nonsense", 8, 0), 8);
    pump();
    await_end(0);
    assert_int_equal(pool_count(t.pool), 1);
    assert_true(logged("event=worker-died"));
    advance(1000);
    assert_int_equal(hear(1, NULL), WIRE_JOB);
}

static void a_manifest_that_makes_no_sense_is_not_believed(void **state)
{
    char text[] = "{}";

    (void)state;
    begin(false);
    add("a.hprof");
    assert_int_equal(hear(0, NULL), WIRE_JOB);
    say(0, (struct wire){.type = WIRE_SHIPPED, .text = text});
    await_end(0);
    assert_int_equal(t.stored, 0);
    assert_int_equal(pool_count(t.pool), 1);
    assert_true(is_there("a.hprof"));
}

static void what_an_idle_worker_says_is_ignored(void **state)
{
    (void)state;
    begin(false);
    add("a.hprof");
    assert_int_equal(hear(0, NULL), WIRE_JOB);
    t.pool->next_sweep_ms = 0;
    say_shipped(0, "a.hprof");
    assert_int_equal(hear(0, NULL), WIRE_SWEEP); /* the store has just answered */
    say_failed(0, FAULT_CORRUPT, 0);
    say(0, (struct wire){.type = WIRE_SWEPT, .a = 3});
    assert_true(logged("event=aborted-upload"));
    assert_int_equal(t.stored, 1);
    assert_int_equal(t.failed + t.dropped, 0);
}

static void facts_are_found_out_once(void **state)
{
    char facts[] = "{\"region\":\"x\"}";

    (void)state;
    begin(false);
    add("a.hprof");
    assert_int_equal(hear(0, NULL), WIRE_JOB);
    say(0, (struct wire){.type = WIRE_FACTS, .text = facts});
    kill(fake.worker[0].pid, SIGKILL);
    await_end(0);
    advance(1000);
    assert_int_equal(hear(1, NULL), WIRE_FACTS);
    assert_int_equal(hear(1, NULL), WIRE_JOB);
}

static void a_pool_that_is_closed_while_busy_ends_its_workers_and_counts_what_is_left(void **state)
{
    int status;

    (void)state;
    begin(false);
    add("a.hprof");
    add("b.hprof");
    assert_int_equal(hear(0, NULL), WIRE_JOB);
    assert_int_equal(pool_log_left(t.pool, 10), 2);
    assert_true(logged("event=not-shipped"));
    pool_close(t.pool);
    uv_run(&t.loop, UV_RUN_DEFAULT); /* ends */
    assert_int_equal(waitpid(fake.worker[0].pid, &status, WNOHANG), -1);
    assert_int_equal(t.stored + t.failed + t.dropped, 0);
    assert_int_equal(pool_count(t.pool), 2);
    assert_true(is_there("a.hprof") && is_there("b.hprof"));
    pool_free(t.pool);
    t.pool = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_claim_is_shipped_and_its_file_goes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_was_written_to_is_kept_and_found_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failure_of_one_file_holds_back_that_file_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failing_store_holds_all_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_fails_for_longer_than_give_up_is_given_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(once_is_one_try, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_is_gone_is_no_failure, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_worker_that_crashes_costs_one_delay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_worker_that_hangs_is_killed_and_its_claim_tried_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_worker_that_says_it_waits_may_be_silent_for_as_long, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_worker_that_not_even_sigkill_ends_is_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_spawn_that_fails_holds_all_back_and_is_tried_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(others_are_let_through_after_a_slice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_slice_is_longer_where_the_bandwidth_is_limited, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_second_worker_helps_where_memory_has_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_followed_file_is_shipped_once_it_is_complete, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_followed_file_that_vanishes_is_dropped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_message_that_makes_no_sense_ends_the_worker, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_manifest_that_makes_no_sense_is_not_believed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_an_idle_worker_says_is_ignored, set_up, tear_down),
        cmocka_unit_test_setup_teardown(facts_are_found_out_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_pool_that_is_closed_while_busy_ends_its_workers_and_counts_what_is_left,
                                        set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
