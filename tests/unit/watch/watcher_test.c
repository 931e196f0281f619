/* SPDX-License-Identifier: Apache-2.0
 *
 * From a file in a watched folder to a claim with the pool: found, settled, claimed, queued; what vanishes on the way,
 * what inotify has lost, what finds no room, and how a watch ends. The test speaks as the worker.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "captured_log.h"
#include "fake_worker.h"
#include "scratch.h"
#include "watch/source.h"
#include "watch/watcher_internal.h"
#include "watch/worker_pool_internal.h"

enum { PATIENCE_MS = 20 * 1000, MANY = 16, ALL = 4096 };

static struct {
    struct watcher w;
    struct watcher_config config;
    struct plan plan;
    struct whoami who;
    const char *dirs[1];
    char folder[PATH_MAX], store[PATH_MAX + 16];
    bool started;
} t;

static int set_up(void **state)
{
    static char salvage[] = "salvage", worker[] = WORKER_COMMAND, machine[] = "m";
    static char *const args[] = {salvage, worker, NULL};
    struct err e;

    memset(&t, 0, sizeof(t));
    fake_set_up();
    if (scratch_set_up(state) < 0 || !realpath(scratch_root, t.folder))
        return -1;
    snprintf(t.store, sizeof(t.store), "file://%s/store", t.folder);
    strncat(t.folder, "/dumps", sizeof(t.folder) - strlen(t.folder) - 1);
    if (mkdir(t.folder, 0755) < 0)
        return -1;
    t.plan = (struct plan){.memory = 64 << 20, .store = t.store};
    t.who.machine = machine;
    t.dirs[0] = t.folder;
    t.config = (struct watcher_config){.source = {.dirs = t.dirs, .dir_count = 1, .recursive = true},
                                       .plan = &t.plan,
                                       .who = &t.who,
                                       .settle_ms = 100,
                                       .grace_ms = 60000,
                                       .stuck_ms = 60000,
                                       .worker_args = args,
                                       .spawn = fake_spawn};
    t.w = (struct watcher){.config = &t.config, .mounts_fd = -1};
    if (!capture_log())
        return -1;
    if (plan_sink_config(&t.plan.sink, &(struct plan_options){.timeout_ms = 1000}, t.store, &e) < 0)
        return -1;
    return uv_loop_init(&t.w.loop);
}

static int tear_down(void **state)
{
    int r;

    if (t.started)
        watcher_stop(&t.w);
    uv_run(&t.w.loop, UV_RUN_DEFAULT);
    watcher_done(&t.w);
    plan_done(&t.plan);
    fake_tear_down();
    release_log();
    r = uv_loop_close(&t.w.loop);
    return r < 0 ? -1 : scratch_tear_down(state);
}

static void begin(void)
{
    struct err e = {0};

    assert_int_equal(watcher_start(&t.w, &e), 0);
    t.started = true;
}

/* Runs the loop until that is in the log. */
static void await(const char *words)
{
    uint64_t until = clock_mono_ms() + PATIENCE_MS;

    while (!logged(words) && clock_mono_ms() < until) {
        fake_pump(&t.w.loop);
        clock_sleep_ms(1);
    }
    assert_true(logged(words));
}

/* Runs the loop for a moment, in which nothing must happen. */
static void rest(void)
{
    for (uint64_t until = clock_mono_ms() + 100; clock_mono_ms() < until; clock_sleep_ms(5))
        fake_pump(&t.w.loop);
}

static bool is_there(const char *name)
{
    char path[PATH_MAX + 32];

    snprintf(path, sizeof(path), "%s/%s", t.folder, name);
    return access(path, F_OK) == 0;
}

static void put(const char *name)
{
    scratch_put("dumps", name, "JAVA PROFILE 1.0.2");
}

static int open_to_write(const char *name)
{
    char path[PATH_MAX + 32];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", t.folder, name);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "JAVA PROFILE 1.0.2", 19), 19);
    return fd;
}

static void remove_file(const char *name)
{
    char path[PATH_MAX + 32];

    snprintf(path, sizeof(path), "%s/%s", t.folder, name);
    assert_int_equal(unlink(path), 0);
}

