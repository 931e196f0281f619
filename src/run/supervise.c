/* SPDX-License-Identifier: Apache-2.0
 *
 * One loop over signals, the watch's events and timers.
 *
 * SIGTERM asks the watch to stop, SIGINT to stop at once: two different signals, since two of the same may merge while
 * they are pending. It gets neither before it has reported EVENT_STARTED.
 */
#include "run/supervise.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "linux/launch.h"
#include "linux/memcg.h"
#include "run/arm_protocol.h"
#include "run/event_summary.h"
#include "ship/attach_supervisor.h"

enum {
    EVENT_SIZE_MAX = 16 * 1024,
    PATIENCE_MS = 10 * 1000, /* for a watch that should have stopped by now */
    POLL_MAX_MS = 60 * 1000,
    RESTARTS_AT_THE_END = 3,
    SIGNAL_NAME_MAX = 24
};

struct supervisor {
    const struct supervise_config *config;
    struct launch_signals before;
    pid_t app, watch; /* 0: not running */
    bool terminal;    /* the terminal was given to the application */
    int signal_fd, channel;
    struct memcg cgroup; /* our own, and so the application's */
    uint64_t oom_before, began_ms;
    /* Once the application has ended. */
    bool ended;
    pid_t ended_pid;
    int status; /* of wait(2) */
    uint64_t oom_kills, ran_ms;
    bool oom_known;
    uint64_t stop_ms, kill_ms; /* when the watch is asked to stop at once, and when it is killed */
    /* The watch. */
    struct attach_supervisor arm;
    struct event_summary summary;
    struct backoff backoff;
    uint64_t restart_ms; /* 0: not scheduled */
    unsigned restarts;   /* since the application ended */
    unsigned stops;      /* requests to stop: signals, and the end of the grace */
    bool asked, hurried; /* the watch got SIGTERM; it got SIGINT or SIGKILL */
    bool locked_out;     /* another watch holds the folders: watch_instead runs */
    bool finished;
};

/* The watch */

static void end_channel(struct supervisor *s)
{
    if (s->channel >= 0)
        close(s->channel);
    s->channel = -1;
}

static void start_watch(struct supervisor *s)
{
    int r;

    s->restart_ms = 0;
    s->asked = s->hurried = false;
    event_summary_restart(&s->summary);
    end_channel(s);
    r = launch_salvage(s->locked_out ? s->config->watch_instead : s->config->watch, &s->watch, &s->channel);
    if (r == 0)
        return;
    s->watch = 0;
    s->restart_ms = clock_mono_ms() + backoff_next(&s->backoff, 0);
    log_event(EVENT_WATCH_DIED, LOG_STR("error", strerror(-r)));
}

/* Sends the signals that are due and were not sent. Not before the process that arms has ended: it may still write a
 * crash log. */
static void stop_watch(struct supervisor *s)
{
    uint64_t patience = clock_mono_ms() + PATIENCE_MS;

    if (!s->watch || !s->ended || (s->arm.pid && s->stops < 2))
        return;
    if (s->summary.started && !s->asked) {
        kill(s->watch, SIGTERM);
        s->asked = true;
    }
    if (s->stops > 1 && !s->hurried) {
        kill(s->watch, s->asked ? SIGINT : SIGKILL);
        s->hurried = true;
        if (patience < s->kill_ms)
            s->kill_ms = patience;
    }
}

static void on_channel(struct supervisor *s)
{
    char line[EVENT_SIZE_MAX];
    ssize_t n;

    do {
        n = recv(s->channel, line, sizeof(line), MSG_DONTWAIT);
        if (n > 0)
            event_summary_add(&s->summary, line, (size_t)n);
    } while (n > 0 || (n < 0 && errno == EINTR));
    if (n == 0 || errno != EAGAIN)
        end_channel(s);
    stop_watch(s);
}

