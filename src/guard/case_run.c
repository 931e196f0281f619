/* SPDX-License-Identifier: Apache-2.0
 *
 * All small pieces are made first; a forked child ships them while the JVM writes its heap dump. A process that is
 * about to be killed can't wait for a store.
 */
#include "guard/case_run.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/wait.h"
#include "guard/case_notices.h"
#include "guard/case_pieces.h"
#include "hotspot/dumpspeed.h"
#include "linux/largest_process.h"
#include "net/bandwidth.h"
#include "place/environment_facts.h"
#include "ship/core_capture.h"
#include "ship/evidence_owner.h"
#include "ship/heapdump_capture.h"

enum {
    QUICK_MS = 100,    /* of standing still, for registers and stacks alone */
    ANOTHER_TRIES = 5, /* each process that is found may end before it is opened */
};

void case_report_missed(struct case_run *c, const char *what, int r, const struct err *e)
{
    const struct fault_info *fault = fault_find(r);

    log_event(EVENT_GUARD_MISSED, LOG_STR("target", c->config->request->target), LOG_STR("piece", what),
              LOG_STR("fault", fault->name), LOG_STR("error", e->msg));
    c->exit_code = c->exit_code ? c->exit_code : fault->exit_code;
}

/* guard.json: what the guard saw and did. */
static void ship_about(struct case_run *c)
{
    static const char name[] = "guard.json";
    CLEANUP_FD int fd = memfd_create(name, MFD_CLOEXEC);
    struct err e = {0};
    int r = fd < 0 ? -errno : file_write(fd, c->config->request->about, strlen(c->config->request->about));

    r = r < 0 ? err_set(&e, r, "no room in memory: %s", strerror(-r))
              : shipping_open_file(&c->shipping, &(struct open_file){fd, -1, name, name}, &e);
    if (r < 0)
        case_report_missed(c, name, r, &e);
}

static void ship_small(struct case_run *c)
{
    const char *state = c->shipping.state;

    /* No claim in the state folder: files in memory can't be resumed, and the claim would block the dump's, which has
     * the same case id. */
    c->shipping.state = NULL;
    for (unsigned i = 0; i < c->config->actions->count; i++) {
        struct err e = {0};
        int r;

        if (c->piece[i].fd < 0)
            continue;
        c->shipping.pause = c->piece[i].pause;
        r = shipping_open_file(&c->shipping,
                               &(struct open_file){c->piece[i].fd, -1, c->piece[i].name, c->piece[i].name}, &e);
        if (r < 0)
            case_report_missed(c, c->piece[i].name, r, &e);
    }
    c->shipping.pause = (struct pause){.by = PAUSE_UNKNOWN};
    ship_about(c);
    c->shipping.state = state;
}

/* --- the large ones -------------------------------------------------------------------------------------------------
 */

/* All is taken: another case may be, while this one's evidence is shipped. */
static void on_taken(void *ctx)
{
    struct case_run *c = ctx;

    if (c->slot >= 0)
        close(TAKE_FD(c->slot));
}

static bool is_last_large(const struct case_run *c, const struct action *a)
{
    while (++a < c->config->actions->item + c->config->actions->count)
        if (!case_is_small(a))
            return false;
    return true;
}

static int make_heap_dump(struct case_run *c, const struct action *a, struct err *e)
{
    struct dumped made = {0};
    struct dump_options o = {.live = a->live,
                             .folder = c->config->dir,
                             .timeout_ms = a->limit_ms,
                             .made = &made,
                             .taken = is_last_large(c, a) ? on_taken : NULL,
                             .ctx = c};
    int r;

    if (!c->is_jvm) {
        *e = c->no_jvm;
        return -FAULT_FORMAT;
    }
    o.until_ms = clock_mono_ms() + a->limit_ms;
    r = dump_to_store(&c->jvm, &o, &c->shipping, e);
    dumpspeed_report(c->config->request->speed, made.size, made.took_ms);
    return r;
}

/* The process stands still for at most a->pause_ms, and can't reach its limit meanwhile; the rest is copied while it
 * runs. */
static int make_core(struct case_run *c, const struct action *a, struct err *e)
{
    struct live_core_options o = {.quick = a->pause_ms == 0,
                                  .at_most_ms = a->pause_ms ? a->pause_ms : QUICK_MS,
                                  .until_ms = clock_mono_ms() + a->limit_ms};
    struct live_core made;

    return core_to_store(&c->proc, &o, &c->shipping, &made, e);
}

static void make_large(struct case_run *c)
{
    for (unsigned i = 0; i < c->config->actions->count; i++) {
        const struct action *a = &c->config->actions->item[i];
        struct err e = {0};
        int r;

        if (case_is_small(a))
            continue;
        if (c->proc.fd < 0) {
            e = c->no_jvm;
            r = -ESRCH;
        } else {
            r = a->kind == ACTION_CORE ? make_core(c, a, &e) : make_heap_dump(c, a, &e);
        }
        if (r < 0)
            case_report_missed(c, ACTION_WORDS[a->kind].name, r, &e);
    }
}

static bool wants_large(const struct case_run *c)
{
    for (unsigned i = 0; i < c->config->actions->count; i++)
        if (!case_is_small(&c->config->actions->item[i]))
            return true;
    return false;
}