static void a_file_that_was_there_is_claimed_and_queued(void **state)
{
    struct wire job;

    (void)state;
    put("a.hprof");
    begin();
    assert_int_equal(pool_count(t.w.pool), 1);
    assert_false(is_there("a.hprof")); /* its path is free for the next one */
    assert_true(logged("event=claimed"));
    assert_int_equal(t.w.candidates.count, 0);
    assert_int_equal(fake_hear(0, &job), WIRE_JOB);
    assert_true(job.fd[0] >= 0 && job.fd[1] >= 0);
    assert_non_null(strstr(job.text, "a.hprof"));
    wire_done(&job);
}

static void a_file_that_appears_is_claimed_and_queued(void **state)
{
    (void)state;
    begin();
    assert_int_equal(pool_count(t.w.pool), 0);
    put("a.hprof");
    await("event=claimed");
    assert_int_equal(pool_count(t.w.pool), 1);
}

static void a_file_is_not_claimed_while_it_is_open_for_writing(void **state)
{
    int fd;

    (void)state;
    begin();
    fd = open_to_write("a.hprof");
    rest();
    assert_int_equal(pool_count(t.w.pool), 0);
    assert_int_equal(t.w.candidates.count, 1);
    close(fd);
    await("event=claimed");
    assert_int_equal(t.w.candidates.count, 0);
}

static void a_file_that_vanishes_is_forgotten(void **state)
{
    int fd;

    (void)state;
    begin();
    fd = open_to_write("a.hprof");
    rest();
    assert_int_equal(t.w.candidates.count, 1);
    remove_file("a.hprof");
    rest();
    assert_int_equal(t.w.candidates.count, 0);
    close(fd);
    rest();
    assert_int_equal(pool_count(t.w.pool), 0);
}

static void a_folder_that_vanishes_takes_its_candidates_along_and_is_found_again(void **state)
{
    int fd;

    (void)state;
    begin();
    fd = open_to_write("a.hprof");
    rest();
    assert_int_equal(file_remove_tree(AT_FDCWD, t.folder), 0);
    await("event=folder-gone");
    assert_int_equal(t.w.candidates.count, 0);
    close(fd);
    assert_int_equal(mkdir(t.folder, 0755), 0);
    put("b.hprof");
    await("event=folder-back");
    await("b.hprof");
    assert_int_equal(pool_count(t.w.pool), 1);
}

static void a_folder_below_is_watched_from_its_beginning_to_its_end(void **state)
{
    char path[PATH_MAX + 32];

    (void)state;
    begin();
    scratch_put("dumps/below", "a.hprof", "JAVA PROFILE 1.0.2");
    await("below/a.hprof");
    snprintf(path, sizeof(path), "%s/below", t.folder);
    assert_int_equal(file_remove_tree(AT_FDCWD, path), 0);
    rest();
    scratch_put("dumps/below", "b.hprof", "JAVA PROFILE 1.0.2");
    await("below/b.hprof");
    assert_int_equal(pool_count(t.w.pool), 2);
}

/* What the kernel does when its queue is full: it drops events, and says so. */
static void lose_events(void)
{
    struct source_events events = watcher_source_events(&t.w);
    char all[4096];

    assert_true(read(source_fd(t.w.source), all, sizeof(all)) > 0);
    events.overflow(events.ctx);
    watcher_scan_for_lost_events(&t.w);
    watcher_proceed(&t.w);
}

static void lost_events_are_made_good_by_a_scan(void **state)
{
    (void)state;
    begin();
    put("a.hprof");
    lose_events();
    assert_int_equal(pool_count(t.w.pool), 1);
    assert_true(logged("event=overflow"));
    assert_false(t.w.events_lost);
}

static void events_that_are_lost_without_end_do_not_make_it_scan_without_end(void **state)
{
    (void)state;
    begin();
    put("a.hprof");
    lose_events();
    put("b.hprof");
    lose_events();
    assert_int_equal(pool_count(t.w.pool), 1); /* not at once */
    assert_true(t.w.events_lost);
    assert_true(uv_is_active((uv_handle_t *)&t.w.rescan_timer));
    t.w.rescanned_ms = 1; /* long ago */
    watcher_scan_for_lost_events(&t.w);
    assert_int_equal(pool_count(t.w.pool), 2);
}

