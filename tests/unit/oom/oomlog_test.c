/* SPDX-License-Identifier: Apache-2.0
 *
 * Logs of kernels from 4.19 to 6.18, shortened, to kills: memory cgroups of v1 and v2, the whole machine, groups; and
 * names of processes and cgroups that were made to be taken for something else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "oom/oomlog.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define UNKNOWN OOMKILL_UNKNOWN
#define KB UINT64_C(1024)
#define PAGE UINT64_C(4096)

enum { KILLS_MAX = 8 };

static struct oomlog *oomlog;
static struct oomkill kill[KILLS_MAX];
static unsigned kills;
static uint64_t usec, sequence;

static int set_up(void **state)
{
    (void)state;
    kills = 0;
    usec = 1000 * 1000;
    sequence = 1;
    oomlog = oomlog_new(PAGE);
    return oomlog ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    oomlog_free(oomlog);
    return 0;
}

static void keep(const struct oomkill *k)
{
    if (k && kills < KILLS_MAX)
        kill[kills++] = *k;
}

static void feed_record(const char *text, bool continued, unsigned facility)
{
    static struct kmsgrecord r;

    r.facility = facility;
    r.sequence = sequence++;
    r.usec = usec += 10;
    r.continued = continued;
    r.size = strlen(text);
    memcpy(r.text, text, r.size + 1);
    keep(oomlog_feed(oomlog, &r));
}

static void feed(const char *text)
{
    feed_record(text, false, 0);
}

static void feed_all(const char *const *lines)
{
    for (; *lines; lines++)
        feed(*lines);
}

/* All kills of a log. */
static unsigned read_log(const char *const *lines)
{
    feed_all(lines);
    keep(oomlog_flush(oomlog));
    return kills;
}

static uint64_t stat(const struct oomkill *k, const char *name)
{
    for (unsigned i = 0; i < k->stat_count; i++)
        if (text_eq(k->stat[i].name, name))
            return k->stat[i].value;
    return UNKNOWN;
}

/* --- versions -------------------------------------------------------------------------------------------------------
 */

static const char *const LINUX_6_18_V1[] = {
    "hog invoked oom-killer: gfp_mask=0x100cca(GFP_HIGHUSER_MOVABLE), order=0, oom_score_adj=-3",
    "CPU: 1 UID: 0 PID: 18617 Comm: hog Not tainted 6.18.3 #1 PREEMPT(full) ",
    "Call Trace:",
    " <TASK>",
    " dump_stack_lvl+0x5d/0x80",
    "RIP: 0033:0x423efa",
    " </TASK>",
    "memory: usage 65536kB, limit 65536kB, failcnt 7",
    "memory+swap: usage 65536kB, limit 65536kB, failcnt 0",
    "kmem: usage 352kB, limit 9007199254740988kB, failcnt 0",
    "Memory cgroup stats for /docker/" ID ":",
    "cache 0",
    "rss 66748416",
    "usb 1-1: new high-speed USB device number 4 using xhci_hcd",
    "workingset_refault_anon 0",
    "hierarchical_memory_limit 67108864",
    "total_rss 66748416",
    "Tasks state (memory values in pages):",
    "[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name",
    "[  18610]  1000 18610      250        4        2        1         1    45056        3          -999 init",
    "[  18617]     0 18617    16697    16304    16288       16         0   167936        5            -3 hog",
    "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=" ID ",mems_allowed=0,oom_memcg=/docker/" ID
    ",task_memcg=/docker/" ID ",task=hog,pid=18617,uid=0",
    "Memory cgroup out of memory: Killed process 18617 (hog) total-vm:66788kB, anon-rss:65152kB, file-rss:64kB, "
    "shmem-rss:4kB, UID:0 pgtables:164kB oom_score_adj:-3",
    "oom_reaper: reaped process 18617 (hog), now anon-rss:0kB, file-rss:64kB, shmem-rss:4kB",
    NULL,
};

