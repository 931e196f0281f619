/* SPDX-License-Identifier: Apache-2.0
 *
 * A guard from start to end: a cgroup that is a folder of files, and the test as its kernel. Each time the loop waits
 * one step is made: usage rises, a child ends, a fork fails, time passes. No process is started, and no time is waited.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "guard/guard.h"
#include "linux/cgroupns.h"
#include "linux/kmsg.h"
#include "linux/launch.h"
#include "linux/memsignal.h"
#include "place/container.h"
#include "scratch.h"
#include "stand_in.h"

enum {
    CHILD = 1 << 24, /* above any number that a kernel gives */
    TURNS_MAX = 20000,
    COOLDOWN_MS = 60 * 1000,
    SOON_MS = 10 * 1000, /* the target is polled by then */
    GRACE_MS = 20 * 1000
};

#define EXITED(status) ((status) << 8)

enum what {
    END_OF_STEPS,
    USAGE, /* value: percent of the limit */
    PASS,  /* value: ms */
    ENDS,  /* value: the wait status of the last child; or of the one before, … */
    ENDS_BEFORE,
    SIGNAL,
    GONE,
    APPEARS,
    FORK_FAILS, /* value: errno; 0: it works again */
    KILLS,      /* value: what the cgroup has counted */
    LOG_SAYS    /* text: a line of the kernel log */
};

struct step {
    enum what what;
    int value;
    const char *text;
};

static struct {
    const struct step *step;
    uint64_t pass_ms; /* what is left of a PASS */
    unsigned turns, refused;
    int log_writer, log_reader, fork_error;
    pid_t children;
    bool appeared, gone;
    struct guard_config config;
} t;

/* --- in place of the system -----------------------------------------------------------------------------------------
 */

STANDS_IN(fake_fork, fork);
pid_t fake_fork(void)
{
    if (t.fork_error) {
        t.refused++;
        errno = t.fork_error;
        return -1;
    }
    journal("fork ");
    return CHILD + t.children++;
}

STANDS_IN(fake_kill, kill);
int fake_kill(pid_t pid, int number)
{
    journal("kill:%d:%s ", (int)(pid - CHILD), sigabbrev_np(number));
    return 0;
}

STANDS_IN(fake_waitpid, waitpid);
pid_t fake_waitpid(pid_t pid, int *status, int options)
{
    assert_int_equal(pid, -1);
    assert_int_equal(options, WNOHANG);
    return stand_waitpid(status);
}

STANDS_IN(fake_signalfd, signalfd);
int fake_signalfd(int fd, const sigset_t *wanted, int flags)
{
    assert_int_equal(fd, -1);
    assert_true(sigismember(wanted, SIGCHLD) && sigismember(wanted, SIGTERM) && flags & SFD_NONBLOCK);
    return stand_signalfd();
}

STANDS_IN(fake_sigprocmask, sigprocmask);
int fake_sigprocmask(int how, const sigset_t *set, sigset_t *before)
{
    (void)how, (void)set, (void)before;
    return 0;
}

STANDS_IN(fake_mlockall, mlockall);
int fake_mlockall(int flags)
{
    (void)flags;
    return 0;
}

STANDS_IN(fake_enter_first, cgroupns_enter_first);
int fake_enter_first(void)
{
    return 0;
}

STANDS_IN(fake_kmsg_open, kmsg_open);
int fake_kmsg_open(const char *path, bool oldest, struct kmsg *ret, struct err *e)
{
    (void)path, (void)oldest;
    if (t.log_reader < 0)
        return err_set(e, -FAULT_UNREADABLE, "no kernel log");
    *ret = (struct kmsg){.fd = TAKE_FD(t.log_reader)};
    return 0;
}

/* Of processes that discovery finds. Our own cgroup is not known. */
STANDS_IN(fake_memcg_open, memcg_open);
int fake_memcg_open(const struct proc *p, struct memcg *ret, struct err *e)
{
    char path[64];

    (void)p;
    snprintf(path, sizeof(path), "%s/cg", scratch_root);
    return t.appeared ? memcg_open_path(path, ret, e) : -ENOENT;
}

