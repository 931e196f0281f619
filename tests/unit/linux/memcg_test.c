/* SPDX-License-Identifier: Apache-2.0
 *
 * Both versions of cgroups as folders made here: which level counts, what is read when, what is gone, and what a
 * container may have laid over it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "linux/memcg.h"
#include "scratch.h"

#define NO_LIMIT "9223372036854771712\n"

static uint64_t scratch_mount(void)
{
    uint64_t id = 0;

    assert_int_equal(proc_mount_id(scratch_fd, &id), 0);
    return id;
}

/* What mountinfo says of the scratch folder, as if it were the whole of a container's files. */
static void put_mounts(const char *pid, const char *root, const char *point, const char *rest, uint64_t id)
{
    char folder[64], line[256];

    snprintf(folder, sizeof(folder), "proc/%s", pid);
    snprintf(line, sizeof(line), "%" PRIu64 " 1 0:29 %s %s rw - %s\n", id, root, point, rest);
    scratch_put(folder, "mountinfo", line);
    snprintf(folder, sizeof(folder), "proc/%s/root", pid);
    assert_true(symlinkat("../..", scratch_fd, folder) == 0 || errno == EEXIST);
    snprintf(folder, sizeof(folder), "proc/%s/cwd", pid);
    assert_true(symlinkat("../..", scratch_fd, folder) == 0 || errno == EEXIST);
}

static int open_pid(pid_t pid, struct memcg *ret)
{
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    char root[64];

    snprintf(root, sizeof(root), "%s/proc", scratch_root);
    assert_int_equal(proc_open(root, pid, &p), 0);
    return memcg_open(&p, ret, NULL);
}

static void put_v1(const char *folder, const char *limit, const char *usage, const char *stat)
{
    scratch_put(folder, "memory.limit_in_bytes", limit);
    scratch_put(folder, "memory.usage_in_bytes", usage);
    scratch_put(folder, "memory.stat", stat);
}

static void put_v2(const char *folder, const char *limit, const char *usage, const char *stat)
{
    scratch_put(folder, "memory.max", limit);
    scratch_put(folder, "memory.current", usage);
    scratch_put(folder, "memory.stat", stat);
}

static int open_path(const char *folder, struct memcg *ret)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", scratch_root, folder);
    return memcg_open_path(path, ret, NULL);
}

static struct memcg_sample sample(struct memcg *m, uint64_t now_ms)
{
    struct memcg_sample s = {0};

    assert_int_equal(memcg_sample(m, now_ms, &s), 0);
    return s;
}

static void a_process_leads_to_its_cgroup_of_version_1(void **state)
{
    CLEANUP(memcg_done) struct memcg m = MEMCG_NONE;
    struct cgroup_events events = {0};
    char text[MEMCG_STAT_MAX];
    uint64_t shared;

    (void)state;
    scratch_put("proc/7", "cgroup", "4:memory:/docker/1\n0::/\n");
    put_mounts("7", "/docker/1", "/cg/memory", "cgroup cgroup rw,memory", scratch_mount());
    put_v1(
        "cg/memory", "1000\n", "600\n",
        "cache 0\nshmem 1\ninactive_file 9\nhierarchical_memory_limit 1000\ntotal_shmem 30\ntotal_inactive_file 100\n");
    scratch_put("cg/memory", "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n");
    assert_int_equal(open_pid(7, &m), 0);
    assert_false(m.v2);
    assert_int_equal(memcg_shared(&m, 1, &shared), 0);
    assert_int_equal(shared, 30);
    scratch_put("cg/memory", "memory.stat", "total_shmem 40\ntotal_inactive_file 100\n");
    assert_int_equal(memcg_shared(&m, 1, &shared), 0);
    assert_int_equal(shared, 30); /* of the same moment: read once */
    m.stat_text = text;
    assert_int_equal(memcg_shared(&m, 2, &shared), 0);
    assert_int_equal(shared, 40);
    assert_string_equal(text, "total_shmem 40\ntotal_inactive_file 100\n");
    scratch_put("cg/memory", "memory.stat", "total_inactive_file 100\nhierarchical_memory_limit 1000\n");
    assert_int_equal(memcg_shared(&m, 3, &shared), -ENOENT);
    assert_int_equal(sample(&m, 1).used, 500);
    assert_int_equal(sample(&m, 1).usage, 600);
    assert_int_equal(sample(&m, 1).room, 500);
    assert_int_equal(memcg_events(&m, false, &events), 0);
    assert_int_equal(events.oom_kill, 4);
    scratch_put("cg/memory", "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n");
    assert_int_equal(memcg_events(&m, false, &events), 0);
    assert_int_equal(events.oom_kill, 5);
}