static void files_beyond_the_pools_room_stay_in_place_and_are_found_later(void **state)
{
    char name[16];
    unsigned count;

    (void)state;
    begin();
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "%u.hprof", i);
        put(name);
    }
    await("/15.hprof");
    count = pool_count(t.w.pool);
    assert_int_equal(count, MANY);
    t.w.pool->count = ALL; /* others have the rest */
    put("more.hprof");
    rest();
    assert_true(is_there("more.hprof"));
    assert_true(t.w.backlog);
    t.w.pool->count = count;
    pool_end_item(t.w.pool, t.w.pool->items, POOL_STORED);
    await("more.hprof");
    assert_false(t.w.backlog);
}

static void what_is_no_evidence_is_left_alone(void **state)
{
    (void)state;
    scratch_put("dumps", "core.js", "var core = 1;");
    begin();
    assert_true(logged("event=ignored"));
    assert_true(is_there("core.js"));
    assert_int_equal(pool_count(t.w.pool), 0);
    assert_int_equal(t.w.candidates.count, 0);
}

static void a_second_watch_of_the_same_folder_does_not_start(void **state)
{
    struct watcher second = {.config = &t.config, .mounts_fd = -1};
    struct err e = {0};

    (void)state;
    begin();
    assert_int_equal(uv_loop_init(&second.loop), 0);
    assert_int_equal(watcher_start(&second, &e), -FAULT_LOCKED);
    assert_non_null(strstr(e.msg, "another salvage"));
    watcher_done(&second);
    assert_int_equal(uv_loop_close(&second.loop), 0);
}

static void without_descriptors_it_does_not_start_and_says_why(void **state)
{
    struct rlimit before, none;
    struct err e = {0};
    int r;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){3, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    r = watcher_start(&t.w, &e);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(r, -EMFILE);
    assert_non_null(strstr(e.msg, "inotify"));
}

static void a_signal_lets_it_finish_within_its_grace_and_a_second_ends_it(void **state)
{
    (void)state;
    put("a.hprof");
    begin();
    assert_int_equal(fake_hear(0, NULL), WIRE_JOB);
    put("b.hprof"); /* closed just before the signal */
    kill(getpid(), SIGTERM);
    await("event=stopping");
    assert_int_equal(pool_count(t.w.pool), 2);
    assert_false(t.w.stopped);
    kill(getpid(), SIGTERM);
    await("event=stopped");
    assert_int_equal(t.w.left, 2);
    uv_run(&t.w.loop, UV_RUN_DEFAULT); /* ends */
    assert_int_equal(uv_loop_alive(&t.w.loop), 0);
}

static void once_ends_when_nothing_is_left(void **state)
{
    (void)state;
    t.config.once = true;
    begin();
    assert_true(t.w.stopped);
    assert_int_equal(t.w.left, 0);
}

static void what_is_left_is_taken_up_by_the_next_watch(void **state)
{
    (void)state;
    put("a.hprof");
    begin();
    assert_int_equal(pool_count(t.w.pool), 1);
    watcher_stop(&t.w);
    assert_true(logged("event=not-shipped"));
    uv_run(&t.w.loop, UV_RUN_DEFAULT);
    watcher_done(&t.w);
    assert_int_equal(uv_loop_close(&t.w.loop), 0);
    t.w = (struct watcher){.config = &t.config, .mounts_fd = -1};
    assert_int_equal(uv_loop_init(&t.w.loop), 0);
    begin();
    assert_int_equal(pool_count(t.w.pool), 1);
    assert_int_equal(fake_hear(1, NULL), WIRE_JOB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_that_was_there_is_claimed_and_queued, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_appears_is_claimed_and_queued, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_is_not_claimed_while_it_is_open_for_writing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_vanishes_is_forgotten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_that_vanishes_takes_its_candidates_along_and_is_found_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_folder_below_is_watched_from_its_beginning_to_its_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lost_events_are_made_good_by_a_scan, set_up, tear_down),
        cmocka_unit_test_setup_teardown(events_that_are_lost_without_end_do_not_make_it_scan_without_end, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(files_beyond_the_pools_room_stay_in_place_and_are_found_later, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_evidence_is_left_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_second_watch_of_the_same_folder_does_not_start, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_descriptors_it_does_not_start_and_says_why, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_signal_lets_it_finish_within_its_grace_and_a_second_ends_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(once_ends_when_nothing_is_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_left_is_taken_up_by_the_next_watch, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
