/* SPDX-License-Identifier: Apache-2.0
 *
 * The end of its channel is the word to end.
 */
#include "ship/armkeeper.h"

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

static void again_later(struct armkeeper *k, const char *story)
{
    uint64_t wait_ms = backoff_next(&k->backoff, 0);

    k->due_ms = clock_mono_ms() + wait_ms;
    log_event(EVENT_ARM_DIED, LOG_STR("error", story), LOG_UINT("retry_in_s", wait_ms / 1000));
}

static void end_channel(struct armkeeper *k)
{
    if (k->channel >= 0)
        close(k->channel);
    k->channel = -1;
}

static void start(struct armkeeper *k)
{
    int r;

    k->due_ms = UINT64_MAX;
    r = launch_watch(k->args.item, &k->pid, &k->channel);
    if (r == 0)
        return;
    k->pid = 0;
    k->channel = -1;
    again_later(k, strerror(-r));
}

int armkeeper_start(struct armkeeper *k, char *const *args, const char *more)
{
    int r;

    *k = (struct armkeeper)ARMKEEPER_NONE;
    k->backoff = (struct backoff){.first_ms = FIRST_MS, .most_ms = MOST_MS};
    if ((r = strv_add_all(&k->args, args)) < 0 || (more && (r = strv_add(&k->args, more)) < 0))
        return r;
    start(k);
    return 0;
}

bool armkeeper_reap(struct armkeeper *k, pid_t child, int status)
{
    char story[64];

    if (!k->pid || child != k->pid)
        return false;
    k->pid = 0;
    k->due_ms = UINT64_MAX;
    end_channel(k);
    if (k->ending)
        return true;
    snprintf(story, sizeof(story), WIFSIGNALED(status) ? "it was killed by signal %d" : "it ended with status %d",
             WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    again_later(k, story);
    return true;
}

void armkeeper_tell(struct armkeeper *k, const struct armkeeper_word *word)
{
    if (k->channel >= 0)
        (void)send(k->channel, word, sizeof(*word), MSG_DONTWAIT | MSG_NOSIGNAL); /* it ends without, too */
}

void armkeeper_end(struct armkeeper *k)
{
    k->ending = true;
    end_channel(k);
    k->due_ms = k->pid ? clock_mono_ms() + PATIENCE_MS : UINT64_MAX;
}

void armkeeper_on_time(struct armkeeper *k, uint64_t now_ms)
{
    if (now_ms < k->due_ms)
        return;
    k->due_ms = UINT64_MAX;
    if (k->pid)
        kill(k->pid, SIGKILL);
    else
        start(k);
}

void armkeeper_done(struct armkeeper *k)
{
    end_channel(k);
    strv_done(&k->args);
}
