/* SPDX-License-Identifier: Apache-2.0
 *
 * Processes of a made up /proc that come, move and end, in cgroups that are folders made here. What only a kernel can
 * do, the errors of a cgroup after its rmdir, is not shown.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "guard/cgroup_discovery.h"
#include "scratch.h"

enum {
    P = 5000000, /* pids that no kernel gives: none of them is ours */
    KNOWN = 3,   /* scans until the cgroup of a process is no longer read */
    LOOK_MS = 5000
};

/* A discovery, and the process that its last scan reported. */
struct watch {
    struct cgroup_discovery discovery;
    uint64_t now_ms;
    int answer; /* of the callback */
    pid_t reported;
    unsigned times;
};

static int hear(void *ctx, pid_t pid, struct err *e)
{
    struct watch *w = ctx;

    (void)e;
    w->reported = pid;
    w->times++;
    return w->answer;
}

static unsigned scan(struct watch *w)
{
    char root[64];

    snprintf(root, sizeof(root), "%s/proc", scratch_root);
    w->reported = 0;
    w->times = 0;
    w->now_ms += LOOK_MS;
    assert_int_equal(cgroup_discovery_scan(&w->discovery, root, w->now_ms, hear, w), 0);
    return w->times;
}

/* So many that all processes are known, and far from the next that reads all. */
static void look_until_known(struct watch *w, unsigned first)
{
    assert_int_equal(scan(w), first);
    for (unsigned i = 1; i < KNOWN; i++)
        assert_int_equal(scan(w), 0);
}

/* Nothing is reported until a whole scan, which reports so many. */
static void scan_until_whole(struct watch *w, unsigned last)
{
    while (w->discovery.scans != 0)
        assert_int_equal(scan(w), 0);
    assert_int_equal(scan(w), last);
}

static void done(struct watch *w)
{
    cgroup_discovery_done(&w->discovery);
}

#define CLEANUP_WATCH CLEANUP(done) struct watch

static void put(pid_t pid, const char *file, const char *text)
{
    char folder[64];

    snprintf(folder, sizeof(folder), "proc/%d", (int)pid);
    scratch_put(folder, file, text);
}

static void put_process(pid_t pid, const char *cgroup)
{
    char text[128];

    snprintf(text, sizeof(text), "0::%s\n", cgroup);
    put(pid, "cgroup", text);
    put(pid, "status", "State:\tS (sleeping)\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n");
}

static void end_process(pid_t pid)
{
    char path[64];

    snprintf(path, sizeof(path), "proc/%d", (int)pid);
    assert_int_equal(file_remove_tree(scratch_fd, path), 0);
}

static void put_cgroup(const char *path, const char *limit)
{
    char folder[64];

    snprintf(folder, sizeof(folder), "cg%s", path);
    scratch_put(folder, "memory.max", limit);
    scratch_put(folder, "memory.current", "100\n");
    scratch_put(folder, "memory.stat", "inactive_file 10\n");
}

/* Who has this in its mountinfo sees all cgroups. */
static void put_mounts(const char *process)
{
    char folder[64], line[128];
    uint64_t id = 0;

    assert_int_equal(proc_mount_id(scratch_fd, &id), 0);
    snprintf(folder, sizeof(folder), "proc/%s", process);
    snprintf(line, sizeof(line), "%" PRIu64 " 1 0:29 / /cg rw - cgroup2 cgroup2 rw\n", id);
    scratch_put(folder, "mountinfo", line);
    snprintf(folder, sizeof(folder), "proc/%s/root", process);
    assert_int_equal(symlinkat("../..", scratch_fd, folder), 0);
}

static int set_up(void **state)
{
    int r = scratch_set_up(state);

    if (r == 0) {
        put_mounts("self");
        put_cgroup("/host", "max\n");
        put_cgroup("/a", "1000\n");
        put_cgroup("/b", "1000\n");
    }
    return r;
}

static void a_cgroup_is_told_once_though_many_processes_are_in_it(void **state)
{
    CLEANUP_WATCH w = {0};

    (void)state;
    for (int i = 1; i <= 30; i++)
        put_process(P + i, i % 2 ? "/a" : "/host");
    assert_int_equal(scan(&w), 1);
    assert_int_equal(w.reported, P + 1);
    for (int i = 0; i < 3 * CGROUP_DISCOVERY_WHOLE; i++)
        assert_int_equal(scan(&w), 0);
}