static void linux_6_18_cgroup_v1(void **state)
{
    const struct oomkill *k = kill;

    (void)state;
    assert_int_equal(read_log(LINUX_6_18_V1), 1);
    assert_string_equal(k->source, "kernel-log");
    assert_string_equal(k->why, "limit");
    assert_null(k->note);
    assert_int_equal(k->process.pid, 18617);
    assert_string_equal(k->process.name, "hog");
    assert_int_equal(k->process.uid, 0);
    assert_int_equal(k->process.rss, 65220 * KB);
    assert_int_equal(k->process.rss_shmem, 4 * KB);
    assert_int_equal(k->process.total_vm, 66788 * KB);
    assert_int_equal(k->process.pgtables, 164 * KB);
    assert_int_equal(k->process.swap, 5 * PAGE); /* from the table */
    assert_int_equal(k->process.oom_score_adj, -3);
    assert_string_equal(k->task_cgroup, "/docker/" ID);
    assert_string_equal(k->limit_cgroup, "/docker/" ID);
    assert_string_equal(k->where.container_id, ID);
    assert_string_equal(k->where.pod_uid, "");
    assert_int_equal(k->memory.usage, 65536 * KB);
    assert_int_equal(k->memory.limit, 65536 * KB);
    assert_int_equal(k->memory.failcnt, 7);
    assert_int_equal(k->memory_swap.limit, 65536 * KB);
    assert_int_equal(k->kmem.usage, 352 * KB);
    assert_int_equal(k->kmem.limit, UNKNOWN);
    assert_int_equal(k->swap.usage, UNKNOWN);
    assert_string_equal(k->invoker.name, "hog");
    assert_int_equal(k->invoker.pid, 18617);
    assert_string_equal(k->invoker.gfp, "0x100cca(GFP_HIGHUSER_MOVABLE)");
    assert_int_equal(k->invoker.order, 0);
    assert_int_equal(k->invoker.oom_score_adj, -3);
    assert_int_equal(k->stat_count, 5);
    assert_int_equal(stat(k, "rss"), 66748416);
    assert_int_equal(stat(k, "total_rss"), 66748416);
    assert_int_equal(k->task_count, 2);
    assert_int_equal(k->task_total, 2);
    assert_string_equal(k->task[0].name, "init");
    assert_int_equal(k->task[0].uid, 1000);
    assert_int_equal(k->task[0].rss, 4 * PAGE);
    assert_int_equal(k->task[0].rss_anon, 2 * PAGE);
    assert_int_equal(k->task[0].swap, 3 * PAGE);
    assert_int_equal(k->task[0].pgtables, 45056);
    assert_int_equal(k->task[0].oom_score_adj, -999);
    assert_int_equal(k->kernel.sequence, 23);
    assert_int_equal(k->kernel.usec, 1000230);
    assert_true(k->reaped);
    assert_int_equal(k->group.total, 0);
}

#define POD_6_1 "/kubepods.slice/kubepods-pod6f1c2a3b_0000_1111_2222_333344445555.slice"
#define CONTAINER_6_1 POD_6_1 "/cri-containerd-" ID ".scope"

/* v2: all statistics in one record; the limit is the pod's. */
static const char *const LINUX_6_1_V2[] = {
    "http-worker-1 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=984",
    "CPU: 0 PID: 731 Comm: http-worker-1 Not tainted 6.1.0-30-amd64 #1  Debian 6.1.124-1",
    "memory: usage 24576kB, limit 24576kB, failcnt 78",
    "swap: usage 0kB, limit 9007199254740988kB, failcnt 0",
    "Memory cgroup stats for " POD_6_1 ":",
    "anon 24756224\nfile 4096\nkernel 360448\nthp_fault_alloc 0\nthp_collapse_alloc 0",
    "Tasks state (memory values in pages):",
    "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
    "[    730]  1000   730     6270     6040    86016        0           984 java",
    "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=cri-containerd-" ID ".scope,mems_allowed=0,"
    "oom_memcg=" POD_6_1 ",task_memcg=" CONTAINER_6_1 ",task=java,pid=730,uid=1000",
    "Memory cgroup out of memory: Killed process 730 (java) total-vm:25080kB, anon-rss:23552kB, file-rss:608kB, "
    "shmem-rss:0kB, UID:1000 pgtables:84kB oom_score_adj:984",
    NULL,
};

static void linux_6_1_cgroup_v2_in_a_pod(void **state)
{
    const struct oomkill *k = kill;

    (void)state;
    assert_int_equal(read_log(LINUX_6_1_V2), 1);
    assert_string_equal(k->why, "parent-limit");
    assert_string_equal(k->limit_cgroup, POD_6_1);
    assert_string_equal(k->task_cgroup, CONTAINER_6_1);
    assert_string_equal(k->where.container_id, ID);
    assert_string_equal(k->where.pod_uid, "6f1c2a3b-0000-1111-2222-333344445555");
    assert_int_equal(k->memory.limit, 24576 * KB);
    assert_int_equal(k->swap.usage, 0);
    assert_int_equal(k->swap.limit, UNKNOWN);
    assert_int_equal(k->memory_swap.usage, UNKNOWN);
    assert_int_equal(k->stat_count, 5);
    assert_int_equal(stat(k, "anon"), 24756224);
    assert_int_equal(stat(k, "thp_collapse_alloc"), 0);
    assert_int_equal(k->invoker.pid, 731);
    assert_int_equal(k->task[0].rss, 6040 * PAGE);
    assert_int_equal(k->task[0].rss_anon, UNKNOWN);
    assert_false(k->reaped);
}