static void report_watch_died(const struct supervisor *s, int status)
{
    char how[96];
    uint64_t now = clock_mono_ms(), wait_ms = s->restart_ms > now ? s->restart_ms - now : 0;

    snprintf(how, sizeof(how), WIFSIGNALED(status) ? "it was killed by signal %d" : "it ended with status %d",
             WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    log_event(EVENT_WATCH_DIED, LOG_STR("error", how), LOG_UINT("retry_in_s", wait_ms / 1000));
}

static bool is_locked_out(const struct supervisor *s, int status)
{
    return !s->locked_out && s->config->watch_instead && WIFEXITED(status) &&
           WEXITSTATUS(status) == fault_find(-FAULT_LOCKED)->exit_code;
}

/* After the application's end it is started again only if a signal killed it, such as an OOM kill's. */
static void on_watch_end(struct supervisor *s, int status)
{
    if (s->channel >= 0)
        on_channel(s);
    end_channel(s);
    s->watch = 0;
    if (is_locked_out(s, status)) {
        s->locked_out = true;
        report_watch_died(s, status);
        start_watch(s);
        return;
    }
    if (s->ended && (WIFEXITED(status) || s->hurried || ++s->restarts > RESTARTS_AT_THE_END)) {
        s->finished = true;
        if (!s->asked || WIFSIGNALED(status))
            report_watch_died(s, status);
        return;
    }
    s->restart_ms = clock_mono_ms() + backoff_next(&s->backoff, 0);
    report_watch_died(s, status);
}

/* The application */

/* The kernel counts a kill in the victim's cgroup, which is ours, too. It counts before it kills: after the death the
 * count is complete. */
static void count_oom_kills(struct supervisor *s)
{
    struct cgroup_events now = {0};

    s->oom_known = memcg_events(&s->cgroup, false, &now) == 0;
    s->oom_kills = s->oom_known && now.oom_kill > s->oom_before ? now.oom_kill - s->oom_before : 0;
}

static int exit_status(const struct supervisor *s)
{
    return WIFSIGNALED(s->status) ? 128 + WTERMSIG(s->status) : WEXITSTATUS(s->status);
}

/* A shell in between exits with 137 for a child that got SIGKILL. */
static const char *why(const struct supervisor *s)
{
    if (s->oom_kills > 0 && exit_status(s) == 128 + SIGKILL)
        return "oom-kill";
    return WIFSIGNALED(s->status) ? "signal" : "exit";
}

/* "SIGKILL", in out; NULL if no signal ended it. */
static const char *signal_name(const struct supervisor *s, char out[static SIGNAL_NAME_MAX])
{
    const char *name = WIFSIGNALED(s->status) ? sigabbrev_np(WTERMSIG(s->status)) : NULL;

    if (!WIFSIGNALED(s->status))
        return NULL;
    if (name)
        snprintf(out, SIGNAL_NAME_MAX, "SIG%s", name);
    else
        snprintf(out, SIGNAL_NAME_MAX, "%d", WTERMSIG(s->status));
    return out;
}

static bool maybe_oom(const struct supervisor *s)
{
    return !s->oom_known && exit_status(s) == 128 + SIGKILL;
}

/* An ordinary stop: it ended by SIGTERM or SIGINT after we had forwarded one. */
static bool is_requested_stop(const struct supervisor *s)
{
    return s->stops > 0 && (exit_status(s) == 128 + SIGTERM || exit_status(s) == 128 + SIGINT);
}

static void report_app_died(const struct supervisor *s)
{
    char name[SIGNAL_NAME_MAX];

    if (exit_status(s) != 0 && !is_requested_stop(s))
        log_event(EVENT_DIED, LOG_STR("command", s->config->app[0]), LOG_UINT("pid", (uint64_t)s->ended_pid),
                  LOG_STR("why", why(s)), LOG_UINT("status", (uint64_t)exit_status(s)),
                  LOG_STR("signal", signal_name(s, name)), LOG_STR("oom", maybe_oom(s) ? "unknown" : NULL),
                  LOG_UINT("oom_kills", s->oom_kills), LOG_REAL("seconds", (double)s->ran_ms / 1000));
}

static void report_end(const struct supervisor *s)
{
    const struct event_summary *t = &s->summary;
    char name[SIGNAL_NAME_MAX];
    const char *error = t->stopped && t->left == 0 ? NULL : t->error;

    if (s->config->watch && !t->stopped && !error)
        error = "the watch ended before it was done";
    log_event(EVENT_ENDED, LOG_STR("why", why(s)), LOG_UINT("status", (uint64_t)exit_status(s)),
              LOG_STR("signal", signal_name(s, name)), LOG_UINT("oom_kills", s->oom_kills),
              LOG_UINT("shipped", t->shipped), LOG_UINT("bytes", t->bytes),
              t->stopped ? (struct log_pair)LOG_UINT("left", t->left) : (struct log_pair)LOG_STR("left", NULL),
              LOG_STR("url", t->url), LOG_STR("error", error));
}

static void on_app_end(struct supervisor *s, int status)
{
    uint64_t now = clock_mono_ms();

    s->ended_pid = s->app;
    s->app = 0;
    s->ended = true;
    s->status = status;
    s->ran_ms = now - s->began_ms;
    count_oom_kills(s);
    if (s->terminal)
        launch_give_terminal(s->ended_pid, getpgrp());
    report_app_died(s);
    /* When PID 1 ends the kernel kills all other processes. We stay until all is shipped, so they are asked to end. */
    if (getpid() == 1)
        kill(-s->ended_pid, SIGTERM);
    attach_supervisor_report_end(&s->arm, &(struct application_end){s->ended_pid, status});
    attach_supervisor_end(&s->arm);
    s->stop_ms = now + s->config->grace_ms + PATIENCE_MS;
    s->kill_ms = s->stop_ms + PATIENCE_MS;
    if (!s->config->watch)
        s->finished = true;
    else if (!s->watch)
        start_watch(s);
    else
        stop_watch(s);
}

/* Ctrl-Z: we stop, too, for the shell that started us. The application continues when that shell continues us; without
 * job control the kernel drops our SIGTSTP, and the application continues at once. */
static void on_app_stop(struct supervisor *s)
{
    sigset_t stop;

    if (!s->terminal || getpid() == 1)
        return;
    launch_give_terminal(s->app, getpgrp());
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    raise(SIGTSTP);
    sigprocmask(SIG_UNBLOCK, &stop, NULL);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    launch_give_terminal(getpgrp(), s->app);
    kill(-s->app, SIGCONT);
}

static void reap(struct supervisor *s)
{
    pid_t pid;
    int status;

    while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
        if (WIFSTOPPED(status)) {
            if (pid == s->app)
                on_app_stop(s);
        } else if (pid == s->app) {
            on_app_end(s, status);
        } else if (pid == s->watch) {
            on_watch_end(s, status);
        } else if (attach_supervisor_reap(&s->arm, pid, status)) {
            stop_watch(s);
        }
    }
}

