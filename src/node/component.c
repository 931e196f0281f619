/* SPDX-License-Identifier: Apache-2.0
 *
 * One process at a time, and one timer.
 */
#include "node/component.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "linux/launch.h"
#include "node/component_env.h"

enum {
    FIRST_MS = 1000,
    MOST_MS = 5 * 60 * 1000,
    LONG_MS = 60 * 1000,    /* one that ran for longer is started again after FIRST_MS */
    PATIENCE_MS = 10 * 1000 /* after the grace */
};

static uint64_t stamp_of(const struct component_spec *s)
{
    return component_env_stamp(s->credentials) + component_env_stamp(s->follows);
}

static void start_later(struct component *c, const char *reason)
{
    uint64_t now = clock_mono_ms(), wait_ms;

    if (c->started_ms && now - c->started_ms > LONG_MS)
        c->backoff.tries = 0;
    wait_ms = backoff_next(&c->backoff, 0);
    c->due_ms = now + wait_ms;
    log_event(EVENT_COMPONENT_DIED, LOG_STR("component", c->spec.name), LOG_STR("error", reason),
              LOG_UINT("retry_in_s", wait_ms / 1000));
}

static void start(struct component *c)
{
    CLEANUP(strv_done) struct strv env = {0};
    struct err e = {0};
    int r;

    assert(!c->pid);
    c->due_ms = UINT64_MAX;
    c->ending = c->killed = false;
    c->started_ms = clock_mono_ms();
    c->stamp = stamp_of(&c->spec);
    if ((r = component_env_make(&c->spec, &env, &e)) == 0 &&
        (r = launch_salvage_in(c->spec.args.item, env.item, &c->pid, &c->counters.fd)) < 0)
        err_set(&e, r, "%s", strerror(-r));
    if (r < 0) {
        c->pid = 0;
        start_later(c, e.msg);
        return;
    }
    log_event(EVENT_COMPONENT_STARTED, LOG_STR("component", c->spec.name), LOG_UINT("pid", (uint64_t)c->pid));
}

static void spec_move(struct component *c, struct component_spec *spec)
{
    c->spec = *spec;
    *spec = (struct component_spec){0};
}

void component_init(struct component *c, struct component_spec *spec)
{
    *c = (struct component){.backoff = {.first_ms = FIRST_MS, .most_ms = MOST_MS},
                            .wanted = true,
                            .due_ms = UINT64_MAX,
                            .counters = {.fd = -1}};
    spec_move(c, spec);
    start(c);
}

static void ask_to_end(struct component *c, uint64_t grace_ms)
{
    if (!c->pid || c->ending)
        return;
    kill(c->pid, SIGTERM);
    c->ending = true;
    c->due_ms = clock_mono_ms() + grace_ms + PATIENCE_MS;
}

void component_change(struct component *c, struct component_spec *spec, uint64_t grace_ms)
{
    component_spec_done(&c->spec);
    spec_move(c, spec);
    c->wanted = true;
    c->backoff.tries = 0;
    if (c->pid)
        ask_to_end(c, grace_ms);
    else
        start(c);
}

void component_check_credentials(struct component *c, uint64_t grace_ms)
{
    if ((!c->spec.credentials && !c->spec.follows) || c->ending || stamp_of(&c->spec) == c->stamp)
        return;
    if (c->pid)
        ask_to_end(c, grace_ms);
    else
        start(c);
}

void component_reload(const struct component *c)
{
    if (c->spec.reads_config && c->pid && !c->ending)
        kill(c->pid, SIGHUP);
}

void component_end(struct component *c, uint64_t grace_ms)
{
    c->wanted = false;
    if (c->pid)
        ask_to_end(c, grace_ms);
    else
        c->due_ms = UINT64_MAX;
}

void component_reaped(struct component *c, int status)
{
    char reason[64];

    assert(c->pid);
    counters_receive_from(&c->counters);
    counters_source_done(&c->counters);
    c->pid = 0;
    c->due_ms = UINT64_MAX;
    if (c->ending) {
        log_event(EVENT_COMPONENT_ENDED, LOG_STR("component", c->spec.name), LOG_BOOL("killed", c->killed));
        if (c->wanted)
            start(c);
        return;
    }
    snprintf(reason, sizeof(reason), WIFSIGNALED(status) ? "it was killed by signal %d" : "it ended with status %d",
             WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    start_later(c, reason);
}

void component_on_time(struct component *c, uint64_t now_ms)
{
    if (now_ms < c->due_ms)
        return;
    c->due_ms = UINT64_MAX;
    if (!c->pid) {
        start(c);
        return;
    }
    c->killed = true;
    kill(c->pid, SIGKILL);
}

bool component_is_over(const struct component *c)
{
    return !c->wanted && !c->pid;
}

void component_done(struct component *c)
{
    component_spec_done(&c->spec);
    *c = (struct component){0};
}
