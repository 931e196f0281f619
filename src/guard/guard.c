/* SPDX-License-Identifier: Apache-2.0
 *
 * One epoll_wait(2) for kernel notices, signals, ended children and timers.
 */
#include "guard/guard.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/wait.h"
#include "guard/case_history.h"
#include "guard/case_processes.h"
#include "guard/guard_notifier.h"
#include "guard/kill_reports.h"
#include "linux/cgroupns.h"
#include "linux/launch.h"
#include "ship/attach_supervisor.h"

enum {
    EVENTS_MAX = 64,
    GRACE_MS = 20000, /* for cases that still run when we are asked to stop */
    REFUSED_LOG_MS = 60 * 1000
};

struct guard {
    const struct guard_config *c;
    struct target_set targets;
    struct case_history history;
    struct case_processes cases;
    struct case_shares shares;
    int signals; /* signalfd */
    struct kill_reports kills;
    struct last_known self; /* our own cgroup */
    struct attach_supervisor attach;
    struct guard_notifier notifier;
    struct target_notice log; /* marks the kernel log in epoll */
    uint64_t end_at_ms;
    bool ending;
};

/* --- targets --------------------------------------------------------------------------------------------------------
 */

static void on_added(void *ctx, struct target *t, const char *notices)
{
    const struct guard *g = ctx;
    char limit[TEXT_SIZE_MAX];
    uint64_t bytes = memcg_limit(&t->memcg);

    log_event(EVENT_GUARDING, LOG_STR("target", t->name),
              LOG_STR("container", *t->last.container_id ? t->last.container_id : NULL),
              LOG_STR("limit", bytes == UINT64_MAX ? "none" : text_format_size(bytes, limit)),
              LOG_UINT("cgroup", t->memcg.v2 ? 2 : 1), LOG_STR("signals", notices));
    if (last_known_holds(&t->last, &g->self))
        log_event(EVENT_GUARD_INSIDE, LOG_STR("target", t->name));
}

static void on_renamed(void *ctx, struct target *t, const char *before)
{
    (void)ctx;
    log_event(EVENT_GUARD_NAMED, LOG_STR("target", before), LOG_STR("name", t->name));
}

/* The last kills before it vanished are in the kernel log and the counter by now. */
static void on_removed(void *ctx, struct target *t)
{
    struct guard *g = ctx;

    kill_reports_read(&g->kills, g->targets.target, g->targets.count, true);
    kill_reports_count(&g->kills, t, target_kills(t), true);
    log_event(EVENT_GUARD_LEFT, LOG_STR("target", t->name));
}

static void on_unwatched(void *ctx, pid_t pid, const char *cgroup, const struct err *e)
{
    char pod[TARGET_NAME_MAX];
    bool known = target_name_of_pid(pid, pod);

    (void)ctx;
    log_event(EVENT_GUARD_UNWATCHED, LOG_STR("cgroup", cgroup), LOG_UINT("pid", (uint64_t)pid),
              LOG_STR("pod", known ? pod : NULL), LOG_STR("error", e->msg));
}

/* --- cases ----------------------------------------------------------------------------------------------------------
 */

static size_t cases(const struct guard *g)
{
    return case_processes_count(&g->cases) + g->kills.recorder.count;
}

static void store_history(struct guard *g, int target, enum rule_past what)
{
    struct err e = {0};

    if (case_history_add(&g->history, target, what, clock_mono_ms(), &e) < 0)
        log_event(EVENT_GUARD_FORGETS, LOG_STR("error", e.msg));
}

/* Without the folder each guard still has its own limits. */
static void open_shares(struct guard *g)
{
    struct err e = {0};

    if (case_shares_open(&g->shares, g->c->share, &g->c->rules, &e) < 0)
        log_event(EVENT_GUARD_ALONE, LOG_STR("error", e.msg));
}

static void undo_share(const struct guard *g, int target)
{
    char key[RULE_KEY_MAX], tenant[RULE_TENANT_MAX];

    rule_names(g->targets.rule, target, key, tenant);
    case_shares_undo(&g->shares, key, tenant);
}

static void reap(struct guard *g)
{
    int status, target;
    pid_t child;
    bool made;

    while ((child = waitpid(-1, &status, WNOHANG)) > 0) {
        if (attach_supervisor_reap(&g->attach, child, status) || guard_notifier_reap(&g->notifier, child, status))
            continue;
        guard_notifier_poke(&g->notifier);
        if (kill_recorder_reap(&g->kills.recorder, child, clock_mono_ms()) ||
            (target = case_processes_reap(&g->cases, child, status, &made)) < 0)
            continue;
        if (WIFEXITED(status) && WEXITSTATUS(status) == LAUNCH_FAILED) {
            rule_refused(g->targets.rule, target, clock_mono_ms());
            store_history(g, target, RULE_REFUSED);
        } else {
            rule_done(g->targets.rule, target, made, clock_mono_ms());
            store_history(g, target, made ? RULE_MADE : RULE_FAILED);
        }
        if (!made)
            undo_share(g, target);
        g->targets.policy.dump_rate = g->cases.speed.rate;
    }
}