REAL(real_memcg_sample, memcg_sample);
STANDS_IN(fake_memcg_sample, memcg_sample);
int fake_memcg_sample(struct memcg *m, uint64_t now_ms, struct memcg_sample *ret)
{
    return t.gone ? -ENODEV : real_memcg_sample(m, now_ms, ret);
}

STANDS_IN(fake_survey, memsignal_survey);
int fake_survey(const struct memcg *m, struct buf *ret)
{
    (void)m, (void)ret;
    return 0;
}

STANDS_IN(fake_scan, cgroup_discovery_scan);
int fake_scan(struct cgroup_discovery *c, const char *root, uint64_t now_ms,
              int (*fn)(void *ctx, pid_t pid, struct err *e), void *ctx)
{
    struct err e = {0};

    (void)c, (void)root, (void)now_ms;
    if (t.appeared && !t.gone)
        assert_int_equal(fn(ctx, getpid(), &e), 0);
    return 0;
}

/* This process's would depend on where the test runs. */
STANDS_IN(fake_container, container_of_process);
bool fake_container(int proc, char *out)
{
    (void)proc, (void)out;
    return false;
}

static void put_number(const char *name, int value)
{
    char text[32];

    snprintf(text, sizeof(text), "%d\n", value);
    scratch_put("cg", name, text);
}

static void put_usage(int percent)
{
    put_number("memory.current", percent * (1024 * 1024));
}

static void put_kills(int count)
{
    char text[128];

    snprintf(text, sizeof(text), "low 0\nhigh 0\nmax 0\noom %d\noom_kill %d\n", count, count);
    scratch_put("cg", "memory.events", text);
}

static void make_step(const struct step *s)
{
    journal("| ");
    switch (s->what) {
    case END_OF_STEPS:
        fail_msg("it still waits after: %s", stand.journal);
        break;
    case USAGE:
        put_usage(s->value);
        break;
    case PASS:
        t.pass_ms = (uint64_t)s->value;
        break;
    case ENDS:
        end(CHILD + t.children - 1, s->value);
        break;
    case ENDS_BEFORE:
        end(CHILD + t.children - 2, s->value);
        break;
    case SIGNAL:
        send_signal(s->value);
        break;
    case GONE:
        t.gone = true;
        break;
    case APPEARS:
        t.appeared = true;
        break;
    case FORK_FAILS:
        t.fork_error = s->value;
        break;
    case KILLS:
        put_kills(s->value);
        break;
    case LOG_SAYS:
        assert_true(send(t.log_writer, s->text, strlen(s->text), 0) > 0);
        break;
    }
}

REAL(real_epoll_wait, epoll_wait);
STANDS_IN(fake_epoll_wait, epoll_wait);
int fake_epoll_wait(int epoll, struct epoll_event *events, int most, int timeout_ms)
{
    uint64_t passes = (uint64_t)timeout_ms < t.pass_ms ? (uint64_t)timeout_ms : t.pass_ms;

    assert_true(timeout_ms >= -1);
    assert_true(++t.turns < TURNS_MAX);
    if (t.pass_ms == 0)
        make_step(t.step++);
    t.pass_ms -= t.pass_ms > 0 ? passes : 0;
    stand.now_ms += passes;
    return real_epoll_wait(epoll, events, most, 0);
}

/* --- the test -------------------------------------------------------------------------------------------------------
 */

static const struct whoami SELF = {.machine = (char *)"m", .host = (char *)"m"};

static int set_up(void **state)
{
    static char path[64], loans[64], arg[] = "--all";
    static char *args[] = {arg, NULL};
    static const char *paths[] = {path};

    memset(&t, 0, sizeof(t));
    t.log_writer = t.log_reader = -1;
    stand_set_up();
    if (scratch_set_up(state) < 0)
        return -1;
    snprintf(path, sizeof(path), "%s/cg", scratch_root);
    snprintf(loans, sizeof(loans), "%s/loans", scratch_root);
    scratch_put("cg", "memory.max", "104857600\n");
    scratch_put("cg", "memory.stat", "inactive_file 0\n");
    put_number("cgroup.procs", (int)getpid());
    put_usage(1);
    put_kills(0);
    t.config = (struct guard_config){
        .self = &SELF,
        .rules = {.count = 1, .cooldown_ms = COOLDOWN_MS, .targets = 16},
        .selection = {.cgroups = paths, .cgroup_count = 1},
        .case_args = args,
        .override = {.state = loans},
    };
    return condition_parse("memory>=80%", &t.config.rules.when[0], NULL);
}