static void a_process_leads_to_its_cgroup_of_version_2(void **state)
{
    CLEANUP(memcg_done) struct memcg m = MEMCG_NONE;
    struct cgroup_events events = {0};
    uint64_t shared;

    (void)state;
    scratch_put("proc/7", "cgroup", "0::/a\n");
    put_mounts("7", "/", "/cg", "cgroup2 cgroup2 rw", scratch_mount());
    put_v2("cg/a", "max\n", "600\n", "shmem 20\ninactive_file 100\n");
    scratch_put("cg/a", "memory.events", "low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\n");
    assert_int_equal(open_pid(7, &m), 0);
    assert_int_equal(memcg_shared(&m, 1, &shared), 0);
    assert_int_equal(shared, 20);
    assert_true(m.v2);
    assert_true(m.whole);
    assert_true(sample(&m, 1).room == UINT64_MAX);
    assert_true(memcg_limit(&m) == UINT64_MAX);
    assert_int_equal(sample(&m, 1).own_used, 500);
    assert_int_equal(memcg_events(&m, false, &events), 0);
    assert_int_equal(events.max, 3);
    assert_int_equal(memcg_events(&m, true, &events), -ENOENT);
}

static void our_own_mounts_come_first(void **state)
{
    CLEANUP(memcg_done) struct memcg ours = MEMCG_NONE, seen = MEMCG_NONE;

    (void)state;
    scratch_put("proc/7", "cgroup", "0::/pod/app\n");
    put_mounts("7", "/pod/app", "/inner", "cgroup2 cgroup2 rw", scratch_mount());
    put_mounts("self", "/", "/cg", "cgroup2 cgroup2 rw", scratch_mount());
    put_v2("inner", "500\n", "1\n", "");
    put_v2("cg/pod/app", "500\n", "2\n", "");
    put_v2("cg/pod", "400\n", "2\n", "");
    assert_int_equal(open_pid(7, &ours), 0);
    assert_int_equal(sample(&ours, 1).usage, 2);
    assert_int_equal(ours.levels, 2);
    put_mounts("self", "/other", "/cg", "cgroup2 cgroup2 rw", scratch_mount());
    assert_int_equal(open_pid(7, &seen), 0);
    assert_int_equal(sample(&seen, 1).usage, 1);
    assert_false(memcg_same(&ours, &seen));
    assert_true(memcg_same(&ours, &ours));
}

static void what_is_laid_over_a_mount_is_not_believed(void **state)
{
    CLEANUP(memcg_done) struct memcg m = MEMCG_NONE;

    (void)state;
    scratch_put("proc/7", "cgroup", "0::/a\n");
    put_mounts("7", "/", "/cg", "cgroup2 cgroup2 rw", scratch_mount() + 1000);
    put_v2("cg/a", "1\n", "600\n", "");
    assert_int_equal(open_pid(7, &m), -ENOENT);
    assert_int_equal(m.fd, -1);
}

static void a_cgroup_without_the_controller_counts_further_up(void **state)
{
    CLEANUP(memcg_done) struct memcg m = MEMCG_NONE;

    (void)state;
    scratch_put("proc/7", "cgroup", "0::/a/b/c\n");
    put_mounts("7", "/", "/cg", "cgroup2 cgroup2 rw", scratch_mount());
    put_v2("cg/a", "700\n", "600\n", "");
    scratch_put("cg/a/b/c", "cgroup.procs", "");
    assert_int_equal(open_pid(7, &m), 0);
    assert_int_equal(sample(&m, 1).usage, 600);
}