static const char *const LINUX_4_19[] = {
    "java invoked oom-killer: gfp_mask=0x6000c0(GFP_KERNEL), nodemask=(null), order=0, oom_score_adj=-998",
    "java cpuset=" ID " mems_allowed=0-1",
    "CPU: 40 PID: 62769 Comm: java Not tainted 4.19.4-1 #1",
    "Call Trace:",
    "Task in /docker/" ID "/inner killed as a result of limit of /docker/" ID,
    "memory: usage 524288kB, limit 524288kB, failcnt 0",
    "memory+swap: usage 524288kB, limit 524288kB, failcnt 38",
    "kmem: usage 16560kB, limit 9007199254740988kB, failcnt 0",
    "Memory cgroup stats for /docker/" ID ": cache:507172KB rss:448KB inactive_anon:0KB",
    "Memory cgroup stats for /docker/" ID "/inner: cache:1KB rss:2KB inactive_anon:3KB",
    "Tasks state (memory values in pages):",
    "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
    "[  62685]     0 62685     2925      679    65536        0          -998 bash",
    "[  62769]  1000 62769     4382      411    77824        2          -998 java",
    "Memory cgroup out of memory: Kill process 62685 (bash) score 0 or sacrifice child",
    "Killed process 62769 (java) total-vm:17528kB, anon-rss:292kB, file-rss:1352kB, shmem-rss:0kB",
    "oom_reaper: reaped process 62769 (java), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB",
    NULL,
};

static void linux_4_19(void **state)
{
    const struct oomkill *k = kill;

    (void)state;
    assert_int_equal(read_log(LINUX_4_19), 1);
    assert_string_equal(k->why, "parent-limit");
    assert_string_equal(k->task_cgroup, "/docker/" ID "/inner");
    assert_string_equal(k->limit_cgroup, "/docker/" ID);
    assert_string_equal(k->where.container_id, ID);
    assert_int_equal(k->memory.limit, 524288 * KB);
    assert_int_equal(k->stat_count, 3); /* not those of /inner */
    assert_int_equal(stat(k, "cache"), 507172 * KB);
    assert_int_equal(stat(k, "inactive_anon"), 0);
    assert_string_equal(k->invoker.gfp, "0x6000c0(GFP_KERNEL)");
    assert_int_equal(k->process.pid, 62769);
    assert_int_equal(k->process.rss, 1644 * KB);
    /* The line itself lacks these. */
    assert_int_equal(k->process.uid, 1000);
    assert_int_equal(k->process.pgtables, 77824);
    assert_int_equal(k->process.swap, 2 * PAGE);
    assert_int_equal(k->process.oom_score_adj, -998);
    assert_true(k->reaped);
}

static const char *const LINUX_5_15_MACHINE[] = {
    "kswapd-like invoked oom-killer: gfp_mask=0x140dca(GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO), order=2, "
    "oom_score_adj=0",
    "Mem-Info:",
    "active_anon:57988 inactive_anon:147 isolated_anon:0\n active_file:578 inactive_file:1353 isolated_file:0",
    "Node 0 DMA free:15360kB min:28kB low:40kB high:52kB",
    "1933 total pagecache pages",
    "262014 pages RAM",
    "0 pages HighMem/MovableOnly",
    "Tasks state (memory values in pages):",
    "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
    "[    100]     0   100     6270   200000    86016        0             0 mysqld",
    "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,"
    "task_memcg=/system.slice/mysql.service,task=mysqld,pid=100,uid=112",
    "Out of memory: Killed process 100 (mysqld) total-vm:25080kB, anon-rss:800000kB, file-rss:0kB, shmem-rss:0kB, "
    "UID:112 pgtables:84kB oom_score_adj:0",
    NULL,
};