/* The loop */

static bool asks_to_stop(int number)
{
    return number == SIGTERM || number == SIGINT || number == SIGQUIT || number == SIGHUP;
}

static void on_signal(struct supervisor *s, const struct signalfd_siginfo *info)
{
    int number = (int)info->ssi_signo;

    if (number == SIGCHLD) {
        reap(s);
        return;
    }
    if (s->ended ? asks_to_stop(number) : number == SIGTERM || number == SIGINT)
        s->stops++;
    if (s->ended)
        stop_watch(s);
    else if (number != SIGTTIN && number != SIGTTOU)
        kill(s->app, number);
}

static void on_signals(struct supervisor *s)
{
    struct signalfd_siginfo info;

    while (read(s->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
        on_signal(s, &info);
}

static void on_time(struct supervisor *s)
{
    uint64_t now = clock_mono_ms();

    if (s->ended && now >= s->kill_ms) {
        if (s->watch)
            kill(s->watch, SIGKILL);
        s->hurried = true;
        s->kill_ms = UINT64_MAX;
        s->finished = !s->watch;
    } else if (s->ended && now >= s->stop_ms) {
        s->stops += 2;
        s->stop_ms = UINT64_MAX;
        s->finished = !s->watch;
        stop_watch(s);
    } else if (s->restart_ms && now >= s->restart_ms) {
        start_watch(s);
    }
    attach_supervisor_on_time(&s->arm, now);
}

/* For poll(2). */
static int next_timeout(const struct supervisor *s)
{
    uint64_t now = clock_mono_ms(), next = UINT64_MAX;

    if (s->restart_ms)
        next = s->restart_ms;
    if (s->arm.due_ms < next)
        next = s->arm.due_ms;
    if (s->ended && s->stop_ms < next)
        next = s->stop_ms;
    if (s->ended && s->kill_ms < next)
        next = s->kill_ms;
    if (next == UINT64_MAX)
        return -1;
    return next <= now ? 0 : next - now > POLL_MAX_MS ? POLL_MAX_MS : (int)(next - now);
}

static void supervise(struct supervisor *s)
{
    while (!s->finished) {
        struct pollfd fds[] = {{.fd = s->signal_fd, .events = POLLIN}, {.fd = s->channel, .events = POLLIN}};

        if (poll(fds, 2, next_timeout(s)) < 0 && errno != EINTR)
            clock_sleep_ms(100); /* the kernel is out of memory */
        on_signals(s);
        if (s->channel >= 0)
            on_channel(s);
        on_time(s);
    }
}

/* Where our cgroup can't be seen, kills stay unknown. */
static void read_oom_kills_before(struct supervisor *s)
{
    CLEANUP(proc_done) struct proc self = PROC_NONE;
    struct cgroup_events before;

    if (proc_open("/proc", getpid(), &self) == 0 && memcg_open(&self, &s->cgroup, NULL) == 0 &&
        memcg_events(&s->cgroup, false, &before) == 0)
        s->oom_before = before.oom_kill;
}

static void start_arm(struct supervisor *s)
{
    char group[RUN_ARM_GROUP_MAX];

    if (attach_supervisor_start(&s->arm, s->config->arm, run_arm_encode_group(s->app, group)) < 0)
        log_event(EVENT_ARM_DIED, LOG_STR("error", strerror(ENOMEM)));
}

int supervise_run(const struct supervise_config *c, struct err *e)
{
    struct supervisor s = {.config = c,
                           .channel = -1,
                           .arm = ATTACH_SUPERVISOR_NONE,
                           .cgroup = MEMCG_NONE,
                           .backoff = {.first_ms = 1000, .most_ms = 5 * 60 * 1000}};
    sigset_t waiting;
    int r;

    assert(c->app && c->app[0]);
    launch_block_signals(&s.before, &waiting);
    s.signal_fd = signalfd(-1, &waiting, SFD_CLOEXEC | SFD_NONBLOCK);
    if (s.signal_fd < 0)
        return err_set(e, -errno, "signalfd: %s", strerror(errno));
    read_oom_kills_before(&s);
    s.began_ms = clock_mono_ms();
    r = launch_app(c->app, c->env, &s.before, &s.app);
    if (r == 0) {
        s.terminal = tcgetpgrp(STDIN_FILENO) == s.app;
        if (c->watch)
            start_watch(&s);
        if (c->arm)
            start_arm(&s);
        supervise(&s);
        report_end(&s);
        r = exit_status(&s);
    } else {
        r = err_set(e, r, "%s: %s", c->app[0], strerror(-r));
    }
    end_channel(&s);
    attach_supervisor_done(&s.arm);
    event_summary_done(&s.summary);
    memcg_done(&s.cgroup);
    close(s.signal_fd);
    return r;
}