static int tear_down(void **state)
{
    mem_close_ptr(&stand.signal_writer);
    mem_close_ptr(&t.log_writer);
    mem_close_ptr(&t.log_reader);
    return scratch_tear_down(state);
}

static void run(const struct step *steps)
{
    struct err e = {0};

    t.step = steps;
    t.gone = false;
    t.pass_ms = SOON_MS;
    assert_int_equal(guard_run(&t.config, &e), 0);
    assert_int_equal(t.step->what, END_OF_STEPS);
    t.step = NULL;
    mem_close_ptr(&stand.signal_writer);
    stand.signal_writer = -1;
}

#define STEPS(...) ((const struct step[]){__VA_ARGS__, {END_OF_STEPS, 0, NULL}})
#define SOON                                                                                                           \
    {                                                                                                                  \
        PASS, SOON_MS, NULL                                                                                            \
    }
#define STOP                                                                                                           \
    {                                                                                                                  \
        SIGNAL, SIGTERM, NULL                                                                                          \
    }

static void a_condition_that_holds_makes_one_case(void **state)
{
    (void)state;
    run(STEPS({USAGE, 90, NULL}, SOON, {ENDS, EXITED(0), NULL}, {PASS, 3 * COOLDOWN_MS, NULL}, STOP));
    assert_journal("oom-unread guarding | | fork guard-case | guard-made | | stopping stopped ");
    assert_true(was_said("why=memory>=80%") && was_said("whole=true"));
}

static void a_target_that_vanishes_ends_the_guard(void **state)
{
    (void)state;
    run(STEPS({GONE, 0, NULL}, SOON));
    assert_journal("oom-unread guarding | | guard-left stopped ");
}

static void a_case_outlives_its_target(void **state)
{
    (void)state;
    run(STEPS({USAGE, 90, NULL}, SOON, {GONE, 0, NULL}, SOON, {ENDS, EXITED(0), NULL}));
    assert_journal("oom-unread guarding | | fork guard-case | | guard-left | guard-made stopped ");
}

static void with_all_targets_come_and_go(void **state)
{
    (void)state;
    t.config.selection = (struct target_selection){.all = true, .rescan_ms = 1000};
    run(STEPS({APPEARS, 0, NULL}, SOON, {USAGE, 90, NULL}, SOON, {ENDS, EXITED(0), NULL}, {GONE, 0, NULL}, SOON, SOON,
              STOP));
    assert_journal("oom-unread | | guarding | | fork guard-case | guard-made | | guard-left | | stopping stopped ");
}

static void a_target_rests_after_a_case(void **state)
{
    (void)state;
    run(STEPS({USAGE, 90, NULL}, SOON, {ENDS, EXITED(0), NULL}, {USAGE, 10, NULL}, SOON, {USAGE, 90, NULL}, SOON,
              {USAGE, 10, NULL}, {PASS, COOLDOWN_MS, NULL}, {USAGE, 90, NULL}, SOON, {ENDS, EXITED(0), NULL}, STOP));
    assert_journal("oom-unread guarding | | fork guard-case | guard-made | | | | guard-waits | | | | fork guard-case "
                   "| guard-made | stopping stopped ");
    assert_true(was_said("the cool-down after the last case"));
}

static void a_cap_is_kept_and_a_case_that_failed_does_not_count(void **state)
{
    (void)state;
    t.config.rules.cooldown_ms = 1000;
    t.config.rules.per_target = (struct rate){.count = 1, .per_ms = UINT64_C(3600) * 1000};
    run(STEPS({USAGE, 90, NULL}, SOON, {ENDS, EXITED(40), NULL}, {USAGE, 10, NULL}, SOON, {USAGE, 90, NULL}, SOON,
              {ENDS, EXITED(0), NULL}, {USAGE, 10, NULL}, SOON, {USAGE, 90, NULL}, SOON, STOP));
    assert_journal("oom-unread guarding | | fork guard-case | guard-made | | | | fork guard-case | guard-made "
                   "| | | | guard-waits | stopping stopped ");
    assert_true(was_said("whole=false") && was_said("its cap of 1/hour is reached"));
}