static void the_whole_machine(void **state)
{
    const struct oomkill *k = kill;

    (void)state;
    assert_int_equal(read_log(LINUX_5_15_MACHINE), 1);
    assert_string_equal(k->why, "machine");
    assert_string_equal(k->task_cgroup, "/system.slice/mysql.service");
    assert_string_equal(k->limit_cgroup, "");
    assert_int_equal(k->memory.limit, UNKNOWN);
    assert_int_equal(k->ram, 262014 * PAGE);
    assert_int_equal(k->invoker.order, 2);
    assert_string_equal(k->where.container_id, "");
}

/* --- groups ---------------------------------------------------------------------------------------------------------
 */

#define GROUP_SUMMARY(pid)                                                                                             \
    "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/g,task_memcg=/g,"         \
    "task=hog,pid=" pid ",uid=0"
#define KILLED(pid, name)                                                                                              \
    "Memory cgroup out of memory: Killed process " pid " (" name ") total-vm:40kB, anon-rss:20kB, file-rss:4kB, "      \
    "shmem-rss:0kB, UID:0 pgtables:40kB oom_score_adj:0"
#define INVOKED "hog invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0"
#define HEADER "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name"
#define ROW(pid, name) "[     " pid "]     0   " pid "      250        6    45056        1             0 " name

static void a_group_is_one_kill(void **state)
{
    static const char *const lines[] = {
        INVOKED,
        HEADER,
        ROW("80", "sleep"),
        ROW("81", "hog"),
        ROW("82", "sleep"),
        GROUP_SUMMARY("81"),
        KILLED("81", "hog"),
        "Tasks in /g are going to be killed due to memory.oom.group set",
        KILLED("80", "sleep"),
        KILLED("81", "hog"), /* the kernel logs it again if the process still exists */
        KILLED("82", "sleep"),
        KILLED("82", "sleep"),
        KILLED("90", "other"), /* not of those that were there */
        NULL,
    };

    (void)state;
    assert_int_equal(read_log(lines), 2);
    assert_int_equal(kill[0].process.pid, 81);
    assert_string_equal(kill[0].group.cgroup, "/g");
    assert_int_equal(kill[0].group.total, 2);
    assert_int_equal(kill[0].group.count, 2);
    assert_int_equal(kill[0].group.process[0].pid, 80);
    assert_int_equal(kill[0].group.process[0].swap, PAGE);
    assert_int_equal(kill[0].group.process[1].pid, 82);
    assert_int_equal(kill[0].group.again, 2);
    assert_int_equal(kill[1].process.pid, 90);
    assert_int_equal(kill[1].group.total, 0);
}

static void a_group_has_an_end(void **state)
{
    (void)state;
    feed(KILLED("81", "hog"));
    assert_false(oomlog_in_group(oomlog));
    feed("Tasks in /g are going to be killed due to memory.oom.group set");
    assert_true(oomlog_in_group(oomlog));
    feed(KILLED("82", "sleep"));
    usec += 2000 * 1000;
    feed(KILLED("83", "sleep"));
    keep(oomlog_flush(oomlog));
    assert_int_equal(kills, 2);
    assert_int_equal(kill[0].group.total, 1);
}

/* --- what is not whole ----------------------------------------------------------------------------------------------
 */

static void of_many_kills_the_kernel_says_little(void **state)
{
    static const char *const lines[] = {KILLED("81", "hog"), KILLED("82", "hog"),
                                        "Out of memory (oom_kill_allocating_task): Killed process 83 (hog) "
                                        "total-vm:40kB, anon-rss:20kB, file-rss:4kB, shmem-rss:0kB",
                                        NULL};

    (void)state;
    assert_int_equal(read_log(lines), 3);
    assert_string_equal(kill[0].why, "limit");
    assert_string_equal(kill[0].limit_cgroup, "");
    assert_int_equal(kill[0].memory.limit, UNKNOWN);
    assert_non_null(kill[0].note);
    assert_int_equal(kill[1].process.pid, 82);
    assert_string_equal(kill[2].why, "machine");
    assert_int_equal(kill[2].process.uid, UNKNOWN);
}

static void a_log_that_begins_in_the_middle(void **state)
{
    static const char *const lines[] = {"total_swap 0", ROW("80", "x"), GROUP_SUMMARY("81"), KILLED("81", "hog"), NULL};

    (void)state;
    assert_int_equal(read_log(lines), 1);
    assert_string_equal(kill[0].limit_cgroup, "/g");
    assert_int_equal(kill[0].task_count, 0);
    assert_non_null(kill[0].note);
}

