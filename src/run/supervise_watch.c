/* SPDX-License-Identifier: Apache-2.0
 *
 * SIGTERM asks the watch to stop, SIGINT to stop at once: two different signals, since two of the same may merge while
 * they are pending. It gets neither before it has reported EVENT_STARTED.
 */
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "run/supervise_internal.h"

enum { EVENT_SIZE_MAX = 16 * 1024, RESTARTS_AT_THE_END = 3 };

void supervise_close_channel(struct supervisor *s)
{
    if (s->channel >= 0)
        close(s->channel);
    s->channel = -1;
}

void supervise_start_watch(struct supervisor *s)
{
    int r;

    assert(s->config->watch && !s->watch);
    s->restart_ms = 0;
    s->asked = s->hurried = false;
    event_summary_restart(&s->summary);
    supervise_close_channel(s);
    r = launch_salvage(s->locked_out ? s->config->watch_instead : s->config->watch, &s->watch, &s->channel);
    if (r == 0)
        return;
    s->watch = 0;
    s->restart_ms = clock_mono_ms() + backoff_next(&s->backoff, 0);
    log_event(EVENT_WATCH_DIED, LOG_STR("error", strerror(-r)));
}

void supervise_stop_watch(struct supervisor *s)
{
    uint64_t patience = clock_mono_ms() + SUPERVISE_PATIENCE_MS;

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

void supervise_read_channel(struct supervisor *s)
{
    char line[EVENT_SIZE_MAX];
    ssize_t n;

    assert(s->channel >= 0);
    do {
        n = recv(s->channel, line, sizeof(line), MSG_DONTWAIT);
        if (n > 0)
            event_summary_add(&s->summary, line, (size_t)n);
    } while (n > 0 || (n < 0 && errno == EINTR));
    if (n == 0 || errno != EAGAIN)
        supervise_close_channel(s);
    supervise_stop_watch(s);
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

void supervise_on_watch_end(struct supervisor *s, int status)
{
    if (s->channel >= 0)
        supervise_read_channel(s);
    supervise_close_channel(s);
    s->watch = 0;
    if (is_locked_out(s, status)) {
        s->locked_out = true;
        report_watch_died(s, status);
        supervise_start_watch(s);
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