static void a_fork_that_fails_is_tried_again_and_said_once_a_minute(void **state)
{
    (void)state;
    run(STEPS({FORK_FAILS, EAGAIN, NULL}, {USAGE, 90, NULL}, SOON, {PASS, 60 * 1000, NULL}, {FORK_FAILS, 0, NULL},
              {PASS, 2000, NULL}, {ENDS, EXITED(0), NULL}, STOP));
    assert_journal("oom-unread guarding | | | guard-missed | guard-missed | | fork guard-case | guard-made "
                   "| stopping stopped ");
    assert_in_range(t.refused, 30, 71); /* about each second */
    assert_true(was_said("fault=again") && was_said("pids.max"));
}

static void a_process_that_could_not_become_salvage_is_tried_again(void **state)
{
    (void)state;
    run(STEPS({USAGE, 90, NULL}, SOON, {ENDS, EXITED(LAUNCH_FAILED), NULL}, {PASS, 2000, NULL}, {ENDS, EXITED(0), NULL},
              {PASS, 2000, NULL}, STOP));
    assert_journal("oom-unread guarding | | fork guard-case | guard-made | fork guard-case | guard-made "
                   "| | stopping stopped ");
}

static void a_case_that_is_killed_is_no_whole_one(void **state)
{
    (void)state;
    run(STEPS({USAGE, 90, NULL}, SOON, {ENDS, SIGKILL, NULL}, {PASS, 2000, NULL}, STOP));
    assert_journal("oom-unread guarding | | fork guard-case | guard-made | | stopping stopped ");
    assert_true(was_said("whole=false"));
}

static void a_child_with_the_number_of_one_that_ended_is_no_case(void **state)
{
    (void)state;
    run(STEPS({USAGE, 90, NULL}, SOON, {ENDS, EXITED(0), NULL}, {ENDS, EXITED(1), NULL}, {ENDS_BEFORE, 0, NULL},
              {PASS, 1000, NULL}, STOP));
    assert_journal("oom-unread guarding | | fork guard-case | guard-made | | | | stopping stopped ");
}

static void a_case_may_end_in_time_after_the_word_to_stop(void **state)
{
    (void)state;
    run(STEPS({USAGE, 90, NULL}, SOON, STOP, {PASS, GRACE_MS - 1, NULL}, {ENDS, EXITED(0), NULL}));
    assert_journal("oom-unread guarding | | fork guard-case | stopping | | guard-made stopped ");
    assert_true(was_said("left=1 grace_s=20"));
}

static void a_case_that_hangs_is_ended_after_the_grace(void **state)
{
    (void)state;
    run(STEPS({USAGE, 90, NULL}, SOON, STOP, {SIGNAL, SIGINT, NULL}, {PASS, GRACE_MS, NULL}));
    assert_journal("oom-unread guarding | | fork guard-case | stopping | | kill:0:TERM stopped ");
    assert_true(was_said("left=1 failed=0"));
}

static void nothing_begins_once_it_is_to_stop(void **state)
{
    (void)state;
    t.config.rules.cooldown_ms = 1000;
    run(STEPS({USAGE, 90, NULL}, SOON, STOP, {USAGE, 10, NULL}, {KILLS, 1, NULL}, {GONE, 0, NULL}, SOON,
              {ENDS, EXITED(0), NULL}));
    assert_journal("oom-unread guarding | | fork guard-case | stopping | | | | | guard-made stopped ");
}

static void a_kill_that_was_counted_gets_a_record_in_the_last_case(void **state)
{
    const char *case_id;

    (void)state;
    run(STEPS({USAGE, 90, NULL}, SOON, {ENDS, EXITED(0), NULL}, {KILLS, 1, NULL}, SOON, {ENDS, EXITED(0), NULL},
              {KILLS, 2, NULL}, SOON, {ENDS, EXITED(0), NULL}, STOP));
    assert_journal("oom-unread guarding | | fork guard-case | guard-made | | oom-kill fork | | | oom-kill fork "
                   "| | stopping stopped ");
    case_id = strstr(stand.details, " case=");
    assert_non_null(case_id);
    assert_null(strstr(case_id + 1, " case=")); /* the second is of no case */
}