static void nothing_is_joined_over_a_gap(void **state)
{
    (void)state;
    feed(INVOKED);
    feed("memory: usage 1kB, limit 1kB, failcnt 1");
    assert_null(oomlog_gap(oomlog));
    feed(KILLED("81", "hog"));
    assert_true(oomlog_waits(oomlog));
    keep(oomlog_gap(oomlog));
    assert_false(oomlog_waits(oomlog));
    assert_int_equal(kills, 1);
    assert_int_equal(kill[0].memory.limit, UNKNOWN);
}

static void who_dies_anyhow_is_not_killed(void **state)
{
    static const char *const lines[] = {
        INVOKED,
        GROUP_SUMMARY("81"),
        "Memory cgroup out of memory: OOM victim 81 (hog) is already exiting. Skip killing the task",
        INVOKED,
        "Out of memory and no killable processes...",
        KILLED("90", "other"),
        NULL};

    (void)state;
    assert_int_equal(read_log(lines), 1);
    assert_int_equal(kill[0].process.pid, 90);
    assert_string_equal(kill[0].invoker.name, "");
}

/* pr_cont(): another CPU wrote in between, and the rest became records of their own. */
static void pieces_of_a_line(void **state)
{
    (void)state;
    feed(INVOKED);
    feed("Memory cgroup stats for ");
    feed("eth0: link is up");
    feed_record("/g", true, 0);
    feed_record(":", true, 0);
    feed("anon 5");
    feed("oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null)");
    feed_record(",cpuset=/,mems_allowed=0,oom_memcg=/g,task_memcg=", true, 0);
    feed("eth0: link is down");
    feed_record("/g/x,task=hog,pid=81,uid=0", true, 0);
    feed(KILLED("81", "hog"));
    keep(oomlog_flush(oomlog));
    assert_int_equal(kills, 1);
    assert_string_equal(kill[0].limit_cgroup, "/g");
    assert_string_equal(kill[0].task_cgroup, "/g/x");
    assert_int_equal(stat(&kill[0], "anon"), 5);
}

static void statistics_that_were_cut(void **state)
{
    char text[1024];
    size_t size = 0;

    (void)state;
    feed(INVOKED);
    feed("Memory cgroup stats for /g:");
    for (unsigned i = 0; size < 976; i++)
        size += (size_t)snprintf(text + size, sizeof(text) - size, "name_%u %u\n", i, 1000 + i);
    text[976] = '\0';
    feed(text);
    feed(GROUP_SUMMARY("81"));
    feed(KILLED("81", "hog"));
    keep(oomlog_flush(oomlog));
    assert_true(kill[0].stat_count > 50);
    for (unsigned i = 0; i < kill[0].stat_count; i++)
        assert_int_equal(kill[0].stat[i].value, 1000 + i);
}

static void of_many_tasks_the_biggest_are_kept(void **state)
{
    char row[128];

    (void)state;
    feed(INVOKED);
    feed(HEADER);
    for (int i = 1; i <= 2000; i++) {
        snprintf(row, sizeof(row), "[%7d]     0 %5d      250 %8d    45056        1             0 p", i, i, i % 1000);
        feed(row);
    }
    feed(GROUP_SUMMARY("1500"));
    feed(KILLED("1500", "hog"));
    keep(oomlog_flush(oomlog));
    assert_int_equal(kill[0].task_total, 2000);
    assert_int_equal(kill[0].task_count, OOMKILL_TASKS_MAX);
    for (unsigned i = 0; i < kill[0].task_count; i++) {
        assert_true(kill[0].task[i].rss >= (1000 - OOMKILL_TASKS_MAX / 2) * PAGE);
        assert_true(i == 0 || kill[0].task[i].pid > kill[0].task[i - 1].pid);
    }
}

/* --- names that lie -------------------------------------------------------------------------------------------------
 */