/* The limits of all guards together. -EBUSY: it has to wait, and d says why. */
static int take_share(struct guard *g, struct target *t, int *ret_slot, struct err *e)
{
    char key[RULE_KEY_MAX], tenant[RULE_TENANT_MAX], why[CASE_SHARES_WHY_MAX];
    int r;

    rule_names(g->targets.rule, t->number, key, tenant);
    r = case_shares_begin(&g->shares, key, tenant, ret_slot, why);
    return r == -EBUSY ? err_set(e, r, "%s", why) : 0;
}

static bool may_log_refused(struct target *t, uint64_t now)
{
    if (now < t->refused_log_ms)
        return false;
    t->refused_log_ms = now + REFUSED_LOG_MS;
    return true;
}

/* A case that can't be started now counts for no cool-down and no cap: the rule triggers again in a second. */
static void begin_case(struct guard *g, struct target *t, const char *why, uint64_t now)
{
    CLEANUP_FD int slot = -1; /* the case's process has it, too */
    struct err e = {0};
    int busy = take_share(g, t, &slot, &e), r = busy < 0 ? busy : case_processes_begin(&g->cases, t, why, slot, &e);

    if (r == 0) {
        store_history(g, t->number, RULE_BEGUN);
        return;
    }
    if (busy == 0)
        undo_share(g, t->number);
    rule_refused(g->targets.rule, t->number, now);
    if (!may_log_refused(t, now))
        return;
    if (busy < 0)
        log_event(EVENT_GUARD_WAITS, LOG_STR("target", t->name), LOG_STR("why", e.msg));
    else
        log_event(EVENT_GUARD_MISSED, LOG_STR("target", t->name), LOG_STR("piece", "all"),
                  LOG_STR("fault", fault_find(r)->name), LOG_STR("error", e.msg));
}

static void evaluate(struct guard *g, struct target *t, struct reading *r, uint64_t now)
{
    struct rule_decision d;

    target_set_evaluate(&g->targets, t, r, now, &d);
    if (d.answer == RULE_TRIGGER)
        begin_case(g, t, d.why, now);
    else if (d.answer == RULE_WAIT && d.report)
        log_event(EVENT_GUARD_WAITS, LOG_STR("target", t->name), LOG_STR("why", d.why));
    else if (d.answer == RULE_UNKNOWN && d.report)
        log_event(EVENT_GUARD_NOT_EVALUATED, LOG_STR("target", t->name), LOG_STR("why", d.why));
}

static void on_polled(void *ctx, struct target *t, struct reading *r, uint64_t now)
{
    struct guard *g = ctx;

    if (!g->c->kills_only)
        evaluate(g, t, r, now);
    if (t->counted)
        kill_reports_count(&g->kills, t, t->seen.oom_kill, false);
    if (t->last.due_ms && t->last.due_ms < t->due_ms)
        t->due_ms = t->last.due_ms;
}

static const struct target_set_ops TARGET_OPS = {
    .added = on_added, .renamed = on_renamed, .polled = on_polled, .removed = on_removed, .unwatched = on_unwatched};

/* --- the loop -------------------------------------------------------------------------------------------------------
 */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static int wait_ms(const struct guard *g)
{
    uint64_t due = kill_recorder_due_ms(&g->kills.recorder);

    if (g->ending) {
        due = earlier(due, g->end_at_ms);
    } else {
        due = earlier(due, target_set_due_ms(&g->targets));
        due = earlier(due, oom_log_reader_due_ms(&g->kills.oom_log));
        due = earlier(due, earlier(g->attach.due_ms, g->notifier.process.due_ms));
    }
    return wait_timeout(clock_mono_ms(), due);
}

static void on_signals(struct guard *g)
{
    struct signalfd_siginfo info;

    while (read(g->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGCHLD || g->ending)
            continue;
        g->ending = true;
        attach_supervisor_end(&g->attach);
        g->end_at_ms = clock_mono_ms() + GRACE_MS;
        log_event(EVENT_STOPPING, LOG_UINT("left", cases(g)), LOG_UINT("grace_s", GRACE_MS / 1000));
    }
    reap(g);
}

static bool has_work(const struct guard *g)
{
    if (g->ending)
        return cases(g) > 0 && clock_mono_ms() < g->end_at_ms;
    return g->c->selection.all || g->targets.count > 0 || cases(g) > 0;
}

/* Only target_set_turn frees targets, after all events of this turn: their pointers are valid here. */
static void on_events(struct guard *g, const struct epoll_event *events, int count)
{
    for (int i = 0; i < count; i++) {
        struct target_notice *notice = events[i].data.ptr;

        if (!notice)
            on_signals(g);
        else if (notice != &g->log)
            target_read_notice(notice->target, notice->signal, clock_mono_ms());
    }
}

