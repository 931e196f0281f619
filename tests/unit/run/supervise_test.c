/* SPDX-License-Identifier: Apache-2.0
 *
 * A supervisor from start to end. The test is its kernel: each poll(2) of the loop is one step, in which a child ends,
 * a signal comes, the watch reports, or time passes. No process is started and no signal is sent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/text.h"
#include "linux/launch.h"
#include "linux/memcg.h"
#include "run/supervise.h"
#include "scratch.h"
#include "ship/attach_supervisor.h"
#include "stand_in.h"

/* Above any number that a kernel gives. */
enum { APP = 1 << 24, ORPHAN = APP + 1, CHILD = APP + 2, CHILDREN_MAX = 16, GRACE_MS = 30000 };

#define EXITED(status) ((status) << 8)
#define KILLED(number) (number)
#define STARTED "{\"event\":\"started\"}"
#define STOPPED "{\"event\":\"stopped\",\"left\":0,\"failed\":0}"

enum what {
    END_OF_STEPS,
    APP_ENDS, /* value: a wait status */
    APP_STOPS,
    ORPHAN_ENDS,
    WATCH_ENDS, /* the last that was started */
    WATCH_ENDS_AGAIN,
    WATCH_SAYS, /* text */
    WATCH_CLOSES,
    ARM_ENDS,
    SIGNAL, /* value: its number */
    DUE,    /* time passes until the loop is due */
    SPAWN_FAILS,
    POLL_FAILS, /* value: errno, of this poll, and of the next start */
    OOM_KILL
};

struct step {
    enum what what;
    int value;
    const char *text;
};

static struct {
    const struct step *step;
    int app_error, spawn_error;
    struct {
        const char *name; /* argv[1] */
        int channel;      /* the child's end; -1: closed */
    } child[CHILDREN_MAX];
    int children;
    bool first, terminal, blind; /* we are PID 1; the terminal is the application's; no cgroup is seen */
    struct application_end last_word;
} t;

/* --- in place of the system -----------------------------------------------------------------------------------------
 */

static const char *name_of(pid_t pid)
{
    return pid == APP                                   ? "app"
           : pid == -APP                                ? "app-group"
           : pid >= CHILD && pid < CHILD + CHILDREN_MAX ? t.child[pid - CHILD].name
                                                        : "stranger";
}

STANDS_IN(fake_kill, kill);
int fake_kill(pid_t pid, int number)
{
    journal("kill:%s:%s ", name_of(pid), sigabbrev_np(number));
    return 0;
}

STANDS_IN(fake_raise, raise);
int fake_raise(int number)
{
    journal("raise:%s ", sigabbrev_np(number));
    return 0;
}

REAL(real_getpid, getpid);
STANDS_IN(fake_getpid, getpid);
pid_t fake_getpid(void)
{
    return t.first ? 1 : real_getpid();
}

STANDS_IN(fake_tcgetpgrp, tcgetpgrp);
pid_t fake_tcgetpgrp(int fd)
{
    (void)fd;
    return t.terminal ? APP : -1;
}

STANDS_IN(fake_give_terminal, launch_give_terminal);
bool fake_give_terminal(pid_t from, pid_t to)
{
    journal("terminal:%s ", from == APP ? "ours" : name_of(to));
    return true;
}

STANDS_IN(fake_block_signals, launch_block_signals);
void fake_block_signals(struct launch_signals *ret_before, sigset_t *ret_waiting)
{
    memset(ret_before, 0, sizeof(*ret_before));
    sigfillset(ret_waiting);
}

STANDS_IN(fake_signalfd, signalfd);
int fake_signalfd(int fd, const sigset_t *wanted, int flags)
{
    assert_int_equal(fd, -1);
    assert_true(sigismember(wanted, SIGCHLD) && flags & SFD_NONBLOCK);
    return stand_signalfd();
}

STANDS_IN(fake_launch_app, launch_app);
int fake_launch_app(char *const *argv, char *const *env, const struct launch_signals *before, pid_t *ret)
{
    (void)env, (void)before;
    journal("start:%s ", argv[0]);
    if (t.app_error)
        return -t.app_error;
    *ret = APP;
    return 0;
}

STANDS_IN(fake_launch_watch, launch_salvage);
int fake_launch_watch(char *const *argv, pid_t *ret, int *ret_channel)
{
    int error = t.spawn_error, pair[2];

    journal("start:%s ", argv[1]);
    t.spawn_error = 0;
    if (error)
        return -error;
    assert_true(t.children < CHILDREN_MAX);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    t.child[t.children].name = argv[1];
    t.child[t.children].channel = pair[1];
    *ret_channel = pair[0];
    *ret = CHILD + t.children++;
    return 0;
}