static void one_that_calls_itself(const char *name)
{
    char line[1024];

    kills = 0;
    snprintf(line, sizeof(line), "%s invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0", name);
    feed(line);
    snprintf(line, sizeof(line), "CPU: 0 PID: 81 Comm: %s Not tainted 6.1.0", name);
    feed(line);
    feed(HEADER);
    snprintf(line, sizeof(line), "[     81]     0    81      250        6    45056        1             0 %s", name);
    feed(line);
    snprintf(line, sizeof(line),
             "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,"
             "oom_memcg=/g,task_memcg=/g/x,task=%s,pid=81,uid=7",
             name);
    feed(line);
    snprintf(line, sizeof(line),
             "Memory cgroup out of memory: Killed process 81 (%s) total-vm:40kB, anon-rss:20kB, "
             "file-rss:4kB, shmem-rss:0kB, UID:7 pgtables:40kB oom_score_adj:0",
             name);
    feed(line);
    keep(oomlog_flush(oomlog));
    if (kills != 1)
        fail_msg("%s: %u kills", name, kills);
    assert_string_equal(kill[0].process.name, name);
    assert_int_equal(kill[0].process.pid, 81);
    assert_int_equal(kill[0].process.uid, 7);
    assert_string_equal(kill[0].task_cgroup, "/g/x");
    assert_string_equal(kill[0].limit_cgroup, "/g");
    assert_string_equal(kill[0].invoker.name, name);
    assert_int_equal(kill[0].invoker.pid, 81);
    assert_int_equal(kill[0].task_count, 1);
    assert_string_equal(kill[0].task[0].name, name);
}