static void a_process_that_comes_in_a_new_cgroup_is_told_at_the_next_look(void **state)
{
    CLEANUP_WATCH w = {0};

    (void)state;
    put_process(P + 5, "/a");
    look_until_known(&w, 1);
    put_process(P + 6, "/a");
    assert_int_equal(scan(&w), 0);
    put_process(P + 4, "/b");
    put_process(P + 7, "/b");
    assert_int_equal(scan(&w), 1);
    assert_int_equal(w.reported, P + 4);
    scan_until_whole(&w, 0);
}

static void one_that_moves_is_found_in_its_first_looks_at_once(void **state)
{
    CLEANUP_WATCH w = {0};

    (void)state;
    put_process(P + 1, "/host");
    put_process(P + 2, "/host");
    assert_int_equal(scan(&w), 0);
    put_process(P + 1, "/a");
    assert_int_equal(scan(&w), 1);
    put_process(P + 2, "/b");
    assert_int_equal(scan(&w), 1);
    assert_int_equal(w.reported, P + 2);
}

static void one_that_moves_later_is_found_when_all_are_read(void **state)
{
    CLEANUP_WATCH w = {0};

    (void)state;
    for (int i = 1; i <= 30; i++) /* listed in no order: each must be known again all the same */
        put_process(P + i, "/host");
    look_until_known(&w, 0);
    for (int i = 1; i <= 30; i++)
        put_process(P + i, "/a");
    scan_until_whole(&w, 1);
}

static void what_is_refused_is_told_again(void **state)
{
    CLEANUP_WATCH w = {.answer = -ENOSPC};

    (void)state;
    put_process(P + 1, "/a");
    put_process(P + 2, "/a");
    assert_int_equal(scan(&w), 1);
    scan_until_whole(&w, 1);
    w.answer = 0;
    scan_until_whole(&w, 1);
    scan_until_whole(&w, 0);
}

static void a_cgroup_without_a_limit_is_told_when_it_gets_one(void **state)
{
    CLEANUP_WATCH w = {0};

    (void)state;
    put_process(P + 1, "/host");
    look_until_known(&w, 0);
    scan_until_whole(&w, 0);
    put_cgroup("/host", "1000\n");
    scan_until_whole(&w, 1);
    assert_int_equal(w.reported, P + 1);
    scan_until_whole(&w, 0);
}

static void or_when_one_above_it_gets_one(void **state)
{
    CLEANUP_WATCH w = {0};

    (void)state;
    put_cgroup("/host/service", "max\n");
    put_process(P + 1, "/host/service");
    scan_until_whole(&w, 0);
    put_cgroup("/host", "1000\n");
    scan_until_whole(&w, 1);
}

static void a_cgroup_out_of_sight_is_tried_again_when_all_are_read(void **state)
{
    CLEANUP_WATCH w = {0};

    (void)state;
    put_process(P + 1, "/c");
    look_until_known(&w, 0);
    put_cgroup("/c", "1000\n");
    scan_until_whole(&w, 1);
}

static void one_that_is_forgotten_is_told_again_by_processes_that_are_known(void **state)
{
    CLEANUP_WATCH w = {0};
    CLEANUP(memcg_done) struct memcg a = MEMCG_NONE, host = MEMCG_NONE;
    char path[64];

    (void)state;
    put_process(P + 1, "/a");
    put_process(P + 2, "/b");
    put_process(P + 3, "/host");
    look_until_known(&w, 2);
    snprintf(path, sizeof(path), "%s/cg/a", scratch_root);
    assert_int_equal(memcg_open_path(path, &a, NULL), 0);
    snprintf(path, sizeof(path), "%s/cg/host", scratch_root);
    assert_int_equal(memcg_open_path(path, &host, NULL), 0);
    cgroup_discovery_forget(&w.discovery, &host); /* was never reported */
    assert_int_equal(scan(&w), 0);
    cgroup_discovery_forget(&w.discovery, &a);
    assert_int_equal(scan(&w), 1);
    assert_int_equal(w.reported, P + 1);
    scan_until_whole(&w, 0);
}

static void a_process_that_vanishes_hides_nobody(void **state)
{
    CLEANUP_WATCH w = {0};

    (void)state;
    put(P + 1, "comm", "gone"); /* listed, and then without a cgroup */
    put_process(P + 2, "/a");
    assert_int_equal(scan(&w), 1);
    assert_int_equal(w.reported, P + 2);
}