STANDS_IN(fake_waitpid, waitpid);
pid_t fake_waitpid(pid_t pid, int *status, int options)
{
    assert_int_equal(pid, -1);
    assert_int_equal(options, WNOHANG | WUNTRACED);
    return stand_waitpid(status);
}

STANDS_IN(fake_memcg_open, memcg_open);
int fake_memcg_open(const struct proc *p, struct memcg *ret, struct err *e)
{
    char path[64];

    (void)p;
    snprintf(path, sizeof(path), "%s/cg", scratch_root);
    return t.blind ? -ENOENT : memcg_open_path(path, ret, e);
}

STANDS_IN(fake_sleep, clock_sleep_ms);
void fake_sleep(uint64_t ms)
{
    journal("sleep ");
    stand.now_ms += ms;
}

static int last_of(const char *name)
{
    for (int i = t.children; i-- > 0;)
        if (text_starts(t.child[i].name, name))
            return i;
    fail_msg("no %s was started", name);
    return 0;
}

static void close_child(int i)
{
    if (t.child[i].channel >= 0)
        close(t.child[i].channel);
    t.child[i].channel = -1;
}

static void end_child(const char *name, int status)
{
    int i = last_of(name);

    if (t.child[i].channel >= 0)
        (void)recv(t.child[i].channel, &t.last_word, sizeof(t.last_word), 0);
    close_child(i);
    end(CHILD + i, status);
}

STANDS_IN(fake_poll, poll);
int fake_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    const struct step *s = t.step++;

    assert_int_equal(count, 2);
    assert_int_equal(fds[0].events, POLLIN);
    journal("| ");
    switch (s->what) {
    case END_OF_STEPS:
        fail_msg("it still waits, for %d ms, after: %s", timeout_ms, stand.journal);
        break;
    case APP_ENDS:
        end(APP, s->value);
        break;
    case APP_STOPS:
        end(APP, SIGTSTP << 8 | 0x7f);
        break;
    case ORPHAN_ENDS:
        end(ORPHAN, s->value);
        break;
    case WATCH_ENDS:
        end_child("watch", s->value);
        break;
    case WATCH_ENDS_AGAIN:
        end(CHILD + last_of("watch"), s->value);
        break;
    case WATCH_SAYS:
        assert_true(send(t.child[last_of("watch")].channel, s->text, strlen(s->text), 0) > 0);
        break;
    case WATCH_CLOSES:
        close_child(last_of("watch"));
        break;
    case ARM_ENDS:
        end_child("run-arm", s->value);
        break;
    case SIGNAL:
        send_signal(s->value);
        break;
    case DUE:
        assert_true(timeout_ms > 0);
        stand.now_ms += (uint64_t)timeout_ms;
        break;
    case SPAWN_FAILS:
        t.spawn_error = s->value;
        break;
    case POLL_FAILS:
        errno = s->value;
        return -1;
    case OOM_KILL:
        scratch_put("cg", "memory.events", "low 0\nhigh 0\nmax 0\noom 1\noom_kill 6\n");
        break;
    }
    return 0;
}

/* --- the test -------------------------------------------------------------------------------------------------------
 */

static int set_up(void **state)
{
    memset(&t, 0, sizeof(t));
    stand_set_up();
    if (scratch_set_up(state) < 0)
        return -1;
    scratch_put("cg", "memory.max", "104857600\n");
    scratch_put("cg", "memory.current", "1048576\n");
    scratch_put("cg", "memory.stat", "inactive_file 0\n");
    scratch_put("cg", "memory.events", "low 0\nhigh 0\nmax 0\noom 0\noom_kill 5\n");
    return 0;
}

static int tear_down(void **state)
{
    for (int i = 0; i < t.children; i++)
        close_child(i);
    if (stand.signal_writer >= 0)
        close(stand.signal_writer);
    return scratch_tear_down(state);
}

enum with { ALONE = 0, WATCH = 1, INSTEAD = 2, ARM = 4 };

static char program[] = "salvage", app_name[] = "app", watch_name[] = "watch", instead_name[] = "watch-instead",
            arm_name[] = "run-arm";
static struct err error;

