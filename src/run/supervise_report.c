/* SPDX-License-Identifier: Apache-2.0
 *
 * How the application ended, for the log and as our exit status.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/log.h"
#include "run/supervise_internal.h"

enum { SIGNAL_NAME_MAX = 24 };

int supervise_exit_status(const struct supervisor *s)
{
    return WIFSIGNALED(s->status) ? 128 + WTERMSIG(s->status) : WEXITSTATUS(s->status);
}

/* A shell in between exits with 137 for a child that got SIGKILL. */
static const char *why(const struct supervisor *s)
{
    if (s->oom_kills > 0 && supervise_exit_status(s) == 128 + SIGKILL)
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
    return !s->oom_known && supervise_exit_status(s) == 128 + SIGKILL;
}

/* An ordinary stop: it ended by SIGTERM or SIGINT after we had forwarded one. */
static bool is_requested_stop(const struct supervisor *s)
{
    return s->stops > 0 && (supervise_exit_status(s) == 128 + SIGTERM || supervise_exit_status(s) == 128 + SIGINT);
}

void supervise_report_death(const struct supervisor *s)
{
    char name[SIGNAL_NAME_MAX];

    if (supervise_exit_status(s) != 0 && !is_requested_stop(s))
        log_event(EVENT_DIED, LOG_STR("command", s->config->app[0]), LOG_UINT("pid", (uint64_t)s->ended_pid),
                  LOG_STR("why", why(s)), LOG_UINT("status", (uint64_t)supervise_exit_status(s)),
                  LOG_STR("signal", signal_name(s, name)), LOG_STR("oom", maybe_oom(s) ? "unknown" : NULL),
                  LOG_UINT("oom_kills", s->oom_kills), LOG_REAL("seconds", (double)s->ran_ms / 1000));
}

void supervise_report_end(const struct supervisor *s)
{
    const struct event_summary *t = &s->summary;
    char name[SIGNAL_NAME_MAX];
    const char *error = t->stopped && t->left == 0 ? NULL : t->error;

    if (s->config->watch && !t->stopped && !error)
        error = "the watch ended before it was done";
    log_event(EVENT_ENDED, LOG_STR("why", why(s)), LOG_UINT("status", (uint64_t)supervise_exit_status(s)),
              LOG_STR("signal", signal_name(s, name)), LOG_UINT("oom_kills", s->oom_kills),
              LOG_UINT("shipped", t->shipped), LOG_UINT("bytes", t->bytes),
              t->stopped ? (struct log_pair)LOG_UINT("left", t->left) : (struct log_pair)LOG_STR("left", NULL),
              LOG_STR("url", t->url), LOG_STR("error", error));
}
