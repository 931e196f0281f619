/* SPDX-License-Identifier: Apache-2.0
 *
 * One loop over signals, the watch's events and timers.
 */
#include "run/supervise.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/wait.h"
#include "run/arm_protocol.h"
#include "run/supervise_internal.h"

/* The kernel counts a kill in the victim's cgroup, which is ours, too. It counts before it kills: after the death the
 * count is complete. */
static void count_oom_kills(struct supervisor *s)
{
    struct cgroup_events now = {0};

    s->oom_known = memcg_events(&s->cgroup, false, &now) == 0;
    s->oom_kills = s->oom_known && now.oom_kill > s->oom_before ? now.oom_kill - s->oom_before : 0;
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
    supervise_report_death(s);
    /* When PID 1 ends the kernel kills all other processes. We stay until all is shipped, so they are asked to end. */
    if (getpid() == 1)
        kill(-s->ended_pid, SIGTERM);
    attach_supervisor_report_end(&s->arm, &(struct application_end){s->ended_pid, status});
    attach_supervisor_end(&s->arm);
    s->stop_ms = now + s->config->grace_ms + SUPERVISE_PATIENCE_MS;
    s->kill_ms = s->stop_ms + SUPERVISE_PATIENCE_MS;
    if (!s->config->watch)
        s->finished = true;
    else if (!s->watch)
        supervise_start_watch(s);
    else
        supervise_stop_watch(s);
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
            supervise_on_watch_end(s, status);
        } else if (attach_supervisor_reap(&s->arm, pid, status)) {
            supervise_stop_watch(s);
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
        supervise_stop_watch(s);
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
        supervise_stop_watch(s);
    } else if (s->restart_ms && now >= s->restart_ms) {
        supervise_start_watch(s);
    }
    attach_supervisor_on_time(&s->arm, now);
}

/* For poll(2). */
static int next_timeout(const struct supervisor *s)
{
    uint64_t next = UINT64_MAX;

    if (s->restart_ms)
        next = s->restart_ms;
    if (s->arm.due_ms < next)
        next = s->arm.due_ms;
    if (s->ended && s->stop_ms < next)
        next = s->stop_ms;
    if (s->ended && s->kill_ms < next)
        next = s->kill_ms;
    return wait_timeout(clock_mono_ms(), next);
}

static void supervise(struct supervisor *s)
{
    while (!s->finished) {
        struct pollfd fds[] = {{.fd = s->signal_fd, .events = POLLIN}, {.fd = s->channel, .events = POLLIN}};

        if (poll(fds, 2, next_timeout(s)) < 0 && errno != EINTR)
            clock_sleep_ms(100); /* the kernel is out of memory */
        on_signals(s);
        if (s->channel >= 0)
            supervise_read_channel(s);
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
            supervise_start_watch(&s);
        if (c->arm)
            start_arm(&s);
        supervise(&s);
        supervise_report_end(&s);
        r = supervise_exit_status(&s);
    } else {
        r = err_set(e, r, "%s: %s", c->app[0], strerror(-r));
    }
    supervise_close_channel(&s);
    attach_supervisor_done(&s.arm);
    event_summary_done(&s.summary);
    memcg_done(&s.cgroup);
    close(s.signal_fd);
    return r;
}
