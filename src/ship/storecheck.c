/* SPDX-License-Identifier: Apache-2.0
 *
 * A child probes the store, its parent logs the result and sleeps.
 */
#include "ship/storecheck.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/retry.h"
#include "base/wait.h"
#include "linux/launch.h"
#include "linux/report_child.h"
#include "place/environment_facts.h"
#include "ship/preflight.h"
#include "ship/wire.h"

static const struct retry_policy PACE = {.soon = {5 * 1000, 60 * 1000}, .slowly = {30 * 1000, 300 * 1000}};

enum {
    AGAIN_MS = 300 * 1000, /* name of the file that a probe writes */
    ASK_MOST_MS = 120 * 1000
};

/* The result of the process that probes. */
struct verdict {
    int result;
    struct err err;
};

struct storecheck {
    const struct storecheck_config *config;
    struct retry_state retry;
    bool asked;
};

/* A watch's workers need not ask again. A service that did not answer now may answer by the time of the first dump. */
static void send_facts(int channel, const struct facts *facts)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = FACTS_MAX};

    if (facts->asked && !facts->task && !facts->instance)
        return;
    if (facts_encode(facts, &text) == 0)
        wire_send(channel, &(struct wire){.type = WIRE_FACTS, .text = text.data, .fd = {-1, -1}});
}

static int ask(const struct plan *plan, int channel, struct err *e)
{
    CLEANUP(whoami_done) struct whoami who = {0};
    CLEANUP(facts_done) struct facts facts = {0};
    struct sink *sink = NULL;
    int r;

    if ((r = whoami_get("/", &who, e)) < 0)
        return r;
    if (environment_facts_get("/", &who, &facts) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    send_facts(channel, &facts);
    r = preflight_run(&(struct preflight){plan, &who, &facts, 0}, &sink, e);
    sink_close(sink);
    return r;
}

static void log_setting(const char *text)
{
    log_event(EVENT_STORE_SETTING, LOG_STR("error", text));
}

static void ask_and_report(int to, const void *ctx)
{
    const struct storecheck *s = ctx;
    struct plan plan = *s->config->plan;
    struct verdict v = {0};

    plan.sink.notice = s->asked ? NULL : log_setting;
    v.result = ask(&plan, s->config->stop_fd, &v.err);
    report_child_write(to, &v, sizeof(v));
}

/* -ECANCELED: stop_fd became readable meanwhile. */
static int wait_for_stop(const struct storecheck *s, uint64_t most_ms)
{
    struct pollfd fd = {.fd = s->config->stop_fd, .events = POLLIN};
    int r = wait_ready(&fd, 1, clock_mono_ms() + most_ms);

    return r > 0 ? -ECANCELED : r;
}

/* -ECANCELED: to be stopped. */
static int check_once(const struct storecheck *s, struct verdict *ret)
{
    struct report_child child = REPORT_CHILD_NONE;
    int r = report_child_start(&child, ask_and_report, s);

    if (r < 0)
        return r;
    r = report_child_read(&child, ret, sizeof(*ret), clock_mono_ms() + ASK_MOST_MS, s->config->stop_fd);
    report_child_end(&child);
    if (r == 0 || r == -ECHILD)
        ret->result = err_set(&ret->err, -EIO, "the process that asked the store ended without an answer");
    else if (r == -ETIMEDOUT)
        ret->result = err_set(&ret->err, -FAULT_STALLED, "the store has not answered within %d s", ASK_MOST_MS / 1000);
    else if (r < 0)
        return r;
    return 0;
}

/* Written atomically, and never through a link: the folder may be shared. */
static void show_ready(const struct storecheck *s, bool ready)
{
    const char *path = s->config->ready;

    if (path && ready)
        file_replace(AT_FDCWD, path, "ready\n", 6, 0644);
    else if (path)
        unlink(path);
}

/* Logs what has changed, and returns when to probe next. */
static uint64_t report(struct storecheck *s, const struct verdict *v)
{
    bool news = !s->asked || s->retry.last != 0; /* that it is ready */
    struct retry_decision d;

    s->asked = true;
    show_ready(s, v->result == 0);
    if (v->result == 0) {
        retry_succeeded(&s->retry);
        if (news)
            log_event(EVENT_STORE_READY, LOG_STR("to", s->config->plan->store));
        return AGAIN_MS;
    }
    d = retry_decide(&s->retry, &PACE, v->result, v->err.retry_after_ms, clock_mono_ms());
    if (d.fresh)
        log_event(EVENT_STORE_FAILED, LOG_STR("to", s->config->plan->store),
                  LOG_STR("fault", fault_find(v->result)->name), LOG_STR("error", v->err.msg),
                  LOG_UINT("retry_in_s", (d.delay_ms + 999) / 1000));
    return d.delay_ms;
}

int storecheck_launch(char *command, char *const *rest, int *ret_fd)
{
    CLEANUP_FD int ours = -1, its = -1;
    int pair[2];
    pid_t child;

    if (pipe2(pair, O_CLOEXEC) < 0)
        return -errno;
    its = pair[0];
    ours = pair[1];
    if ((child = fork()) < 0)
        return -errno;
    if (child == 0) {
        close(ours);
        if (its != LAUNCH_CHANNEL && dup2(its, LAUNCH_CHANNEL) < 0)
            _exit(127);
        launch_exec_salvage((char *[]){(char[]){"salvage"}, command}, 2, rest, LAUNCH_CHANNEL);
    }
    *ret_fd = TAKE_FD(ours);
    return 0;
}

int storecheck_run(const struct storecheck_config *c)
{
    struct storecheck s = {.config = c};
    int r = 0;

    assert(c->plan && c->stop_fd >= 0);
    show_ready(&s, false);
    while (r == 0) {
        struct verdict v = {0};
        uint64_t delay_ms;

        r = check_once(&s, &v);
        if (r == -ECANCELED)
            break;
        if (r < 0) /* no process or descriptor available: this may pass */
            v.result = err_set(&v.err, r, "the store could not be asked: %s", strerror(-r));
        delay_ms = report(&s, &v);
        if (v.result == 0 && !c->ready)
            return 0;
        r = wait_for_stop(&s, delay_ms);
    }
    show_ready(&s, false);
    return r == -ECANCELED ? 0 : r;
}