static void processes_with_names_that_lie(void **state)
{
    static const char *const names[] = {
        "a b",
        ")",
        "(init)",
        "a,pid=1,uid=0",
        ",task=b",
        "a,task=b,pid=1",
        ",task=,task=",
        ") total-vm:1kB",
        ",uid=0",
        "x\nKilled proce",
        "\xff\xfe\x01",
        " invoked oom-k",
        "-1 2 3 [4] x",
        ":",
        "Killed process ",
        "Out of memory: ",
        "oom-kill:constr",
        "Tasks in /g are",
        "name",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        one_that_calls_itself(names[i]);
}

/* task below limit, whatever their names. */
static void one_in(const char *limit, const char *task, bool with_stats)
{
    char line[2048];

    kills = 0;
    feed(INVOKED);
    if (with_stats) {
        snprintf(line, sizeof(line), "Memory cgroup stats for %s:", limit);
        feed(line);
    }
    snprintf(line, sizeof(line),
             "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=x,oom_memcg=,"
             "mems_allowed=0,oom_memcg=%s,task_memcg=%s,task=hog,pid=81,uid=0",
             limit, task);
    feed(line);
    feed(KILLED("81", "hog"));
    keep(oomlog_flush(oomlog));
    assert_int_equal(kills, 1);
    assert_string_equal(kill[0].limit_cgroup, limit);
    assert_string_equal(kill[0].task_cgroup, task);
}

static void cgroups_with_names_that_lie(void **state)
{
    (void)state;
    one_in("/p", "/p/a,task_memcg=/x", false);
    one_in("/p/a,task_memcg=", "/p/a,task_memcg=/p", false);
    one_in("/p,task_memcg=/p", "/p,task_memcg=/p/q", true);
    one_in("/q,task_memcg=/x", "/q,task_memcg=/x/y", false);
    one_in("/a,task_memcg=/a/b", "/a,task_memcg=/a/b/c", true); /* without statistics it would be ambiguous */
    one_in("/p", "/p/x,task=init,pid=1,uid=0", true);
    one_in("/p,task=init,pid=1,uid=0", "/p,task=init,pid=1,uid=0/y", false);
    one_in("/p,global_oom,task_memcg=", "/p,global_oom,task_memcg=/x", false);
    one_in("/", "/x", true);
    one_in("/a: b:1KB c", "/a: b:1KB c", true);
    one_in("/a:b", "/a:b", true);
}

static void a_4_19_cgroup_with_a_name_that_lies(void **state)
{
    (void)state;
    feed(INVOKED);
    feed("Task in /p/a killed as a result of limit of /x killed as a result of limit of /p");
    feed("Memory cgroup stats for /p: cache:1KB: cache:3KB rss:4KB");
    feed("Killed process 81 (hog) total-vm:40kB, anon-rss:20kB, file-rss:4kB, shmem-rss:0kB");
    keep(oomlog_flush(oomlog));
    assert_string_equal(kill[0].task_cgroup, "/p/a killed as a result of limit of /x");
    assert_string_equal(kill[0].limit_cgroup, "/p");
    assert_int_equal(kill[0].stat_count, 0); /* of another one, /p: cache:1KB */
}

static void who_writes_to_the_log_is_not_the_kernel(void **state)
{
    (void)state;
    feed_record(KILLED("1", "init"), false, 1);
    assert_false(oomlog_waits(oomlog));
    feed(INVOKED);
    feed_record("memory: usage 1kB, limit 1kB, failcnt 1", false, 3);
    feed(KILLED("81", "hog"));
    keep(oomlog_flush(oomlog));
    assert_int_equal(kill[0].memory.limit, UNKNOWN);
}

static void other_lines_mean_nothing(void **state)
{
    static const char *const lines[] = {
        "",
        "x Killed process 1 (init) total-vm:1kB, anon-rss:1kB, file-rss:1kB",
        "Killed process 1 init",
        "Killed process 1 (init), UID 0, anon-rss:1kB",
        "Killed process 1 (init) total-vm:1kB, anon-rss:1kB, file-rss:1kB and more",
        "Killed process x (init) total-vm:1kB, anon-rss:1kB, file-rss:1kB",
        "Killed process 99999999999999999999 (init) total-vm:1kB, anon-rss:1kB, file-rss:1kB",
        "Killed process 1 (a name that is too long) total-vm:1kB, anon-rss:1kB, file-rss:1kB",
        "Memory cgroup out of memory: Killed process 1 (init) total-vm:1kB, anon-rss:18014398509481984kB, file-rss:1kB",
        "usb 1-1: Product: x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
        "oom-kill:constraint=CONSTRAINT_MEMCG,task=x,pid=1,uid=",
        "oom_reaper: reaped process 1 (init), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB",
        "Tasks in /g are going to be killed due to memory.oom.group set",
        NULL,
    };

    (void)state;
    assert_int_equal(read_log(lines), 0);
}

/* --- forms of the line of a kill ------------------------------------------------------------------------------------
 */

static void of_each_kernel_the_kill_is_read(void **state)
{
    static const struct {
        const char *line, *name;
        uint64_t pid, uid, total_vm, rss_anon;
    } forms[] = {
        {"Killed process 7 (x)", "x", 7, UNKNOWN, UNKNOWN, UNKNOWN},                                       /* 2.6.32 */
        {"Killed process 7 (x) vsz:40kB, anon-rss:20kB, file-rss:4kB", "x", 7, UNKNOWN, 40 * KB, 20 * KB}, /* 2.6.33 */
        {"Killed process 7, UID 5, (x) total-vm:40kB, anon-rss:20kB, file-rss:4kB", "x", 7, 5, 40 * KB,
         20 * KB}, /* EL 6 */
        {"Killed process 7 (x), UID 5, total-vm:40kB, anon-rss:20kB, file-rss:4kB, shmem-rss:0kB", "x", 7, 5, 40 * KB,
         20 * KB}, /* EL 7 */
        {"Killed process 7 () total-vm:1kB), UID 5, total-vm:40kB, anon-rss:20kB, file-rss:4kB", ") total-vm:1kB", 7, 5,
         40 * KB, 20 * KB},
        {"Killed process 7 (x), UID 9) total-vm:40kB, anon-rss:20kB, file-rss:4kB", "x), UID 9", 7, UNKNOWN, 40 * KB,
         20 * KB},
        {"Out of memory: Killed process 7 (x) total-vm:40kB, anon-rss:20kB, file-rss:4kB, shmem-rss:0kB, UID:5 "
         "pgtables:8kB oom_score_adj:-3 hugetlb-rss:0kB",
         "x", 7, 5, 40 * KB, 20 * KB}, /* one more than is known */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        kills = 0;
        usec += 10 * 1000 * 1000;
        feed(forms[i].line);
        keep(oomlog_flush(oomlog));
        if (kills != 1)
            fail_msg("%s: %u kills", forms[i].line, kills);
        assert_string_equal(kill[0].process.name, forms[i].name);
        assert_int_equal(kill[0].process.pid, forms[i].pid);
        assert_int_equal(kill[0].process.uid, forms[i].uid);
        assert_int_equal(kill[0].process.total_vm, forms[i].total_vm);
        assert_int_equal(kill[0].process.rss_anon, forms[i].rss_anon);
    }
}

static void before_linux_5_the_choice_says_why(void **state)
{
    static const char *const lines[] = {
        "Out of memory: Kill process 9 (y) score 1 or sacrifice child",
        "Killed process 7 (x) total-vm:40kB, anon-rss:20kB, file-rss:4kB",
        "Memory cgroup out of memory: Kill process 8 (z) score 1 or sacrifice child",
        "Killed process 8 (z) total-vm:40kB, anon-rss:20kB, file-rss:4kB",
        "No available memory in cpuset: kill process 6 (w) score 1 or a child",
        "Killed process 6 (w)",
        "Killed process 5 (v) total-vm:40kB, anon-rss:20kB, file-rss:4kB",
        NULL,
    };

    (void)state;
    assert_int_equal(read_log(lines), 4);
    assert_string_equal(kill[0].why, "machine");
    assert_int_equal(kill[0].process.pid, 7); /* not the choice: its child */
    assert_string_equal(kill[1].why, "limit");
    assert_string_equal(kill[2].why, "cpuset");
    assert_null(kill[3].why);
}

static void a_choice_counts_in_a_file_alone(void **state)
{
    (void)state;
    feed(GROUP_SUMMARY("81"));
    feed(INVOKED);
    assert_null(oomlog_flush(oomlog));
    assert_int_equal(kills, 0);
    oomlog_of_file(oomlog);
    feed(GROUP_SUMMARY("82"));
    feed(INVOKED);
    feed(GROUP_SUMMARY("83"));
    feed("oom_reaper: reaped process 83 (hog), now anon-rss:0kB, file-rss:64kB, shmem-rss:4kB");
    keep(oomlog_flush(oomlog));
    assert_int_equal(kills, 2);
    assert_int_equal(kill[0].process.pid, 82);
    assert_int_equal(kill[1].process.pid, 83);
    assert_true(kill[1].reaped);
    assert_non_null(kill[1].note);
}

/* A machine with pages of 64 KiB. */
static void the_log_says_how_big_a_page_is(void **state)
{
    static const char *const lines[] = {
        INVOKED,
        "100 pages RAM",
        HEADER,
        "[     81]     0    81      100        6    45056        1             0 hog",
        "Out of memory: Killed process 81 (hog) total-vm:6400kB, anon-rss:20kB, file-rss:4kB, shmem-rss:0kB, UID:0 "
        "pgtables:45056kB oom_score_adj:0", /* Linux 5.4 means bytes */
        NULL};

    (void)state;
    assert_int_equal(read_log(lines), 1);
    assert_int_equal(kill[0].task[0].rss, 6 * 64 * KB);
    assert_int_equal(kill[0].ram, 6400 * KB);
    assert_int_equal(kill[0].process.swap, 64 * KB);
    assert_int_equal(kill[0].process.pgtables, 45056);
}

static void a_panic_kills_nobody(void **state)
{
    static const char *const lines[] = {
        INVOKED, "Kernel panic - not syncing: Out of memory: system-wide panic_on_oom is enabled",
        KILLED("90", "other"), NULL};

    (void)state;
    assert_int_equal(read_log(lines), 1);
    assert_string_equal(kill[0].invoker.name, "");
}

/* --- many -----------------------------------------------------------------------------------------------------------
 */

static void one_after_the_other(void **state)
{
    (void)state;
    feed_all(LINUX_6_18_V1);
    feed_all(LINUX_6_1_V2);
    feed_all(LINUX_4_19);
    feed_all(LINUX_5_15_MACHINE);
    keep(oomlog_flush(oomlog));
    assert_null(oomlog_flush(oomlog));
    assert_int_equal(kills, 4);
    assert_int_equal(kill[0].process.pid, 18617);
    assert_true(kill[0].reaped);
    assert_int_equal(kill[1].stat_count, 5);
    assert_int_equal(kill[1].ram, UNKNOWN);
    assert_int_equal(kill[2].process.pid, 62769);
    assert_int_equal(kill[3].ram, 262014 * PAGE);
    assert_int_equal(kill[3].stat_count, 0);
    assert_int_equal(kill[3].task_count, 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(linux_6_18_cgroup_v1),
        TEST(linux_6_1_cgroup_v2_in_a_pod),
        TEST(linux_4_19),
        TEST(the_whole_machine),
        TEST(a_group_is_one_kill),
        TEST(a_group_has_an_end),
        TEST(of_many_kills_the_kernel_says_little),
        TEST(a_log_that_begins_in_the_middle),
        TEST(nothing_is_joined_over_a_gap),
        TEST(who_dies_anyhow_is_not_killed),
        TEST(pieces_of_a_line),
        TEST(statistics_that_were_cut),
        TEST(of_many_tasks_the_biggest_are_kept),
        TEST(processes_with_names_that_lie),
        TEST(cgroups_with_names_that_lie),
        TEST(a_4_19_cgroup_with_a_name_that_lies),
        TEST(who_writes_to_the_log_is_not_the_kernel),
        TEST(other_lines_mean_nothing),
        TEST(of_each_kernel_the_kill_is_read),
        TEST(before_linux_5_the_choice_says_why),
        TEST(a_choice_counts_in_a_file_alone),
        TEST(the_log_says_how_big_a_page_is),
        TEST(a_panic_kills_nobody),
        TEST(one_after_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
