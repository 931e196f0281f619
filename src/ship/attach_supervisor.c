/* SPDX-License-Identifier: Apache-2.0
 *
 * The process ends when its channel is closed.
 */
#include "ship/attach_supervisor.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "linux/launch.h"

enum { FIRST_MS = 1000, MOST_MS = 5 * 60 * 1000, PATIENCE_MS = 3000 };

static void restart_later(struct attach_supervisor *k, const char *reason)
{
    uint64_t wait_ms = backoff_next(&k->backoff, 0);

    k->due_ms = clock_mono_ms() + wait_ms;
    log_event(k->died ? k->died : EVENT_ARM_DIED, LOG_STR("error", reason), LOG_UINT("retry_in_s", wait_ms / 1000));
}

static void end_channel(struct attach_supervisor *k)
{
    if (k->channel >= 0)
        close(k->channel);
    k->channel = -1;
}

static void start(struct attach_supervisor *k)
{
    int r;

    k->due_ms = UINT64_MAX;
    r = launch_salvage(k->args.item, &k->pid, &k->channel);
    if (r == 0)
        return;
    k->pid = 0;
    k->channel = -1;
    restart_later(k, strerror(-r));
}

int attach_supervisor_start(struct attach_supervisor *k, char *const *args, const char *more)
{
    int r;

    assert(args && args[0]);
    *k = (struct attach_supervisor)ATTACH_SUPERVISOR_NONE;
    k->backoff = (struct backoff){.first_ms = FIRST_MS, .most_ms = MOST_MS};
    if ((r = strv_add_all(&k->args, args)) < 0 || (more && (r = strv_add(&k->args, more)) < 0))
        return r;
    start(k);
    return 0;
}

bool attach_supervisor_reap(struct attach_supervisor *k, pid_t child, int status)
{
    char reason[64];

    assert(child > 0);
    if (!k->pid || child != k->pid)
        return false;
    k->pid = 0;
    k->due_ms = UINT64_MAX;
    end_channel(k);
    if (k->ending)
        return true;
    snprintf(reason, sizeof(reason), WIFSIGNALED(status) ? "it was killed by signal %d" : "it ended with status %d",
             WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    restart_later(k, reason);
    return true;
}

void attach_supervisor_report_end(struct attach_supervisor *k, const struct application_end *end)
{
    if (k->channel >= 0)
        (void)send(k->channel, end, sizeof(*end), MSG_DONTWAIT | MSG_NOSIGNAL); /* best effort */
}

void attach_supervisor_end(struct attach_supervisor *k)
{
    k->ending = true;
    end_channel(k);
    k->due_ms = k->pid ? clock_mono_ms() + PATIENCE_MS : UINT64_MAX;
}

void attach_supervisor_on_time(struct attach_supervisor *k, uint64_t now_ms)
{
    if (now_ms < k->due_ms)
        return;
    k->due_ms = UINT64_MAX;
    if (k->pid)
        kill(k->pid, SIGKILL);
    else
        start(k);
}

void attach_supervisor_done(struct attach_supervisor *k)
{
    end_channel(k);
    strv_done(&k->args);
}
