/* SPDX-License-Identifier: Apache-2.0
 *
 * Workers that cannot be started cost no claim: it waits, the log says why, and the first worker that starts ships
 * it. What starts is the real program, which lies beside this one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/err.h"
#include "captured_log.h"
#include "scratch.h"
#include "watch/source.h"
#include "watch/worker_pool.h"

enum { FOR_EVER = 1 << 30, PATIENCE_MS = 60 * 1000 };

static struct {
    uv_loop_t loop;
    uv_timer_t timer;
    struct pool *pool;
    struct plan plan;
    unsigned failures, spawns; /* failures to come; tries */
    bool dies;                 /* the next worker does, before it can be sent anything */
    int error;
    unsigned stored, dropped, failed;
    char folder[PATH_MAX], store[PATH_MAX + 16], program[PATH_MAX];
} t;

static int spawn(uv_loop_t *loop, uv_process_t *process, const uv_process_options_t *options)
{
    uv_process_options_t now = *options;
    bool fails = t.failures > 0;
    int r;

    t.spawns++;
    t.failures -= fails;
    now.file = fails ? "/nonexistent" : t.program;
    r = uv_spawn(loop, process, &now);
    if (r == 0 && t.dies) {
        siginfo_t info;

        kill(process->pid, SIGKILL);
        waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOWAIT);
        t.dies = false;
    }
    return fails ? t.error : r;
}

static void on_claim_ended(void *ctx, const struct claim *c, enum pool_outcome outcome)
{
    (void)ctx;
    (void)c;
    t.stored += outcome == POOL_STORED;
    t.dropped += outcome == POOL_DROPPED;
    t.failed += outcome == POOL_FAILED;
}

