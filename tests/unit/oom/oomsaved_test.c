/* SPDX-License-Identifier: Apache-2.0
 *
 * One report as the tools save it: each prefix, wrapped lines, several boots, and lines of other programs between.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "oom/oomsaved.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

enum { KILLS_MAX = 4 };

static const char *const REPORT[] = {
    "hog invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), nodemask=(null),  order=0, oom_score_adj=0",
    "CPU: 1 PID: 81 Comm: hog Not tainted 5.15.0",
    "Call Trace:",
    " dump_stack+0x19/0x1b",
    "memory: usage 65536kB, limit 65536kB, failcnt 17",
    "Memory cgroup stats for /docker/" ID ":",
    "anon 4096",
    "file 8192",
    "Tasks state (memory values in pages):",
    "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
    "[     81]     7    81    16697    16304   167936        0             0 hog",
    ("oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=" ID ",mems_allowed=0,oom_memcg=/docker/" ID
     ",task_memcg=/docker/" ID ",task=hog,pid=81,uid=7"),
    ("Memory cgroup out of memory: Killed process 81 (hog) total-vm:66788kB, anon-rss:65152kB, file-rss:64kB, "
     "shmem-rss:4kB, UID:7 pgtables:164kB oom_score_adj:0"),
    "oom_reaper: reaped process 81 (hog), now anon-rss:0kB, file-rss:64kB, shmem-rss:4kB",
};

static struct oomsaved *saved;
static struct oomkill kill[KILLS_MAX];
static bool zoned, yearless;
static unsigned kills;

static int keep(void *ctx, struct oomkill *k, bool is_zoned, bool is_yearless)
{
    (void)ctx;
    zoned = is_zoned;
    yearless = is_yearless;
    if (kills < KILLS_MAX)
        kill[kills] = *k;
    kills++;
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    kills = 0;
    saved = oomsaved_new(keep, NULL);
    return saved ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    oomsaved_free(saved);
    return 0;
}

static void line(const char *text)
{
    assert_int_equal(oomsaved_line(saved, text, strlen(text)), 0);
}

static void check_report(const char *what)
{
    const struct oomkill *k = kill;

    assert_int_equal(oomsaved_end(saved), 0);
    if (kills != 1 || k->process.pid != 81 || k->process.uid != 7 || !text_eq(k->why, "limit") ||
        !text_eq(k->where.container_id, ID) || k->memory.failcnt != 17 || k->stat_count != 2 || k->task_total != 1 ||
        k->invoker.pid != 81 || k->invoker.order != 0 || !k->reaped || k->process.rss != UINT64_C(65220) * 1024)
        fail_msg("%s: %u kills, pid %d, %u statistics, %u tasks", what, kills, (int)k->process.pid, k->stat_count,
                 k->task_total);
}

static void read_with(const char *prefix)
{
    char text[1024];

    kills = 0;
    for (size_t i = 0; i < ARRAY_SIZE(REPORT); i++) {
        snprintf(text, sizeof(text), "%s%s", prefix, REPORT[i]);
        line(text);
    }
    check_report(prefix);
}

static void with_every_prefix(void **state)
{
    static const char *const prefixes[] = {
        "",
        "[  123.456789] ",
        "<4>[  123.456789] ",
        "[  123.456789][   T81] ",
        "[  123.456789] [   T81] ",
        "[  123.456789 <    0.000007>] ",
        "[  +0.000007] ",
        "[Mar11 04:17] ",
        "[Tue Mar 11 04:17:52 2025] ",
        "kern  :err   : [  123.456789] ",
        "2025-03-11T04:17:52,123456+01:00 ",
        "Mar 11 04:17:52 node-1 kernel: ",
        "Mar 11 04:17:52.123456 node-1 kernel: [  123.456789] ",
        "Tue 2025-03-11 04:17:52 UTC node-1 kernel: ",
        "2025-03-11T04:17:52+0100 node-1 kernel: ",
        "1741666672.123456 node-1 kernel: ",
        "[  123.456789] node-1 kernel: ",
        "Tue Mar 11 04:17:52 2025 kern.err kernel: [  123.456789] ",
        "kern: warning: [2025-05-18T15:40:20.654317542Z]: ",
        "10.1.1.2: kern:    info: [2025-05-18T15:40:20.654317542Z]: ",
        "<4>1 2025-03-11T04:17:52.123456+00:00 host kernel - - - [  123.456789] ",
        "2024-02-18T03:12:55.610Z In(05) vcpu-2 - Guest: <4>[27118340.411900] ",
        "/var/log/messages-2025:Mar 11 04:17:52 node-1 kernel: ",
        "kern.log:12:Mar 11 04:17:52 node-1 kernel: [  123.456789] ",
        "> [  123.456789] ",
        "    ",
        "2025/03/11 04:17:52 node7 | [  123.456789] ",
        "\033[32m[  123.456789] \033[0m",
        "2025-03-11T04:17:52.123456789Z stdout F [  123.456789] ",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
        read_with(prefixes[i]);
}

static void wrapped_at(size_t width, const char *prefix)
{
    char text[1024];

    kills = 0;
    for (size_t i = 0; i < ARRAY_SIZE(REPORT); i++) {
        size_t size = (size_t)snprintf(text, sizeof(text), "%s%s", prefix, REPORT[i]);

        for (size_t at = 0; at < size; at += width)
            assert_int_equal(oomsaved_line(saved, text + at, size - at < width ? size - at : width), 0);
    }
    check_report("wrapped");
}

static void lines_that_were_wrapped(void **state)
{
    (void)state;
    wrapped_at(80, "[  123.456789] ");
    wrapped_at(100, "[  123.456789] ");
    wrapped_at(132, "Mar 11 04:17:52 node-1 kernel: ");
    wrapped_at(80, "");
}

static void what_people_write_between_is_not_joined(void **state)
{
    (void)state;
    line("[  123.456789] Killed process 81 (hog) total-vm:40kB, anon-rss:20kB, file-rss:4kB, shmem-rss:0kB");
    line("and after that the machine was slow");
    oomsaved_end(saved);
    assert_int_equal(kills, 1);
    assert_string_equal(kill[0].process.name, "hog");
}

static void other_programs_are_not_the_kernel(void **state)
{
    (void)state;
    line("Mar 11 04:17:52 node-1 app[12]: Killed process 1 (init) total-vm:40kB, anon-rss:20kB, file-rss:4kB");
    line("Mar 11 04:17:52 node-1 app: [  123.456789] Out of memory: Killed process 1 (init) total-vm:40kB, "
         "anon-rss:20kB, file-rss:4kB");
    line("<14>[  123.456789] Killed process 1 (init) total-vm:40kB, anon-rss:20kB, file-rss:4kB");
    line("user  :info  : [  123.456789] Killed process 1 (init) total-vm:40kB, anon-rss:20kB, file-rss:4kB");
    line("[  123.456789] audit: comm=\"Killed process 1 (init)\"");
    line("{\"_TRANSPORT\":\"stdout\",\"MESSAGE\":\"Killed process 1 (init)\"}");
    oomsaved_end(saved);
    assert_int_equal(kills, 0);
}

static void boots_are_parted(void **state)
{
    (void)state;
    line("[  123.456789] hog invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0");
    line("[  123.456790] memory: usage 65536kB, limit 65536kB, failcnt 17");
    line("[    0.000000] Linux version 6.1.0");
    line("[   12.000000] Killed process 81 (hog) total-vm:40kB, anon-rss:20kB, file-rss:4kB");
    line("[    3.000000] Killed process 81 (hog) total-vm:40kB, anon-rss:20kB, file-rss:4kB");
    oomsaved_end(saved);
    assert_int_equal(kills, 2);
    assert_int_equal(kill[0].memory.limit, OOMKILL_UNKNOWN);
    assert_string_equal(kill[0].invoker.name, "");
    assert_int_equal(kill[0].kernel.usec, 12 * 1000 * 1000);
}

static void times(void **state)
{
    char text[CLOCK_TEXT_MAX];

    (void)state;
    line("2025-03-11T04:17:52+0100 n kernel: Killed process 81 (hog)");
    oomsaved_end(saved);
    assert_string_equal(clock_format(kill[0].time_ns, text), "2025-03-11T03:17:52.000Z");
    assert_true(zoned && !yearless);
    assert_int_equal(kill[0].kernel.usec, OOMKILL_UNKNOWN);
    line("Feb 29 04:17:52 n kernel: Killed process 82 (hog)");
    oomsaved_end(saved);
    assert_true(!zoned && yearless);
    line("[   12.500000] Killed process 83 (hog)");
    oomsaved_end(saved);
    assert_int_equal(kill[2].time_ns, 0);
    assert_int_equal(kill[2].kernel.usec, 12500 * 1000);
    line("7289654399.000000 n kernel: Killed process 84 (hog)");
    oomsaved_end(saved);
    assert_string_equal(clock_format(kill[3].time_ns, text), "2200-12-31T23:59:59.000Z");
    line("9655071315.000000 n kernel: Killed process 85 (hog)"); /* its nanoseconds do not fit 63 bits */
    oomsaved_end(saved);
    assert_int_equal(kills, 4);
}