static void loop(struct guard *g)
{
    struct epoll_event events[EVENTS_MAX];

    while (has_work(g)) {
        on_events(g, events, epoll_wait(g->targets.epoll, events, EVENTS_MAX, wait_ms(g)));
        kill_recorder_start(&g->kills.recorder, clock_mono_ms());
        if (g->ending)
            continue;
        attach_supervisor_on_time(&g->attach, clock_mono_ms());
        guard_notifier_on_time(&g->notifier, clock_mono_ms());
        kill_reports_read(&g->kills, g->targets.target, g->targets.count, false);
        target_set_turn(&g->targets);
    }
    case_processes_stop(&g->cases);
    kill_recorder_done(&g->kills.recorder);
    guard_notifier_finish(&g->notifier);
}

static void guard_free(struct guard *g)
{
    if (g) {
        target_set_done(&g->targets);
        attach_supervisor_done(&g->attach);
        guard_notifier_done(&g->notifier);
        case_history_done(&g->history);
        case_shares_done(&g->shares);
        oom_log_reader_done(&g->kills.oom_log);
        last_known_done(&g->self);
        mem_close_ptr(&g->signals);
    }
    free(g);
}

DEFINE_CLEANUP(struct guard *, guard_free)

static int take_signals(struct err *e)
{
    sigset_t wanted;
    int fd;

    sigemptyset(&wanted);
    sigaddset(&wanted, SIGTERM);
    sigaddset(&wanted, SIGINT);
    sigaddset(&wanted, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &wanted, NULL) < 0 || (fd = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
        return err_set(e, -errno, "no signalfd: %s", strerror(errno));
    return fd;
}

/* Without a history the guard runs all the same, and forgets cool-downs at a restart. */
static void load_history(struct guard *g)
{
    struct err e = {0};

    if (case_history_open(&g->history, g->c->state, g->targets.rule, clock_mono_ms(), &e) < 0)
        log_event(EVENT_GUARD_FORGETS, LOG_STR("error", e.msg));
}

static void find_self(struct guard *g)
{
    CLEANUP(proc_done) struct proc self = PROC_NONE;
    CLEANUP(memcg_done) struct memcg m = MEMCG_NONE;

    if (proc_open("/proc", getpid(), &self) == 0 && memcg_open(&self, &m, NULL) == 0)
        last_known_cgroup(&g->self, &m);
}

/* Where the kernel log can't be read, kills are known from the counters alone. */
static int open_kernel_log(struct guard *g, struct err *e)
{
    struct err why = {0};
    int r = kill_reports_open(&g->kills, g->c->self, g->c->case_args, &g->c->selection, &why);

    if (r == -ENOMEM)
        return err_set(e, r, "out of memory");
    if (r == 0 && (r = target_set_watch_fd(&g->targets, g->kills.oom_log.log.fd, EPOLLIN, &g->log, &why)) < 0)
        kmsg_done(&g->kills.oom_log.log);
    if (r < 0)
        log_event(EVENT_OOM_UNREAD, LOG_STR("error", why.msg));
    return 0;
}

int guard_run(const struct guard_config *c, struct err *e)
{
    CLEANUP(guard_free_ptr) struct guard *g = calloc(1, sizeof(*g));
    const struct target_set_config targets = {&c->selection, &c->rules, &TARGET_OPS, g};
    const struct case_processes_config processes = {c->self, c->case_args, &c->override, c->dump_rate, c->bandwidth};
    int r;

    assert(c->self && c->case_args && c->rules.count > 0);
    if (!g)
        return err_set(e, -ENOMEM, "out of memory");
    g->c = c;
    g->signals = -1;
    g->history = (struct case_history)CASE_HISTORY_NONE;
    g->shares = (struct case_shares)CASE_SHARES_NONE;
    g->attach = (struct attach_supervisor)ATTACH_SUPERVISOR_NONE;
    g->notifier = (struct guard_notifier)GUARD_NOTIFIER_NONE;
    g->kills.oom_log = (struct oom_log_reader)OOM_LOG_READER_NONE;
    if ((r = target_set_init(&g->targets, &targets, e)) < 0)
        return r;
    load_history(g);
    open_shares(g);
    cgroupns_enter_first(); /* if that fails, only cgroups that our own mounts show are seen */
    find_self(g);
    if ((r = case_processes_init(&g->cases, &processes, e)) < 0)
        return r;
    g->targets.policy.dump_rate = g->cases.speed.rate;
    g->targets.policy.core = c->core;
    if ((g->signals = r = take_signals(e)) < 0 ||
        (r = target_set_watch_fd(&g->targets, g->signals, EPOLLIN, NULL, e)) < 0 || (r = open_kernel_log(g, e)) < 0)
        return r;
    /* Lock our pages; without CAP_IPC_LOCK, carry on unlocked. */
    if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
        errno = 0;
    if ((r = target_set_start(&g->targets, e)) < 0)
        return r;
    if (c->attach_args && (r = attach_supervisor_start(&g->attach, c->attach_args, NULL)) < 0)
        return err_set(e, r, "out of memory");
    if (c->notifier_args && (r = guard_notifier_start(&g->notifier, c->notifier_args, c->state, e)) < 0)
        return r;
    loop(g);
    case_processes_done(&g->cases);
    log_event(EVENT_STOPPED, LOG_UINT("left", cases(g)), LOG_UINT("failed", 0));
    return 0;
}