static void where_nothing_is_to_be_seen_nothing_is_opened(void **state)
{
    CLEANUP(memcg_done) struct memcg m = MEMCG_NONE;

    (void)state;
    scratch_put("proc/7", "comm", "x");
    assert_int_equal(open_pid(7, &m), -ESRCH);
    scratch_put("proc/7", "cgroup", "0::/a\n");
    put_mounts("7", "/", "/cg", "cgroup2 cgroup2 rw", scratch_mount());
    assert_int_equal(open_pid(7, &m), -ENOENT);
    assert_int_equal(file_mkdirs(scratch_fd, "cg/a", 0755), 0);
    assert_int_equal(open_pid(7, &m), -ENOENT);
    assert_int_equal(open_path("cg/a", &m), -ENOENT);
    assert_int_equal(open_path("cg/none", &m), -ENOENT);
    scratch_put("cg/a", "memory.current", "12\n");
    assert_int_equal(open_pid(7, &m), -ENOENT); /* no limit, no stat */
    put_v2("cg/a", "nonsense\n", "12\n", "");
    assert_int_equal(open_path("cg/a", &m), -EINVAL);
    put_v2("cg/a", "100\n", "-12\n", "");
    assert_int_equal(open_path("cg/a", &m), -EINVAL);
    assert_int_equal(m.fd, -1);
}

static void the_level_with_the_least_room_counts(void **state)
{
    CLEANUP(memcg_done) struct memcg m = MEMCG_NONE;
    struct memcg_sample s;

    (void)state;
    put_v2("cg/node", "max\n", "90000\n", "");
    put_v2("cg/node/pod", "1000\n", "900\n", "inactive_file 50\n");
    put_v2("cg/node/pod/app", "800\n", "300\n", "");
    assert_int_equal(open_path("cg/node/pod/app", &m), 0);
    assert_int_equal(m.levels, 3);
    s = sample(&m, 1);
    assert_int_equal(s.level, 1);
    assert_int_equal(s.limit, 1000);
    assert_int_equal(s.used, 850);
    assert_int_equal(s.room, 150);
    assert_int_equal(s.own_used, 300);
    assert_int_equal(memcg_limit(&m), 800);
    scratch_put("cg/node/pod/app", "memory.current", "700\n");
    s = sample(&m, 2);
    assert_int_equal(s.level, 0);
    assert_int_equal(s.room, 100);
}

static void a_limit_that_changes_is_seen_within_seconds_and_near_it_sooner(void **state)
{
    CLEANUP(memcg_done) struct memcg m = MEMCG_NONE;

    (void)state;
    put_v2("cg/a", "1000\n", "100\n", "");
    put_v2("cg", "max\n", "100\n", "");
    assert_int_equal(open_path("cg/a", &m), 0);
    assert_int_equal(sample(&m, 10000).limit, 1000);
    scratch_put("cg/a", "memory.max", "2000\n");
    assert_int_equal(sample(&m, 13000).limit, 1000);
    assert_int_equal(sample(&m, 14001).limit, 2000);
    scratch_put("cg/a", "memory.current", "1900\n");
    assert_int_equal(sample(&m, 15300).room, 100);
    scratch_put("cg/a", "memory.max", "max\n");
    assert_int_equal(sample(&m, 15400).limit, 2000);
    assert_true(sample(&m, 15600).limit == UINT64_MAX);
    scratch_put("cg", "memory.max", "1950\n"); /* a limit where there was none */
    assert_true(sample(&m, 21000).limit == UINT64_MAX);
    assert_int_equal(sample(&m, 60000).limit, 1950);
    assert_int_equal(sample(&m, 60000).level, 1);
}

static void a_limit_out_of_sight_is_known_to_version_1(void **state)
{
    CLEANUP(memcg_done) struct memcg m = MEMCG_NONE;

    (void)state;
    put_v1("cg", NO_LIMIT, "300\n", "hierarchical_memory_limit 500\ntotal_inactive_file 0\n");
    assert_int_equal(open_path("cg", &m), 0);
    assert_int_equal(sample(&m, 1).limit, 500);
    assert_int_equal(sample(&m, 1).room, 200);
    assert_int_equal(memcg_limit(&m), 500);
    assert_false(m.whole);
    memcg_done(&m);
    put_v1("cg", NO_LIMIT, "300\n", "hierarchical_memory_limit " NO_LIMIT "total_inactive_file 0\n");
    assert_int_equal(open_path("cg", &m), 0);
    assert_true(sample(&m, 1).limit == UINT64_MAX);
    assert_true(m.whole);
}

static void levels_that_count_for_themselves_are_none_of_ours(void **state)
{
    CLEANUP(memcg_done) struct memcg m = MEMCG_NONE;

    (void)state;
    put_v1("cg", "200\n", "150\n", "");
    scratch_put("cg", "memory.use_hierarchy", "0\n");
    put_v1("cg/a", "1000\n", "100\n", "");
    assert_int_equal(open_path("cg/a", &m), 0);
    assert_int_equal(m.levels, 1);
    assert_int_equal(sample(&m, 1).room, 900);
}