static void journal_and_kmsg(void **state)
{
    (void)state;
    line("{\"_TRANSPORT\":\"kernel\",\"__REALTIME_TIMESTAMP\":\"1741666672123456\",\"MESSAGE\":\"Killed process 81 "
         "(hog)\"}");
    line("3,99,123456789,-;Killed process 82 (a)");
    line("12,99,123456789,-;Killed process 1 (init)");
    line("Mar 11 04:17:52 n kernel: Memory cgroup stats for /g:");
    line("Mar 11 04:17:52 n kernel: anon 5#012file 6");
    line("                          shmem 7");
    line("Mar 11 04:17:52 n kernel: Killed process 83 (b)");
    oomsaved_end(saved);
    assert_int_equal(kills, 3);
    assert_int_equal(kill[0].time_ns, INT64_C(1741666672123456000));
    assert_int_equal(kill[1].process.pid, 82);
    assert_int_equal(kill[2].stat_count, 3);
}

static void a_file_that_two_have_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(REPORT); i++) {
        line(REPORT[i]);
        line(REPORT[i]);
    }
    oomsaved_end(saved);
    assert_int_equal(kills, 1);
    assert_int_equal(kill[0].task_total, 1);
    assert_int_equal(kill[0].group.total, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(with_every_prefix),
        TEST(lines_that_were_wrapped),
        TEST(what_people_write_between_is_not_joined),
        TEST(other_programs_are_not_the_kernel),
        TEST(boots_are_parted),
        TEST(times),
        TEST(journal_and_kmsg),
        TEST(a_file_that_two_have_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