static void kills_before_the_start_are_not_reported(void **state)
{
    (void)state;
    put_kills(3);
    run(STEPS({KILLS, 4, NULL}, SOON, {ENDS, EXITED(0), NULL}, STOP));
    assert_journal("oom-unread guarding | | oom-kill fork | | stopping stopped ");
}

static void a_kill_at_the_end_of_its_cgroup_is_reported(void **state)
{
    (void)state;
    run(STEPS({KILLS, 1, NULL}, {GONE, 0, NULL}, SOON, {ENDS, EXITED(0), NULL}));
    assert_journal("oom-unread guarding | | | oom-kill fork guard-left | stopped ");
}

static void a_record_without_a_process_waits(void **state)
{
    (void)state;
    run(STEPS({FORK_FAILS, ENOMEM, NULL}, {KILLS, 1, NULL}, SOON, {FORK_FAILS, 0, NULL}, {PASS, 2000, NULL},
              {ENDS, EXITED(0), NULL}, STOP));
    assert_journal("oom-unread guarding | | | oom-kill guard-missed | | fork | | stopping stopped ");
    assert_true(was_said("it is tried again each second"));
}

static void a_record_that_is_left_at_the_end_is_said(void **state)
{
    (void)state;
    run(STEPS({FORK_FAILS, ENOMEM, NULL}, {KILLS, 1, NULL}, SOON, STOP, {PASS, GRACE_MS, NULL}));
    assert_journal("oom-unread guarding | | | oom-kill guard-missed | stopping | guard-missed stopped ");
    assert_true(was_said("the guard ends before the record could be stored"));
}

static void a_record_on_its_way_is_ended_after_the_grace(void **state)
{
    (void)state;
    run(STEPS({KILLS, 1, NULL}, SOON, STOP, {PASS, GRACE_MS, NULL}));
    assert_journal("oom-unread guarding | | oom-kill fork | stopping | kill:0:TERM stopped ");
}

static void a_record_behind_the_one_on_its_way_is_said_at_the_end(void **state)
{
    (void)state;
    run(STEPS({KILLS, 2, NULL}, SOON, STOP, {PASS, GRACE_MS, NULL}));
    assert_journal("oom-unread guarding | | oom-kill fork oom-kill | stopping | kill:0:TERM guard-missed stopped ");
}

/* Of the largest process in the cgroup, which is this test. */
static void a_kill_in_the_kernel_log_is_reported_once(void **state)
{
    CLEANUP(buf_done) struct buf name = {0};
    char constraint[256], killed[256];
    int pair[2];

    (void)state;
    assert_int_equal(file_load(AT_FDCWD, "/proc/self/comm", &name), 0);
    name.data[name.size - 1] = '\0';
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    t.log_reader = pair[0];
    t.log_writer = pair[1];
    snprintf(constraint, sizeof(constraint),
             "6,1,1000,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/g,"
             "task_memcg=/g,task=%s,pid=%d,uid=0\n",
             name.data, (int)getpid());
    snprintf(killed, sizeof(killed),
             "3,2,1001,-;Memory cgroup out of memory: Killed process %d (%s) total-vm:40kB, anon-rss:20kB, "
             "file-rss:4kB, shmem-rss:0kB, UID:0 pgtables:40kB oom_score_adj:0\n",
             (int)getpid(), name.data);
    run(STEPS({USAGE, 60, NULL}, SOON, {LOG_SAYS, 0, constraint}, {LOG_SAYS, 0, killed}, {KILLS, 1, NULL}, SOON,
              {ENDS, EXITED(0), NULL}, SOON, STOP));
    assert_int_equal(t.children, 1);
    assert_non_null(strstr(stand.journal, "oom-kill fork "));
    assert_null(strstr(strstr(stand.journal, "oom-kill") + 1, "oom-kill"));
    assert_true(was_said("source=kernel-log"));
}

static void the_rest_after_a_case_outlives_the_guard(void **state)
{
    static char folder[64];

    (void)state;
    snprintf(folder, sizeof(folder), "%s/state", scratch_root);
    t.config.state = folder;
    run(STEPS({USAGE, 90, NULL}, SOON, {ENDS, EXITED(0), NULL}, STOP));
    assert_journal("oom-unread guarding | | fork guard-case | guard-made | stopping stopped ");
    stand.journal[0] = '\0';
    run(STEPS(STOP));
    assert_journal("oom-unread guarding guard-waits | stopping stopped ");
}