static int run(unsigned with, const struct step *steps)
{
    static char *const app[] = {app_name, NULL}, *const env[] = {NULL}, *const watch[] = {program, watch_name, NULL},
                       *const instead[] = {program, instead_name, NULL}, *const arm[] = {program, arm_name, NULL};
    const struct supervise_config c = {.app = app,
                                       .env = env,
                                       .watch = with & WATCH ? watch : NULL,
                                       .watch_instead = with & INSTEAD ? instead : NULL,
                                       .arm = with & ARM ? arm : NULL,
                                       .grace_ms = GRACE_MS};
    int r;

    error = (struct err){0};
    t.step = steps;
    r = supervise_run(&c, &error);
    assert_int_equal(t.step->what, END_OF_STEPS);
    t.step = NULL;
    return r;
}

#define STEPS(...) ((const struct step[]){__VA_ARGS__, {END_OF_STEPS, 0, NULL}})

static void without_a_watch_it_ends_with_the_application(void **state)
{
    (void)state;
    assert_int_equal(run(ALONE, STEPS({APP_ENDS, EXITED(3), NULL})), 3);
    assert_journal("start:app | died ended ");
    assert_true(was_said("why=exit status=3"));
}

static void an_application_that_cannot_be_started_is_an_error(void **state)
{
    (void)state;
    t.app_error = EAGAIN; /* as fork says it */
    assert_int_equal(run(WATCH | ARM, STEPS({END_OF_STEPS, 0, NULL})), -EAGAIN);
    assert_journal("start:app ");
    assert_non_null(strstr(error.msg, "app: "));
}

static void the_watch_is_asked_to_stop_once_the_application_has_ended(void **state)
{
    (void)state;
    assert_int_equal(run(WATCH, STEPS({WATCH_SAYS, 0, STARTED}, {APP_ENDS, EXITED(0), NULL}, {WATCH_SAYS, 0, STOPPED},
                                      {WATCH_ENDS, EXITED(0), NULL})),
                     0);
    assert_journal("start:app start:watch | | kill:watch:TERM | | ended ");
    assert_false(was_said("error="));
}

static void a_watch_that_does_not_listen_yet_is_not_asked(void **state)
{
    (void)state;
    assert_int_equal(run(WATCH, STEPS({APP_ENDS, EXITED(0), NULL}, {WATCH_SAYS, 0, STARTED}, {WATCH_SAYS, 0, STOPPED},
                                      {WATCH_ENDS, EXITED(0), NULL})),
                     0);
    assert_journal("start:app start:watch | | kill:watch:TERM | | ended ");
}

static void a_kill_for_memory_is_known_by_the_counter(void **state)
{
    (void)state;
    assert_int_equal(run(ALONE, STEPS({OOM_KILL, 0, NULL}, {APP_ENDS, KILLED(SIGKILL), NULL})), 137);
    assert_true(was_said("why=oom-kill status=137 signal=SIGKILL oom_kills=1 "));
}

static void a_kill_that_was_not_counted_is_a_signal(void **state)
{
    (void)state;
    assert_int_equal(run(ALONE, STEPS({APP_ENDS, KILLED(SIGKILL), NULL})), 137);
    assert_true(was_said("why=signal status=137 signal=SIGKILL oom_kills=0 "));
    assert_false(was_said("oom=unknown"));
}

static void where_no_cgroup_is_seen_a_kill_for_memory_is_possible(void **state)
{
    (void)state;
    t.blind = true;
    assert_int_equal(run(ALONE, STEPS({APP_ENDS, KILLED(SIGKILL), NULL})), 137);
    assert_true(was_said("oom=unknown"));
}

static void signals_are_forwarded(void **state)
{
    (void)state;
    assert_int_equal(run(ALONE, STEPS({SIGNAL, SIGUSR1, NULL}, {SIGNAL, SIGTTIN, NULL}, {SIGNAL, SIGWINCH, NULL},
                                      {SIGNAL, SIGTERM, NULL}, {APP_ENDS, KILLED(SIGTERM), NULL})),
                     143);
    assert_journal("start:app | kill:app:USR1 | | kill:app:WINCH | kill:app:TERM | ended "); /* as asked: no death */
}

static void a_sigterm_that_nobody_sent_through_us_is_a_death(void **state)
{
    (void)state;
    assert_int_equal(run(ALONE, STEPS({APP_ENDS, KILLED(SIGTERM), NULL})), 143);
    assert_journal("start:app | died ended ");
}