static void more_used_than_the_limit_leaves_no_room(void **state)
{
    CLEANUP(memcg_done) struct memcg m = MEMCG_NONE;

    (void)state;
    put_v2("cg/a", "0\n", "700\n", "inactive_file 18446744073709551615\n");
    assert_int_equal(open_path("cg/a", &m), 0);
    assert_int_equal(sample(&m, 1).room, 0);
    assert_int_equal(sample(&m, 1).used, 0);
    put_v2("cg/a", "100\n", "700\n", "inactive_file 1\n");
    assert_int_equal(sample(&m, 10000).room, 0);
    assert_int_equal(sample(&m, 10001).used, 699);
}

static void pressure_is_the_cgroups_own_or_the_machines(void **state)
{
    CLEANUP(memcg_done) struct memcg m = MEMCG_NONE;
    struct psi psi = {0};
    bool machine = true;

    (void)state;
    put_v2("cg/a", "0\n", "700\n", "");
    scratch_put("cg/a", "memory.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=42\n");
    assert_int_equal(open_path("cg/a", &m), 0);
    assert_int_equal(memcg_pressure(&m, &psi, &machine), 0);
    assert_false(machine);
    assert_int_equal(psi.some.total_us, 42);
    scratch_put("cg/a", "memory.pressure", "");
    assert_int_equal(memcg_pressure(&m, &psi, &machine), -EINVAL);
}

static void clean_pages_are_not_needed_dirty_ones_and_shmem_are(void **state)
{
    CLEANUP(memcg_done) struct memcg m = MEMCG_NONE;
    struct memcg_sample s;

    (void)state;
    put_v2("cg/a", "10000\n", "9000\n",
           "inactive_file 2000\nactive_file 3000\nfile_dirty 1000\nfile_writeback 500\nshmem 700\n"
           "slab_reclaimable 100\n");
    assert_int_equal(open_path("cg/a", &m), 0);
    s = sample(&m, 1);
    assert_int_equal(s.used, 7000);
    assert_int_equal(s.needed, 5500);
    assert_int_equal(s.room, 4500);
    assert_int_equal(s.own_firm, 3900);
    assert_int_equal(s.firm_room, 6100);
    put_v1("v1", "10000\n", "9000\n",
           "total_inactive_file 3200\ntotal_active_file 3200\ntotal_dirty 6400\ntotal_writeback 100\n");
    memcg_done(&m);
    assert_int_equal(open_path("v1", &m), 0);
    s = sample(&m, 1);
    assert_int_equal(s.needed, 9000);
    assert_int_equal(s.own_firm, 9000 - 6400 - 200);
}

static void usage_that_has_moved_has_its_cache_read_anew(void **state)
{
    CLEANUP(memcg_done) struct memcg m = MEMCG_NONE;

    (void)state;
    put_v2("cg/a", "64000\n", "10000\n", "");
    assert_int_equal(open_path("cg/a", &m), 0);
    assert_int_equal(sample(&m, 1).needed, 10000);
    put_v2("cg/a", "64000\n", "10900\n", "active_file 10000\n");
    assert_int_equal(sample(&m, 2).needed, 10900);
    memcg_forget_stat(&m);
    assert_int_equal(sample(&m, 3).needed, 900);
    put_v2("cg/a", "64000\n", "12000\n", "active_file 11000\n");
    assert_int_equal(sample(&m, 4).needed, 1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_process_leads_to_its_cgroup_of_version_1),
        TEST(a_process_leads_to_its_cgroup_of_version_2),
        TEST(our_own_mounts_come_first),
        TEST(what_is_laid_over_a_mount_is_not_believed),
        TEST(a_cgroup_without_the_controller_counts_further_up),
        TEST(where_nothing_is_to_be_seen_nothing_is_opened),
        TEST(the_level_with_the_least_room_counts),
        TEST(a_limit_that_changes_is_seen_within_seconds_and_near_it_sooner),
        TEST(a_limit_out_of_sight_is_known_to_version_1),
        TEST(levels_that_count_for_themselves_are_none_of_ours),
        TEST(more_used_than_the_limit_leaves_no_room),
        TEST(clean_pages_are_not_needed_dirty_ones_and_shmem_are),
        TEST(usage_that_has_moved_has_its_cache_read_anew),
        TEST(pressure_is_the_cgroups_own_or_the_machines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