static void one_that_ends_before_its_cgroup_is_open_hides_nobody_in_it(void **state)
{
    CLEANUP_WATCH w = {0};
    char process[16];

    (void)state;
    assert_int_equal(file_remove_tree(scratch_fd, "proc/self"), 0); /* a sidecar's view: by the process's own mounts */
    put_process(P + 1, "/a");
    put(P + 1, "status", "State:\tZ (zombie)\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n");
    assert_int_equal(scan(&w), 0);
    put_process(P + 2, "/a");
    snprintf(process, sizeof(process), "%d", P + 2);
    put_mounts(process);
    assert_int_equal(scan(&w), 1);
    assert_int_equal(w.reported, P + 2);
    scan_until_whole(&w, 0);
}

static void one_whose_cgroup_could_not_be_read_is_read_again(void **state)
{
    CLEANUP_WATCH w = {0};

    (void)state;
    put(P + 1, "comm", "x");
    for (int i = 0; i <= KNOWN; i++)
        assert_int_equal(scan(&w), 0);
    put_process(P + 1, "/a");
    assert_int_equal(scan(&w), 1);
}

static void we_ourselves_are_not_looked_at(void **state)
{
    CLEANUP_WATCH w = {0};

    (void)state;
    put_process(getpid(), "/a");
    assert_int_equal(scan(&w), 0);
    assert_int_equal(w.discovery.count, 0);
}

static unsigned open_files(void)
{
    CLEANUP_DIR DIR *dir = file_opendir(AT_FDCWD, "/proc/self/fd");
    unsigned count = 0;

    assert_non_null(dir);
    while (readdir(dir))
        count++;
    return count;
}

static void what_is_gone_is_kept_no_longer_than_until_all_are_read(void **state)
{
    CLEANUP_WATCH w = {0};
    unsigned before = open_files();

    (void)state;
    for (int i = 1; i <= 100; i++) {
        char path[32];

        snprintf(path, sizeof(path), "/host/%d", i);
        put_cgroup(path, i % 2 ? "1000\n" : "max\n");
        put_process(P + i, path);
    }
    assert_int_equal(scan(&w), 50);
    assert_int_equal(w.discovery.count, 100);
    assert_int_equal(w.discovery.groups, 100);
    assert_true(open_files() > before);
    for (int i = 2; i <= 100; i++)
        end_process(P + i);
    scan_until_whole(&w, 0);
    assert_int_equal(w.discovery.count, 1);
    assert_int_equal(w.discovery.groups, 1);
    assert_int_equal(open_files(), before);
    put_process(P + 2, "/host/1");
    put_process(P + 3, "/host/3");
    assert_int_equal(scan(&w), 1); /* it is new again */
}

static void without_a_proc_nothing_is_forgotten(void **state)
{
    CLEANUP_WATCH w = {0};

    (void)state;
    put_process(P + 1, "/a");
    assert_int_equal(scan(&w), 1);
    assert_int_equal(cgroup_discovery_scan(&w.discovery, "/nonexistent", w.now_ms, hear, &w), -ENOENT);
    assert_int_equal(w.times, 1);
    assert_int_equal(w.discovery.count, 1);
    scan_until_whole(&w, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, scratch_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_cgroup_is_told_once_though_many_processes_are_in_it),
        TEST(a_process_that_comes_in_a_new_cgroup_is_told_at_the_next_look),
        TEST(one_that_moves_is_found_in_its_first_looks_at_once),
        TEST(one_that_moves_later_is_found_when_all_are_read),
        TEST(what_is_refused_is_told_again),
        TEST(a_cgroup_without_a_limit_is_told_when_it_gets_one),
        TEST(or_when_one_above_it_gets_one),
        TEST(a_cgroup_out_of_sight_is_tried_again_when_all_are_read),
        TEST(one_that_is_forgotten_is_told_again_by_processes_that_are_known),
        TEST(a_process_that_vanishes_hides_nobody),
        TEST(one_that_ends_before_its_cgroup_is_open_hides_nobody_in_it),
        TEST(one_whose_cgroup_could_not_be_read_is_read_again),
        TEST(we_ourselves_are_not_looked_at),
        TEST(what_is_gone_is_kept_no_longer_than_until_all_are_read),
        TEST(without_a_proc_nothing_is_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