static void orphans_are_reaped_and_change_nothing(void **state)
{
    (void)state;
    assert_int_equal(
        run(WATCH, STEPS({ORPHAN_ENDS, KILLED(SIGKILL), NULL}, {WATCH_SAYS, 0, STARTED}, {APP_ENDS, EXITED(0), NULL},
                         {ORPHAN_ENDS, EXITED(1), NULL}, {WATCH_SAYS, 0, STOPPED}, {WATCH_ENDS, EXITED(0), NULL})),
        0);
    assert_journal("start:app start:watch | | | kill:watch:TERM | | | ended ");
}

static void pid_1_asks_the_applications_group_to_go(void **state)
{
    (void)state;
    t.first = true;
    assert_int_equal(run(ALONE, STEPS({APP_ENDS, EXITED(0), NULL})), 0);
    assert_journal("start:app | kill:app-group:TERM ended ");
}

static void a_watch_that_dies_is_started_again_after_a_while(void **state)
{
    uint64_t began = stand.now_ms, took;

    (void)state;
    run(WATCH, STEPS({WATCH_SAYS, 0, STARTED}, {WATCH_ENDS, KILLED(SIGSEGV), NULL}, {DUE, 0, NULL},
                     {WATCH_ENDS, EXITED(1), NULL}, {DUE, 0, NULL}, {APP_ENDS, EXITED(0), NULL},
                     {WATCH_SAYS, 0, STARTED}, {WATCH_SAYS, 0, STOPPED}, {WATCH_ENDS, EXITED(0), NULL}));
    assert_journal("start:app start:watch | | watch-died | start:watch | watch-died | start:watch "
                   "| | kill:watch:TERM | | ended ");
    took = stand.now_ms - began;
    assert_in_range(took, 500 + 1000, 1000 + 2000);
    assert_true(was_said("killed by signal 11") && was_said("ended with status 1"));
}

static void a_watch_that_cannot_be_started_is_tried_again(void **state)
{
    (void)state;
    t.spawn_error = EAGAIN;
    run(WATCH, STEPS({SPAWN_FAILS, ENOMEM, NULL}, {DUE, 0, NULL}, {DUE, 0, NULL}, {WATCH_SAYS, 0, STARTED},
                     {APP_ENDS, EXITED(0), NULL}, {WATCH_SAYS, 0, STOPPED}, {WATCH_ENDS, EXITED(0), NULL}));
    assert_journal("start:app start:watch watch-died | | start:watch watch-died | start:watch | | kill:watch:TERM "
                   "| | ended ");
}

static void a_watch_that_is_down_is_started_at_once_for_what_the_application_left(void **state)
{
    (void)state;
    run(WATCH, STEPS({WATCH_ENDS, KILLED(SIGKILL), NULL}, {APP_ENDS, EXITED(0), NULL}, {WATCH_SAYS, 0, STARTED},
                     {WATCH_SAYS, 0, STOPPED}, {WATCH_ENDS, EXITED(0), NULL}));
    assert_journal("start:app start:watch | watch-died | start:watch | kill:watch:TERM | | ended ");
}

static void another_child_with_the_number_of_a_dead_watch_is_not_the_watch(void **state)
{
    (void)state;
    run(WATCH, STEPS({WATCH_ENDS, KILLED(SIGKILL), NULL}, {WATCH_ENDS_AGAIN, KILLED(SIGKILL), NULL}, {DUE, 0, NULL},
                     {WATCH_SAYS, 0, STARTED}, {APP_ENDS, EXITED(0), NULL}, {APP_ENDS, EXITED(7), NULL},
                     {WATCH_SAYS, 0, STOPPED}, {WATCH_ENDS, EXITED(0), NULL}));
    assert_journal("start:app start:watch | watch-died | | start:watch | | kill:watch:TERM | | | ended ");
    assert_true(was_said("why=exit status=0"));
}

static void a_watch_that_ends_early_after_the_application_is_not_started_again(void **state)
{
    (void)state;
    assert_int_equal(run(WATCH, STEPS({APP_ENDS, EXITED(0), NULL}, {WATCH_ENDS, EXITED(23), NULL})), 0);
    assert_journal("start:app start:watch | | watch-died ended ");
    assert_true(was_said("error=the watch ended before it was done"));
}