static void await_small(struct case_run *c, pid_t child)
{
    int status = wait_child(child);
    struct err e = {0};

    if (status >= 0 && WIFSIGNALED(status))
        case_report_missed(c, "small pieces",
                           err_set(&e, -EINTR, "the process that ships them was killed by signal %d", WTERMSIG(status)),
                           &e);
    else if (status >= 0 && !c->exit_code)
        c->exit_code = WEXITSTATUS(status);
}

static void take_all(struct case_run *c)
{
    pid_t child = -1;

    case_pieces_make(c);
    if (wants_large(c))
        child = fork();
    if (child <= 0) {
        on_taken(c);
        ship_small(c);
    }
    if (child == 0)
        _exit(c->exit_code);
    make_large(c);
    on_taken(c);
    if (child > 0)
        await_small(c, child);
}

static void case_run_done(struct case_run *c)
{
    sink_close(c->shipping.sink);
    proc_done(&c->proc);
    jvm_done(&c->jvm);
    whoami_done(&c->owner);
}

static int open_process(struct case_run *c, pid_t pid)
{
    int r = proc_open("/proc", pid, &c->proc);

    if (r == 0 && ((r = proc_status(&c->proc, &c->status)) < 0 || c->status.state == 'Z' || c->status.state == 'X')) {
        proc_done(&c->proc);
        r = -ESRCH;
    }
    return r;
}

/* If the process has ended, the case is of the largest process in its cgroup, or of the cgroup's numbers alone. */
static int open_victim(struct case_run *c, pid_t wanted, struct err *e)
{
    int r = open_process(c, wanted);
    pid_t pid = wanted;

    for (unsigned i = 0; r < 0 && i < ANOTHER_TRIES && c->config->request->cgroup >= 0 && !c->config->given; i++) {
        pid = largest_process(c->config->request->cgroup);
        r = pid ? open_process(c, pid) : -ESRCH;
    }
    if (r == 0) {
        c->is_jvm = jvm_open("/proc", pid, &c->jvm, &c->no_jvm) == 0;
        return 0;
    }
    c->proc.pid = wanted; /* the one that is reported as ended */
    err_set(&c->no_jvm, -ESRCH, "process %d has ended before its evidence could be taken", (int)wanted);
    return c->config->request->cgroup >= 0 ? 0 : (*e = c->no_jvm, r);
}

/* Evidence of an ended process is shipped as that of the pod which the guard saw last. */
static int name_the_ended(struct case_run *c)
{
    static const struct facts nothing;
    int r;

    c->shipping.pid = 0;
    if (!c->config->request->last->host || text_eq(c->config->request->last->host, c->shipping.who->host))
        return 0;
    if ((r = whoami_for(c->shipping.who, c->config->request->last, &c->owner)) < 0)
        return r;
    c->shipping.who = &c->owner;
    c->shipping.facts = &nothing;
    return 0;
}

static int run_case(struct case_run *c, struct err *e)
{
    CLEANUP(plan_done) struct plan plan = {0};
    CLEANUP(whoami_done) struct whoami who = {0};
    CLEANUP(facts_done) struct facts facts = {0};
    CLEANUP(case_notices_done)
    struct case_notices notices = {.targets = c->config->notify,
                                   .public_url = c->config->public_url,
                                   .folder = c->config->request->notices,
                                   .plan = &plan};
    int r;

    /* The process first: it may end; the plan and our own names can be read later. */
    if ((r = open_victim(c, c->config->request->pid, e)) < 0)
        return r;
    if ((r = plan_init(&plan, c->config->plan, e)) < 0)
        return r;
    bandwidth_set_fd(plan.sink.http.bandwidth, c->config->request->bandwidth);
    plan.sink.notice = NULL; /* guard-check logs it, once (ship/storecheck.h) */
    if ((r = whoami_get("/", &who, e)) < 0)
        return r;
    c->shipping = (struct shipping){.plan = &plan,
                                    .who = &who,
                                    .facts = &facts,
                                    .state = c->config->plan->state,
                                    .cause = "pressure",
                                    .logs = true,
                                    .stored = case_notices_stored,
                                    .stored_ctx = &notices,
                                    .shared_case = &c->store_case,
                                    .pid = (uint64_t)c->status.inner_pid,
                                    .uid = c->status.uid,
                                    .jvm = c->jvm.version,
                                    .command = c->jvm.command};
    if (c->proc.fd >= 0)
        evidence_owner_set(&c->shipping, &c->proc, &c->owner);
    else if ((r = name_the_ended(c)) < 0)
        return err_set(e, r, "out of memory");
    take_all(c);
    case_notices_put(&notices);
    return 0;
}

int case_run(const struct case_config *config)
{
    struct case_run c = {.config = config, .slot = config->request->slot, .proc = PROC_NONE, .jvm = JVM_NONE};
    const struct case_request *request = config->request;
    struct err e = {0};
    int r;

    assert(config->actions && config->plan && config->pass_env && config->notify);
    snprintf(c.store_case.id, sizeof(c.store_case.id), "%s", request->id);
    c.store_case.time_ns = request->time_ns;
    fcntl(request->cgroup, F_SETFD, FD_CLOEXEC);
    fcntl(request->speed, F_SETFD, FD_CLOEXEC);
    fcntl(request->notices, F_SETFD, FD_CLOEXEC);
    fcntl(request->slot, F_SETFD, FD_CLOEXEC);
    fcntl(request->bandwidth, F_SETFD, FD_CLOEXEC);
    if ((r = run_case(&c, &e)) < 0)
        case_report_missed(&c, "all", r, &e);
    case_run_done(&c);
    return c.exit_code;
}