static void a_case_that_failed_counts_for_no_cap_after_a_restart_either(void **state)
{
    static char folder[64];

    (void)state;
    snprintf(folder, sizeof(folder), "%s/state", scratch_root);
    t.config.state = folder;
    t.config.rules.cooldown_ms = 1000;
    t.config.rules.per_target = (struct rate){.count = 1, .per_ms = UINT64_C(3600) * 1000};
    run(STEPS({USAGE, 90, NULL}, SOON, {ENDS, EXITED(40), NULL}, SOON, STOP));
    stand.journal[0] = '\0';
    run(STEPS({ENDS, EXITED(0), NULL}, SOON, STOP));
    assert_journal("oom-unread guarding fork guard-case | guard-made | | stopping stopped ");
    stand.journal[0] = '\0';
    run(STEPS(STOP));
    assert_journal("oom-unread guarding guard-waits | stopping stopped ");
}

static void a_state_folder_that_cannot_be_used_costs_no_case(void **state)
{
    static char folder[64];

    (void)state;
    scratch_put("state", "guard", "a file, no folder");
    snprintf(folder, sizeof(folder), "%s/state", scratch_root);
    t.config.state = folder;
    run(STEPS({USAGE, 90, NULL}, SOON, {ENDS, EXITED(0), NULL}, STOP));
    assert_journal("guard-forgets oom-unread guarding | | fork guard-case | guard-made | stopping stopped ");
}

static void the_process_that_attaches_is_started_again(void **state)
{
    static char program[] = "salvage", part[] = "guard-attach";
    static char *const args[] = {program, part, NULL};

    (void)state;
    t.config.attach_args = args;
    run(STEPS({ENDS, SIGKILL, NULL}, {PASS, 400, NULL}, {PASS, 600, NULL}, STOP));
    assert_journal("oom-unread guarding fork | arm-died | | fork | stopping stopped ");
}

static void a_target_that_is_not_there_is_an_error(void **state)
{
    static const char *nowhere[] = {"/nowhere"};
    struct err e = {0};

    (void)state;
    t.config.selection.cgroups = nowhere;
    assert_int_equal(guard_run(&t.config, &e), -ENOENT);
    assert_non_null(strstr(e.msg, "/nowhere"));
    assert_journal("oom-unread ");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_condition_that_holds_makes_one_case),
        TEST(a_target_that_vanishes_ends_the_guard),
        TEST(a_case_outlives_its_target),
        TEST(with_all_targets_come_and_go),
        TEST(a_target_rests_after_a_case),
        TEST(a_cap_is_kept_and_a_case_that_failed_does_not_count),
        TEST(a_fork_that_fails_is_tried_again_and_said_once_a_minute),
        TEST(a_process_that_could_not_become_salvage_is_tried_again),
        TEST(a_case_that_is_killed_is_no_whole_one),
        TEST(a_child_with_the_number_of_one_that_ended_is_no_case),
        TEST(a_case_may_end_in_time_after_the_word_to_stop),
        TEST(a_case_that_hangs_is_ended_after_the_grace),
        TEST(nothing_begins_once_it_is_to_stop),
        TEST(a_kill_that_was_counted_gets_a_record_in_the_last_case),
        TEST(kills_before_the_start_are_not_reported),
        TEST(a_kill_at_the_end_of_its_cgroup_is_reported),
        TEST(a_record_without_a_process_waits),
        TEST(a_record_that_is_left_at_the_end_is_said),
        TEST(a_record_on_its_way_is_ended_after_the_grace),
        TEST(a_record_behind_the_one_on_its_way_is_said_at_the_end),
        TEST(a_kill_in_the_kernel_log_is_reported_once),
        TEST(the_rest_after_a_case_outlives_the_guard),
        TEST(a_case_that_failed_counts_for_no_cap_after_a_restart_either),
        TEST(a_state_folder_that_cannot_be_used_costs_no_case),
        TEST(the_process_that_attaches_is_started_again),
        TEST(a_target_that_is_not_there_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