static void after_the_application_a_watch_that_is_killed_is_started_three_times_more(void **state)
{
    (void)state;
    run(WATCH, STEPS({APP_ENDS, EXITED(0), NULL}, {WATCH_ENDS, KILLED(SIGKILL), NULL}, {DUE, 0, NULL},
                     {WATCH_ENDS, KILLED(SIGKILL), NULL}, {DUE, 0, NULL}, {WATCH_ENDS, KILLED(SIGKILL), NULL},
                     {DUE, 0, NULL}, {WATCH_ENDS, KILLED(SIGKILL), NULL}));
    assert_journal("start:app start:watch | | watch-died | start:watch | watch-died | start:watch | watch-died "
                   "| start:watch | watch-died ended ");
}

static void a_watch_whose_folders_are_taken_is_replaced_at_once(void **state)
{
    (void)state;
    run(WATCH | INSTEAD,
        STEPS({WATCH_ENDS, EXITED(24), NULL}, {WATCH_ENDS, EXITED(24), NULL}, {DUE, 0, NULL}, {WATCH_SAYS, 0, STARTED},
              {APP_ENDS, EXITED(0), NULL}, {WATCH_SAYS, 0, STOPPED}, {WATCH_ENDS, EXITED(0), NULL}));
    assert_journal("start:app start:watch | watch-died start:watch-instead | watch-died | start:watch-instead "
                   "| | kill:watch-instead:TERM | | ended ");
}

static void a_watch_that_hangs_is_ended_after_the_grace(void **state)
{
    uint64_t began = stand.now_ms;

    (void)state;
    run(WATCH, STEPS({WATCH_SAYS, 0, STARTED}, {APP_ENDS, EXITED(0), NULL}, {DUE, 0, NULL}, {DUE, 0, NULL},
                     {WATCH_ENDS, KILLED(SIGKILL), NULL}));
    assert_journal("start:app start:watch | | kill:watch:TERM | kill:watch:INT | kill:watch:KILL "
                   "| watch-died ended ");
    assert_int_equal(stand.now_ms - began, GRACE_MS + 10000 + 10000);
}

static void a_watch_that_never_listened_is_killed_after_the_grace(void **state)
{
    (void)state;
    run(WATCH, STEPS({APP_ENDS, EXITED(0), NULL}, {DUE, 0, NULL}, {WATCH_ENDS, KILLED(SIGKILL), NULL}));
    assert_journal("start:app start:watch | | kill:watch:KILL | watch-died ended ");
}

static void a_watch_that_cannot_be_started_at_the_end_is_tried_again(void **state)
{
    (void)state;
    t.spawn_error = EAGAIN;
    run(WATCH, STEPS({SPAWN_FAILS, EAGAIN, NULL}, {APP_ENDS, EXITED(0), NULL}, {DUE, 0, NULL}, {WATCH_SAYS, 0, STARTED},
                     {WATCH_SAYS, 0, STOPPED}, {WATCH_ENDS, EXITED(0), NULL}));
    assert_journal("start:app start:watch watch-died | | start:watch watch-died | start:watch | kill:watch:TERM "
                   "| | ended ");
}

static void a_second_request_to_stop_hurries_the_watch(void **state)
{
    (void)state;
    run(WATCH, STEPS({WATCH_SAYS, 0, STARTED}, {SIGNAL, SIGTERM, NULL}, {APP_ENDS, KILLED(SIGTERM), NULL},
                     {SIGNAL, SIGINT, NULL}, {SIGNAL, SIGINT, NULL}, {WATCH_ENDS, EXITED(75), NULL}));
    assert_journal("start:app start:watch | | kill:app:TERM | kill:watch:TERM | kill:watch:INT | | ended ");
}

static void other_signals_after_the_end_go_nowhere(void **state)
{
    (void)state;
    run(WATCH, STEPS({WATCH_SAYS, 0, STARTED}, {APP_ENDS, EXITED(0), NULL}, {SIGNAL, SIGUSR1, NULL},
                     {SIGNAL, SIGWINCH, NULL}, {WATCH_SAYS, 0, STOPPED}, {WATCH_ENDS, EXITED(0), NULL}));
    assert_journal("start:app start:watch | | kill:watch:TERM | | | | ended ");
}

static void a_channel_that_closes_is_not_the_end_of_the_watch(void **state)
{
    (void)state;
    run(WATCH, STEPS({WATCH_SAYS, 0, STARTED}, {WATCH_CLOSES, 0, NULL}, {APP_ENDS, EXITED(0), NULL},
                     {WATCH_ENDS, EXITED(0), NULL}));
    assert_journal("start:app start:watch | | | kill:watch:TERM | ended ");
}

