/* SPDX-License-Identifier: Apache-2.0
 *
 * Targets, signals and children in one epoll_wait(2).
 */
#include "guard/guard.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
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
#include "base/rlimits.h"
#include "base/text.h"
#include "guard/casehistory.h"
#include "guard/cgroup_discovery.h"
#include "guard/guardcases.h"
#include "guard/guardkey.h"
#include "guard/guardkills.h"
#include "linux/cgroupns.h"
#include "linux/launch.h"
#include "ship/armkeeper.h"

enum {
    TARGETS_MAX = 1024,
    EVENTS_MAX = 64,
    AGAIN_MS = 1000,    /* after a look that failed */
    GRACE_MS = 20000,   /* for cases that are being made when we are to end */
    FILES_RESERVE = 24, /* descriptors that looks and the start of a case need */
    FILES_OF_TARGET = 10,
    REFUSED_SAID_MS = 60 * 1000,
    SLACK_DIVISOR = 8, /* what is nearly due is looked at together with what is due */
    BYSTANDER_DIVISOR = 16
};

struct guard {
    const struct guard_config *c;
    struct guardtarget_policy policy;
    struct rule *rule;
    struct casehistory history;
    struct guardtarget *target[TARGETS_MAX];
    size_t count;
    bool deaf; /* a target's signals are not all open */
    int epoll;
    struct guardcases cases;
    int signals; /* signalfd */
    struct cgroup_discovery discovery;
    struct guardkills kills;
    struct last_known self; /* our own cgroup */
    struct armkeeper attach;
    struct guardear log; /* stands for the kernel log in epoll */
    uint64_t rescan_at_ms, end_at_ms;
    bool ending;
};

/* --- targets --------------------------------------------------------------------------------------------------------
 */