static void on_timer(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

static int set_up(void **state)
{
    struct err e;
    char *slash;
    ssize_t n;

    memset(&t, 0, sizeof(t));
    if (scratch_set_up(state) < 0 || !realpath(scratch_root, t.folder))
        return -1;
    n = readlink("/proc/self/exe", t.program, sizeof(t.program) - 16);
    slash = n > 0 ? strrchr(t.program, '/') : NULL;
    if (!slash)
        return -1;
    memcpy(slash, "/salvage", sizeof("/salvage"));
    snprintf(t.store, sizeof(t.store), "file://%s/store", t.folder);
    t.plan = (struct plan){.memory = 64 << 20};
    t.error = UV_EAGAIN;
    if (!capture_log() || uv_loop_init(&t.loop) < 0)
        return -1;
    if (plan_sink_config(&t.plan.sink, &(struct plan_options){.timeout_ms = 1000}, t.store, &e) < 0)
        return -1;
    return uv_timer_init(&t.loop, &t.timer);
}

static int tear_down(void **state)
{
    pool_close(t.pool);
    uv_close((uv_handle_t *)&t.timer, NULL);
    uv_run(&t.loop, UV_RUN_DEFAULT);
    pool_free(t.pool);
    plan_done(&t.plan);
    release_log();
    return uv_loop_close(&t.loop) < 0 ? -1 : scratch_tear_down(state);
}

static void begin(bool once)
{
    static char salvage[] = "salvage", worker[] = "worker", to[] = "--to", memory[] = "--memory=64M",
                threads[] = "--threads=1";
    static char *const args[] = {salvage, worker, t.folder, to, t.store, memory, threads, NULL};
    struct pool_config config = {
        .worker_args = args, .plan = &t.plan, .machine = "m", .stuck_ms = 60000, .once = once, .spawn = spawn};
    struct pool_events events = {.ended = on_claim_ended};

    assert_int_equal(pool_new(&t.loop, &config, &events, &t.pool), 0);
}

static struct claim *make_claim(const char *name, int *ret_fd)
{
    struct claim *c = calloc(1, sizeof(*c));
    struct identity file;

    scratch_put("dumps", name, "JAVA PROFILE 1.0.2");
    assert_non_null(c);
    c->name = strdup(name);
    c->cause = strdup("drill");
    c->cause_given = true;
    assert_true(asprintf(&c->path, "%s/dumps/%s", t.folder, name) > 0);
    c->kind = kind_of_name(name);
    *ret_fd = open(c->path, O_RDONLY | O_CLOEXEC);
    assert_true(*ret_fd >= 0);
    assert_int_equal(identity_get(*ret_fd, "m", &file), 0);
    memcpy(c->id, file.id, sizeof(c->id));
    c->size = file.size;
    c->time_ns = c->found_ns = c->settled_ns = clock_wall_ns();
    c->in_place = c->erase = true;
    return c;
}

static void add(const char *name)
{
    CLEANUP_FD int fd = -1;
    struct claim *c = make_claim(name, &fd);

    assert_int_equal(pool_add(t.pool, c), 0);
}

/* Until that many claims have ended, or for so long. */
static void run(unsigned ended, uint64_t ms)
{
    uint64_t until = clock_mono_ms() + ms;

    while (t.stored + t.dropped + t.failed < ended && clock_mono_ms() < until) {
        uv_timer_start(&t.timer, on_timer, 50, 0);
        uv_run(&t.loop, UV_RUN_DEFAULT);
    }
}

static unsigned count_logged(const char *words)
{
    unsigned count = 0;

    for (const char *at = captured_log(); (at = strstr(at, words)); at++)
        count++;
    return count;
}

static bool is_there(const char *name)
{
    char path[PATH_MAX + 32];

    snprintf(path, sizeof(path), "%s/dumps/%s", t.folder, name);
    return access(path, F_OK) == 0;
}

static void shipped_after(unsigned failures, int error)
{
    t.failures = failures;
    t.error = error;
    begin(false);
    add("a.hprof");
    assert_int_equal(pool_count(t.pool), 1); /* not even a spawn that fails at once loses it */
    run(1, PATIENCE_MS);
    assert_int_equal(t.stored, 1);
    assert_int_equal(pool_count(t.pool), 0);
    assert_int_equal(pool_failed(t.pool), 0);
    assert_int_equal(t.spawns, failures + 1);
    assert_int_equal(count_logged("fault=no-process"), failures > 0); /* once, however often */
    assert_false(is_there("a.hprof"));
}

static void a_worker_that_starts_at_once(void **state)
{
    (void)state;
    shipped_after(0, 0);
}

static void one_that_starts_at_the_second_try(void **state)
{
    (void)state;
    shipped_after(1, UV_EAGAIN);
}

static void one_that_starts_at_the_third_try(void **state)
{
    (void)state;
    shipped_after(2, UV_ENOMEM);
}

/* The loop has not heard of its death yet. */
static void one_that_dies_before_it_is_sent_a_claim(void **state)
{
    (void)state;
    t.dies = true;
    begin(false);
    add("a.hprof");
    run(1, PATIENCE_MS);
    assert_int_equal(t.stored, 1);
    assert_int_equal(t.spawns, 2);
    assert_int_equal(count_logged("its worker had died"), 1);
}

/* Trouble that meets each claim alike: one try, and one line, for all of them. */
static void none_that_ever_starts(void **state)
{
    (void)state;
    t.failures = FOR_EVER;
    begin(false);
    add("a.hprof");
    add("b.hprof");
    run(1, 500);
    assert_int_equal(pool_count(t.pool), 2);
    assert_int_equal(t.stored + t.dropped + t.failed, 0);
    assert_int_equal(t.spawns, 1);
    assert_int_equal(count_logged("fault=no-process"), 1);
    assert_true(count_logged("pids.max") > 0);
    assert_true(is_there("a.hprof") && is_there("b.hprof"));
}

static void with_once_it_is_given_up_and_stays(void **state)
{
    (void)state;
    t.failures = FOR_EVER;
    begin(true);
    add("a.hprof");
    assert_int_equal(t.failed, 1);
    assert_int_equal(pool_failed(t.pool), 1);
    assert_int_equal(pool_count(t.pool), 0);
    assert_int_equal(count_logged("event=gave-up"), 1);
    assert_true(is_there("a.hprof"));
}

/* A file that grows: given back, as it will be found again when it is closed. */
static void what_cannot_be_followed_is_left_alone(void **state)
{
    struct claim *c;
    int fd;

    (void)state;
    t.failures = 1;
    begin(false);
    c = make_claim("a.hprof", &fd);
    assert_int_equal(pool_follow(t.pool, c, fd), 1);
    assert_int_equal(t.dropped, 1);
    assert_int_equal(pool_count(t.pool), 0);
    assert_int_equal(count_logged("fault=no-process"), 1);
    assert_true(is_there("a.hprof"));
    add("a.hprof");
    run(2, PATIENCE_MS);
    assert_int_equal(t.stored, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_worker_that_starts_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_starts_at_the_second_try, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_starts_at_the_third_try, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_dies_before_it_is_sent_a_claim, set_up, tear_down),
        cmocka_unit_test_setup_teardown(none_that_ever_starts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(with_once_it_is_given_up_and_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_followed_is_left_alone, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