static void a_poll_without_memory_is_tried_again(void **state)
{
    (void)state;
    run(ALONE, STEPS({POLL_FAILS, EINTR, NULL}, {POLL_FAILS, ENOMEM, NULL}, {APP_ENDS, EXITED(0), NULL}));
    assert_journal("start:app | | sleep | ended ");
}

static void the_process_that_arms_is_started_again_and_has_the_last_word(void **state)
{
    (void)state;
    run(WATCH | ARM, STEPS({WATCH_SAYS, 0, STARTED}, {ARM_ENDS, KILLED(SIGKILL), NULL}, {DUE, 0, NULL},
                           {APP_ENDS, KILLED(SIGABRT), NULL}, {ARM_ENDS, EXITED(0), NULL}, {WATCH_SAYS, 0, STOPPED},
                           {WATCH_ENDS, EXITED(0), NULL}));
    assert_journal("start:app start:watch start:run-arm | | arm-died | start:run-arm | died | kill:watch:TERM "
                   "| | ended ");
    assert_int_equal(t.last_word.pid, APP);
    assert_int_equal(t.last_word.status, KILLED(SIGABRT));
}

static void a_process_that_arms_and_hangs_is_killed(void **state)
{
    uint64_t began = stand.now_ms;

    (void)state;
    run(WATCH | ARM, STEPS({WATCH_SAYS, 0, STARTED}, {APP_ENDS, EXITED(0), NULL}, {DUE, 0, NULL},
                           {ARM_ENDS, KILLED(SIGKILL), NULL}, {WATCH_SAYS, 0, STOPPED}, {WATCH_ENDS, EXITED(0), NULL}));
    assert_journal("start:app start:watch start:run-arm | | | kill:run-arm:KILL | kill:watch:TERM | | ended ");
    assert_int_equal(stand.now_ms - began, 3000);
}

static void a_stop_by_ctrl_z_is_passed_on_to_our_shell(void **state)
{
    (void)state;
    t.terminal = true;
    run(ALONE, STEPS({APP_STOPS, 0, NULL}, {APP_ENDS, EXITED(0), NULL}));
    assert_journal("start:app | terminal:ours raise:TSTP terminal:app kill:app-group:CONT | terminal:ours ended ");
}

static void without_a_terminal_a_stop_changes_nothing(void **state)
{
    (void)state;
    run(ALONE, STEPS({APP_STOPS, 0, NULL}, {APP_ENDS, EXITED(0), NULL}));
    assert_journal("start:app | | ended ");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(without_a_watch_it_ends_with_the_application),
        TEST(an_application_that_cannot_be_started_is_an_error),
        TEST(the_watch_is_asked_to_stop_once_the_application_has_ended),
        TEST(a_watch_that_does_not_listen_yet_is_not_asked),
        TEST(a_kill_for_memory_is_known_by_the_counter),
        TEST(a_kill_that_was_not_counted_is_a_signal),
        TEST(where_no_cgroup_is_seen_a_kill_for_memory_is_possible),
        TEST(signals_are_forwarded),
        TEST(a_sigterm_that_nobody_sent_through_us_is_a_death),
        TEST(orphans_are_reaped_and_change_nothing),
        TEST(pid_1_asks_the_applications_group_to_go),
        TEST(a_watch_that_dies_is_started_again_after_a_while),
        TEST(a_watch_that_cannot_be_started_is_tried_again),
        TEST(a_watch_that_is_down_is_started_at_once_for_what_the_application_left),
        TEST(another_child_with_the_number_of_a_dead_watch_is_not_the_watch),
        TEST(a_watch_that_ends_early_after_the_application_is_not_started_again),
        TEST(after_the_application_a_watch_that_is_killed_is_started_three_times_more),
        TEST(a_watch_whose_folders_are_taken_is_replaced_at_once),
        TEST(a_watch_that_hangs_is_ended_after_the_grace),
        TEST(a_watch_that_never_listened_is_killed_after_the_grace),
        TEST(a_watch_that_cannot_be_started_at_the_end_is_tried_again),
        TEST(a_second_request_to_stop_hurries_the_watch),
        TEST(other_signals_after_the_end_go_nowhere),
        TEST(a_channel_that_closes_is_not_the_end_of_the_watch),
        TEST(a_poll_without_memory_is_tried_again),
        TEST(the_process_that_arms_is_started_again_and_has_the_last_word),
        TEST(a_process_that_arms_and_hangs_is_killed),
        TEST(a_stop_by_ctrl_z_is_passed_on_to_our_shell),
        TEST(without_a_terminal_a_stop_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