static int listen_to(struct guard *g, int fd, uint32_t events, void *ear, struct err *e)
{
    struct epoll_event event = {.events = events, .data.ptr = ear};

    return epoll_ctl(g->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? err_set(e, -errno, "epoll: %s", strerror(errno)) : 0;
}

static void target_free(struct guardtarget *t)
{
    if (t)
        guardtarget_done(t);
    free(t);
}

DEFINE_CLEANUP(struct guardtarget *, target_free)

static bool is_known(const struct guard *g, const struct guardtarget *t)
{
    for (size_t i = 0; i < g->count; i++)
        if (memcg_same(&g->target[i]->memcg, &t->memcg) && g->target[i]->given_pid == t->given_pid)
            return true;
    return false;
}

/* A pod's pause process does not know where it is, its neighbours do. */
static bool name_as_sibling(const struct guard *g, struct guardtarget *t)
{
    for (size_t i = 0; i < g->count && !t->named && *t->last.pod_uid; i++) {
        const struct guardtarget *other = g->target[i];
        const char *end = other->in_pod ? strrchr(other->name, '/') : NULL;

        if (!end || !text_eq(other->last.pod_uid, t->last.pod_uid))
            continue;
        snprintf(t->name, sizeof(t->name), "%.*s/%.12s", (int)(end - other->name), other->name, t->last.container_id);
        t->named = true;
    }
    return t->named;
}

/* What signals work is told once: trying takes the kernel a while, and one machine has one kernel. */
static void tell_target(const struct guard *g, const struct guardtarget *t)
{
    CLEANUP(buf_done) struct buf survey = {0};
    char limit[TEXT_SIZE_MAX];
    uint64_t bytes = memcg_limit(&t->memcg);

    if (g->count == 0)
        memsignal_survey(&t->memcg, &survey);
    log_event(EVENT_GUARDING, LOG_STR("target", t->name),
              LOG_STR("container", *t->last.container_id ? t->last.container_id : NULL),
              LOG_STR("limit", bytes == UINT64_MAX ? "none" : text_format_size(bytes, limit)),
              LOG_UINT("cgroup", t->memcg.v2 ? 2 : 1), LOG_STR("signals", survey.size > 0 ? buf_text(&survey) : NULL));
    if (last_known_holds(&t->last, &g->self))
        log_event(EVENT_GUARD_INSIDE, LOG_STR("target", t->name));
}

/* 0, also for one that is there already; only_limited: passes over a cgroup without a limit. */
static int add_target(struct guard *g, pid_t pid, const char *path, bool given, struct err *e)
{
    CLEANUP(target_free_ptr) struct guardtarget *t = calloc(1, sizeof(*t));
    uint64_t now = clock_mono_ms();
    int r;

    if (!t)
        return err_set(e, -ENOMEM, "out of memory");
    if (!rlimits_files_spare(FILES_RESERVE + FILES_OF_TARGET))
        return err_set(
            e, -EMFILE,
            "fewer than %d more descriptors can be opened, which a cgroup and cases need: raise the limit of "
            "open files (ulimit -n, LimitNOFILE=)",
            FILES_RESERVE + FILES_OF_TARGET);
    if ((r = guardtarget_open(&g->policy, pid, path, t, e)) < 0)
        return r;
    if (given) {
        t->given_pid = pid;
        guardkey_of_given(pid, t->key); /* of one container there may be two */
    }
    if (is_known(g, t) || (!given && !path && memcg_limit(&t->memcg) == UINT64_MAX))
        return 0;
    if (g->count == TARGETS_MAX || (t->number = rule_join(g->rule, t->key, now)) < 0)
        return err_set(e, -ENOSPC, "%s: more than %d cgroups cannot be watched", t->name, TARGETS_MAX);
    t->due_ms = now;
    name_as_sibling(g, t);
    tell_target(g, t);
    g->target[g->count++] = TAKE_PTR(t);
    g->deaf = true;
    return 0;
}

/* One signal of one target: many come at once at the start, and none of them is to wait for all the others. */
static void listen_more(struct guard *g)
{
    struct err ignored;

    for (size_t i = 0; i < g->count; i++) {
        struct guardtarget *t = g->target[i];
        unsigned before = t->signals;

        if (t->listens || !rlimits_files_spare(FILES_RESERVE))
            continue;
        t->listens = !guardtarget_listen(&g->policy, t, clock_mono_ms());
        for (unsigned k = before; k < t->signals; k++)
            listen_to(g, t->signal[k].fd, (uint32_t)t->signal[k].poll_events, &t->ear[k], &ignored);
        return;
    }
    g->deaf = false;
}

/* Where it can't be waited for it is as good as none. */
static int open_kernel_log(struct guard *g, struct err *e)
{
    struct err why = {0};
    int r = guardkills_open(&g->kills, g->c->self, g->c->case_args, g->c->all, &why);

    if (r == -ENOMEM)
        return err_set(e, r, "out of memory");
    if (r == 0 && (r = listen_to(g, g->kills.oom_log.log.fd, EPOLLIN, &g->log, &why)) < 0)
        kmsg_done(&g->kills.oom_log.log);
    if (r < 0)
        log_event(EVENT_OOM_UNREAD, LOG_STR("error", why.msg));
    return 0;
}

/* Closing them is not enough: a child that was forked a moment ago has them open, too, and until it has become another
 * program the kernel would go on telling us, of a target that is no more. */
static void listen_no_more(const struct guard *g, const struct guardtarget *t)
{
    for (unsigned i = 0; i < t->signals; i++)
        epoll_ctl(g->epoll, EPOLL_CTL_DEL, t->signal[i].fd, NULL);
}

/* What the kernel said of its last moments is there by now. */
static void remove_target(struct guard *g, size_t i)
{
    struct guardtarget *t = g->target[i];

    guardkills_read(&g->kills, g->target, g->count, true);
    guardkills_count(&g->kills, t, guardtarget_kills(t), true);
    log_event(EVENT_GUARD_LEFT, LOG_STR("target", t->name));
    rule_leave(g->rule, t->number, clock_mono_ms());
    cgroup_discovery_forget(&g->discovery, &t->memcg);
    listen_no_more(g, t);
    target_free(t);
    g->target[i] = g->target[--g->count];
}

static int on_cgroup(void *ctx, pid_t pid, struct err *e)
{
    return add_target(ctx, pid, NULL, false, e);
}

static void on_unwatched(void *ctx, pid_t pid, const char *cgroup, const struct err *e)
{
    char pod[GUARDNAME_MAX];
    bool known = guardname_of_pid(pid, pod);

    (void)ctx;
    log_event(EVENT_GUARD_UNWATCHED, LOG_STR("cgroup", cgroup), LOG_UINT("pid", (uint64_t)pid),
              LOG_STR("pod", known ? pod : NULL), LOG_STR("error", e->msg));
}

/* One that sees no container would look healthy for ever. */
static int see_any(const struct guard *g, struct err *e)
{
    if (g->count > 0 || g->discovery.unseen == 0)
        return 0;
    return err_set(e, -FAULT_REFUSED,
                   "guard --all: none of %u memory cgroups can be seen from here: run it in the machine's cgroup "
                   "namespace (or with the host's pids and CAP_SYS_ADMIN, to enter that), with the machine's "
                   "/sys/fs/cgroup mounted",
                   g->discovery.unseen);
}

static void rescan(struct guard *g)
{
    cgroup_discovery_look(&g->discovery, "/proc", clock_mono_ms(), on_cgroup, g);
    g->rescan_at_ms = clock_mono_ms() + g->c->rescan_ms;
}

static void remember(struct guard *g, int target, enum rule_past what)
{
    struct err e = {0};

    if (casehistory_add(&g->history, g->rule, target, what, clock_mono_ms(), &e) < 0)
        log_event(EVENT_GUARD_FORGETS, LOG_STR("error", e.msg));
}

static void reap(struct guard *g)
{
    int status, target;
    pid_t child;
    bool made;

    while ((child = waitpid(-1, &status, WNOHANG)) > 0) {
        if (armkeeper_reap(&g->attach, child, status) ||
            kill_recorder_reap(&g->kills.recorder, child, clock_mono_ms()) ||
            (target = guardcases_reap(&g->cases, child, status, &made)) < 0)
            continue;
        if (WIFEXITED(status) && WEXITSTATUS(status) == LAUNCH_FAILED) {
            rule_refused(g->rule, target, clock_mono_ms());
            remember(g, target, RULE_REFUSED);
        } else {
            rule_done(g->rule, target, made, clock_mono_ms());
            remember(g, target, made ? RULE_MADE : RULE_FAILED);
        }
        g->policy.dump_rate = g->cases.speed.rate;
    }
}

static size_t cases(const struct guard *g)
{
    return guardcases_count(&g->cases) + g->kills.recorder.count;
}

/* --- looking --------------------------------------------------------------------------------------------------------
 */

/* A limit of a level above is met by all below it. What has next to nothing of what is used there is not what fills it:
 * a pod's pause process, while its application leaks. Who is named is meant. */
static bool is_bystander(const struct guard *g, const struct guardtarget *t, const struct reading *r)
{
    return g->c->all && !t->given_pid && r->own.known && r->used.known &&
           r->own.value < r->used.value / BYSTANDER_DIVISOR;
}

/* Before its first case: whose it is, and so which rest and caps are its own. True: others than it had. */
static bool settle(struct guard *g, struct guardtarget *t, uint64_t now)
{
    char tenant[RULE_TENANT_MAX];
    int number;

    if (t->settled || !guardtarget_settle(t) || (number = rule_join(g->rule, t->key, now)) < 0)
        return false;
    rule_refused(g->rule, t->number, now);
    rule_leave(g->rule, t->number, now);
    t->number = number;
    rule_tenant(g->rule, number, guardtarget_tenant(t, tenant));
    return true;
}

/* One that can't be begun now is begun later: nothing has come of it, and so nothing rests. */
static void begin_case(struct guard *g, struct guardtarget *t, const char *why, uint64_t now)
{
    struct err e = {0};
    int r = guardcases_begin(&g->cases, t, why, &e);

    if (r == 0) {
        remember(g, t->number, RULE_BEGUN);
        return;
    }
    rule_refused(g->rule, t->number, now);
    if (now < t->refused_said_ms)
        return;
    t->refused_said_ms = now + REFUSED_SAID_MS;
    log_event(EVENT_GUARD_MISSED, LOG_STR("target", t->name), LOG_STR("piece", "all"),
              LOG_STR("fault", fault_find(r)->name), LOG_STR("error", e.msg));
}

static void rename_target(const struct guard *g, struct guardtarget *t, uint64_t now)
{
    char before[GUARDTARGET_NAME_MAX];

    if (t->named)
        return;
    memcpy(before, t->name, sizeof(before));
    if (guardtarget_rename(t, now) || name_as_sibling(g, t))
        log_event(EVENT_GUARD_NAMED, LOG_STR("target", before), LOG_STR("name", t->name));
}

static void judge(struct guard *g, struct guardtarget *t, struct reading *r, uint64_t now)
{
    struct rule_decision d;

    if (is_bystander(g, t, r))
        return;
    if (rule_would_fire(g->rule, t->number, r, now)) {
        char tenant[RULE_TENANT_MAX];

        if (guardtarget_confirm(t, now, r) < 0)
            return;
        rule_tenant(g->rule, t->number, guardtarget_tenant(t, tenant));
    }
    rule_judge(g->rule, t->number, r, now, &d);
    if (d.answer == RULE_FIRE && settle(g, t, now))
        rule_judge(g->rule, t->number, r, now, &d);
    if (d.answer == RULE_FIRE)
        begin_case(g, t, d.why, now);
    else if (d.answer == RULE_WAIT && d.say)
        log_event(EVENT_GUARD_WAITS, LOG_STR("target", t->name), LOG_STR("why", d.why));
    else if (d.answer == RULE_BLIND && d.say)
        log_event(EVENT_GUARD_BLIND, LOG_STR("target", t->name), LOG_STR("why", d.why));
}

/* False: it is gone. */
static bool look(struct guard *g, struct guardtarget *t, uint64_t now)
{
    struct reading r;
    int result = guardtarget_look(&g->policy, t, now, &r);

    if (result == -ENODEV || (t->given_pid && kill(t->given_pid, 0) < 0 && errno == ESRCH))
        return false;
    if (result < 0) {
        t->due_ms = now + AGAIN_MS;
        return true;
    }
    rename_target(g, t, now);
    judge(g, t, &r, now);
    if (t->counted)
        guardkills_count(&g->kills, t, t->seen.oom_kill, false);
    if (t->last.due_ms && t->last.due_ms < t->due_ms)
        t->due_ms = t->last.due_ms;
    return true;
}

static void look_at_all(struct guard *g)
{
    for (size_t i = g->count; i-- > 0;) {
        struct guardtarget *t = g->target[i];
        uint64_t now = clock_mono_ms();

        if (t->due_ms <= now + (t->due_ms > now ? (t->due_ms - now) / SLACK_DIVISOR : 0) && !look(g, t, now))
            remove_target(g, i);
    }
}

static int wait_ms(const struct guard *g)
{
    uint64_t now = clock_mono_ms(), due = g->ending ? g->end_at_ms : g->deaf ? 0 : UINT64_MAX;

    for (size_t i = 0; i < g->count && !g->ending; i++)
        due = g->target[i]->due_ms < due ? g->target[i]->due_ms : due;
    if (g->c->all && !g->ending && g->rescan_at_ms < due)
        due = g->rescan_at_ms;
    if (!g->ending && oom_log_reader_due_ms(&g->kills.oom_log) < due)
        due = oom_log_reader_due_ms(&g->kills.oom_log);
    if (!g->ending && g->attach.due_ms < due)
        due = g->attach.due_ms;
    if (kill_recorder_due_ms(&g->kills.recorder) < due)
        due = kill_recorder_due_ms(&g->kills.recorder);
    return due <= now ? 0 : due - now > INT_MAX ? INT_MAX : (int)(due - now);
}

static void on_signals(struct guard *g)
{
    struct signalfd_siginfo info;

    while (read(g->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGCHLD || g->ending)
            continue;
        g->ending = true;
        armkeeper_end(&g->attach);
        g->end_at_ms = clock_mono_ms() + GRACE_MS;
        log_event(EVENT_STOPPING, LOG_UINT("left", cases(g)), LOG_UINT("grace_s", GRACE_MS / 1000));
    }
    reap(g);
}

static bool goes_on(const struct guard *g)
{
    if (g->ending)
        return cases(g) > 0 && clock_mono_ms() < g->end_at_ms;
    return g->c->all || g->count > 0 || cases(g) > 0;
}

/* A target is let go of only when it is looked at, behind all of these. */
static void on_events(struct guard *g, const struct epoll_event *events, int count)
{
    for (int i = 0; i < count; i++) {
        struct guardear *ear = events[i].data.ptr;

        if (!ear)
            on_signals(g);
        else if (ear != &g->log)
            guardtarget_hear(ear->target, ear->signal, clock_mono_ms());
    }
}

static void loop(struct guard *g)
{
    struct epoll_event events[EVENTS_MAX];

    while (goes_on(g)) {
        on_events(g, events, epoll_wait(g->epoll, events, EVENTS_MAX, wait_ms(g)));
        kill_recorder_start(&g->kills.recorder, clock_mono_ms());
        if (g->ending)
            continue;
        armkeeper_on_time(&g->attach, clock_mono_ms());
        guardkills_read(&g->kills, g->target, g->count, false);
        look_at_all(g);
        if (g->deaf)
            listen_more(g);
        if (g->c->all && clock_mono_ms() >= g->rescan_at_ms)
            rescan(g);
    }
    guardcases_stop(&g->cases);
    kill_recorder_done(&g->kills.recorder);
}

static void guard_free(struct guard *g)
{
    for (size_t i = 0; g && i < g->count; i++)
        target_free(g->target[i]);
    if (g) {
        armkeeper_done(&g->attach);
        rule_free(g->rule);
        cgroup_discovery_done(&g->discovery);
        casehistory_done(&g->history);
        oom_log_reader_done(&g->kills.oom_log);
        last_known_done(&g->self);
        if (g->signals >= 0)
            close(g->signals);
        if (g->epoll >= 0)
            close(g->epoll);
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

/* Without it cases are made all the same. */
static void take_up_history(struct guard *g)
{
    struct err e = {0};

    if (casehistory_open(&g->history, g->c->state, &g->c->rules, g->rule, clock_mono_ms(), &e) < 0)
        log_event(EVENT_GUARD_FORGETS, LOG_STR("error", e.msg));
}

static void find_self(struct guard *g)
{
    CLEANUP(proc_done) struct proc self = PROC_NONE;
    CLEANUP(memcg_done) struct memcg m = MEMCG_NONE;

    if (proc_open("/proc", getpid(), &self) == 0 && memcg_open(&self, &m, NULL) == 0)
        last_known_cgroup(&g->self, &m);
}

static int add_given(struct guard *g, struct err *e)
{
    int r = 0;

    for (size_t i = 0; i < g->c->pid_count && r == 0; i++)
        r = add_target(g, g->c->pids[i], NULL, true, e);
    for (size_t i = 0; i < g->c->cgroup_count && r == 0; i++)
        r = add_target(g, 0, g->c->cgroups[i], false, e);
    return r;
}

int guard_run(const struct guard_config *c, struct err *e)
{
    CLEANUP(guard_free_ptr) struct guard *g = calloc(1, sizeof(*g));
    int r;

    if (!g)
        return err_set(e, -ENOMEM, "out of memory");
    g->c = c;
    g->signals = g->epoll = -1;
    g->history = (struct casehistory)CASEHISTORY_NONE;
    g->attach = (struct armkeeper)ARMKEEPER_NONE;
    g->kills.oom_log = (struct oom_log_reader)OOM_LOG_READER_NONE;
    if ((g->epoll = epoll_create1(EPOLL_CLOEXEC)) < 0)
        return err_set(e, -errno, "epoll: %s", strerror(errno));
    if ((r = rule_new(&c->rules, &g->rule)) < 0)
        return err_set(e, r, "out of memory");
    take_up_history(g);
    cgroupns_enter_first(); /* where that may be: else by what our mounts show */
    g->discovery.failed = on_unwatched;
    find_self(g);
    if ((r = guardcases_init(&g->cases, c->self, c->case_args, &c->override, c->dump_rate, e)) < 0)
        return r;
    g->policy = (struct guardtarget_policy){&c->rules, g->cases.speed.rate, c->core};
    if ((g->signals = r = take_signals(e)) < 0 || (r = listen_to(g, g->signals, EPOLLIN, NULL, e)) < 0 ||
        (r = open_kernel_log(g, e)) < 0 || (r = add_given(g, e)) < 0)
        return r;
    /* What is in memory stays there. Without the right to it: as well as can be. */
    if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
        errno = 0;
    if (c->all) {
        rescan(g);
        if ((r = see_any(g, e)) < 0)
            return r;
    }
    if (c->attach_args && (r = armkeeper_start(&g->attach, c->attach_args, NULL)) < 0)
        return err_set(e, r, "out of memory");
    loop(g);
    guardcases_done(&g->cases);
    log_event(EVENT_STOPPED, LOG_UINT("left", cases(g)), LOG_UINT("failed", 0));
    return 0;
}
