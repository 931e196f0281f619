/* SPDX-License-Identifier: Apache-2.0
 *
 * An array of targets, unordered.
 */
#include "guard/target_set.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/counters.h"
#include "base/mem.h"
#include "base/rlimits.h"
#include "base/text.h"
#include "place/container.h"

enum {
    RETRY_MS = 1000,    /* after a poll that failed */
    FILES_RESERVE = 24, /* descriptors that polls and starting a case need */
    FILES_OF_TARGET = 10,
    SLACK_DIVISOR = 8, /* targets that are almost due are polled together with those that are */
    BYSTANDER_DIVISOR = 16
};

static bool is_cgroup(const struct memcg *m, const char *path)
{
    CLEANUP(memcg_done) struct memcg given = MEMCG_NONE;
    struct err ignored;

    return memcg_open_path(path, &given, &ignored) == 0 && memcg_same(&given, m);
}

/* 1: the process is of a selected pod; 0: it is not; -EINPROGRESS, -EAGAIN: that isn't known yet. */
static int is_selected(const struct target_selection *s, int proc, struct err *e)
{
    struct pod_logs_names names;
    char uid[PODUID_MAX];

    if (!s->pods)
        return 1;
    return container_pod(proc, uid) ? pod_selection_has_uid(s->pods, uid, true, &names, e) : 0;
}

bool target_selection_has(const struct target_selection *s, const struct proc *p)
{
    CLEANUP(memcg_done) struct memcg m = MEMCG_NONE;
    struct err ignored;

    for (size_t i = 0; i < s->pid_count; i++)
        if (s->pids[i] == p->pid)
            return true;
    if ((!s->all && s->cgroup_count == 0) || memcg_open(p, &m, &ignored) < 0)
        return false;
    for (size_t i = 0; i < s->cgroup_count; i++)
        if (is_cgroup(&m, s->cgroups[i]))
            return true;
    return s->all && memcg_limit(&m) != UINT64_MAX && is_selected(s, p->fd, &ignored) > 0;
}

static void target_free(struct target *t)
{
    if (t)
        target_done(t);
    free(t);
}

DEFINE_CLEANUP(struct target *, target_free)

static void on_unwatched(void *ctx, pid_t pid, const char *cgroup, const struct err *e)
{
    const struct target_set *s = ctx;

    s->ops->unwatched(s->ctx, pid, cgroup, e);
}

int target_set_init(struct target_set *s, const struct target_set_config *c, struct err *e)
{
    const struct target_set_ops *ops = c->ops;
    int r;

    assert(ops->added && ops->renamed && ops->polled && ops->removed && ops->unwatched);
    *s = (struct target_set){
        .selection = *c->selection, .policy = {.rules = c->rules}, .ops = ops, .ctx = c->ctx, .epoll = -1};
    s->discovery.failed = on_unwatched;
    if ((s->epoll = epoll_create1(EPOLL_CLOEXEC)) < 0)
        return err_set(e, -errno, "epoll: %s", strerror(errno));
    return (r = rule_new(c->rules, &s->rule)) < 0 ? err_set(e, r, "out of memory") : 0;
}

void target_set_done(struct target_set *s)
{
    while (s->count > 0)
        target_free(s->target[--s->count]);
    rule_free(s->rule);
    s->rule = NULL;
    cgroup_discovery_done(&s->discovery);
    mem_close_ptr(&s->epoll);
    s->epoll = -1;
}

int target_set_watch_fd(struct target_set *s, int fd, uint32_t events, void *ptr, struct err *e)
{
    struct epoll_event event = {.events = events, .data.ptr = ptr};

    assert(s->epoll >= 0 && fd >= 0);
    return epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? err_set(e, -errno, "epoll: %s", strerror(errno)) : 0;
}

/* --- adding and removing --------------------------------------------------------------------------------------------
 */

static bool is_known(const struct target_set *s, const struct target *t)
{
    for (size_t i = 0; i < s->count; i++)
        if (memcg_same(&s->target[i]->memcg, &t->memcg) && s->target[i]->given_pid == t->given_pid)
            return true;
    return false;
}

/* The environment of a pod's pause process does not name the pod; that of its other containers does. */
static bool name_by_sibling(const struct target_set *s, struct target *t)
{
    for (size_t i = 0; i < s->count && !t->named && *t->last.pod_uid; i++) {
        const struct target *other = s->target[i];
        const char *end = other->in_pod ? strrchr(other->name, '/') : NULL;

        if (!end || !text_eq(other->last.pod_uid, t->last.pod_uid))
            continue;
        snprintf(t->name, sizeof(t->name), "%.*s/%.12s", (int)(end - other->name), other->name, t->last.container_id);
        t->named = true;
    }
    return t->named;
}

/* One survey per machine: it takes the kernel some time. */
static void report_added(const struct target_set *s, struct target *t)
{
    CLEANUP(buf_done) struct buf survey = {0};

    if (s->count == 0)
        memsignal_survey(&t->memcg, &survey);
    s->ops->added(s->ctx, t, survey.size > 0 ? buf_text(&survey) : NULL);
}

/* 0 also for a known target, and for a discovered cgroup without a limit. */
static int add(struct target_set *s, pid_t pid, const char *path, bool given, struct err *e)
{
    CLEANUP(target_free_ptr) struct target *t = calloc(1, sizeof(*t));
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
    if ((r = target_open(&s->policy, pid, path, t, e)) < 0)
        return r;
    if (given)
        target_restrict_to(t, pid);
    if (is_known(s, t) || (!given && !path && memcg_limit(&t->memcg) == UINT64_MAX))
        return 0;
    if (s->count == TARGET_SET_MAX || (t->number = rule_join(s->rule, t->key, now)) < 0)
        return err_set(e, -ENOSPC, "%s: more than %d cgroups cannot be watched", t->name, TARGET_SET_MAX);
    t->due_ms = now;
    name_by_sibling(s, t);
    report_added(s, t);
    s->target[s->count++] = TAKE_PTR(t);
    gauge_set(GAUGE_TARGETS, s->count);
    s->notices_missing = true;
    return 0;
}

/* Closing the descriptors is not enough: a child that was just forked has them open, too, and until its execve the
 * kernel would go on reporting a freed target. */
static void unwatch_notices(const struct target_set *s, const struct target *t)
{
    for (unsigned i = 0; i < t->signals; i++)
        epoll_ctl(s->epoll, EPOLL_CTL_DEL, t->signal[i].fd, NULL);
}

static void remove_target(struct target_set *s, size_t i)
{
    struct target *t = s->target[i];

    s->ops->removed(s->ctx, t);
    rule_leave(s->rule, t->number, clock_mono_ms());
    cgroup_discovery_forget(&s->discovery, &t->memcg);
    unwatch_notices(s, t);
    target_free(t);
    s->target[i] = s->target[--s->count];
    gauge_set(GAUGE_TARGETS, s->count);
}

/* --- discovery ------------------------------------------------------------------------------------------------------
 */

static int on_cgroup(void *ctx, pid_t pid, struct err *e)
{
    struct target_set *s = ctx;
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    int r = s->selection.pods ? proc_open("/proc", pid, &p) : 0;

    if (r < 0)
        return r == -ESRCH ? 0 : err_set(e, r, "/proc/%d: %s", (int)pid, strerror(-r));
    r = is_selected(&s->selection, p.fd, e);
    return r <= 0 ? r : add(s, pid, NULL, false, e);
}

/* The rule of a pod may change: its labels, or what was not known before. */
static void apply_changes(struct target_set *s)
{
    struct pod_logs_names names;
    struct err ignored;

    for (size_t i = s->count; i-- > 0;)
        if (!s->target[i]->given_pid && *s->target[i]->last.pod_uid &&
            pod_selection_has_uid(s->selection.pods, s->target[i]->last.pod_uid, false, &names, &ignored) == 0)
            remove_target(s, i);
    cgroup_discovery_ask_again(&s->discovery);
}

static void rescan(struct target_set *s)
{
    struct pod_selection *pods = s->selection.pods;

    if (pods && pod_selection_refresh(pods))
        apply_changes(s);
    else if (pods && pod_selection_due_ms(pods) != UINT64_MAX)
        cgroup_discovery_look_at_all(&s->discovery);
    cgroup_discovery_scan(&s->discovery, "/proc", clock_mono_ms(), on_cgroup, s);
    s->rescan_at_ms = clock_mono_ms() + s->selection.rescan_ms;
}

/* A guard that sees no container must fail instead of looking healthy. */
static int see_any(const struct target_set *s, struct err *e)
{
    if (s->count > 0 || s->discovery.unseen == 0)
        return 0;
    return err_set(e, -FAULT_REFUSED,
                   "guard --all: none of %u memory cgroups can be seen from here: run it in the machine's cgroup "
                   "namespace (or with the host's pids and CAP_SYS_ADMIN, to enter that), with the machine's "
                   "/sys/fs/cgroup mounted",
                   s->discovery.unseen);
}

int target_set_start(struct target_set *s, struct err *e)
{
    const struct target_selection *from = &s->selection;
    int r = 0;

    assert(s->rule && s->epoll >= 0 && s->count == 0);
    for (size_t i = 0; i < from->pid_count && r == 0; i++)
        r = add(s, from->pids[i], NULL, true, e);
    for (size_t i = 0; i < from->cgroup_count && r == 0; i++)
        r = add(s, 0, from->cgroups[i], false, e);
    if (r < 0 || !from->all)
        return r;
    if (from->pod_logs && access(from->pod_logs, R_OK | X_OK) < 0)
        return err_set(e, -FAULT_FOLDER,
                       "guard --namespace: the kubelet's folder %s, which says the namespaces of pods: %s",
                       from->pod_logs, strerror(errno));
    rescan(s);
    return see_any(s, e);
}

/* --- one turn -------------------------------------------------------------------------------------------------------
 */

/* One notice per turn: at the start many are missing, and polls must go on meanwhile. */
static void open_next_notice(struct target_set *s)
{
    struct err ignored;

    for (size_t i = 0; i < s->count; i++) {
        struct target *t = s->target[i];
        unsigned before = t->signals;

        if (t->notices_open || !rlimits_files_spare(FILES_RESERVE))
            continue;
        t->notices_open = !target_open_notice(&s->policy, t, clock_mono_ms());
        for (unsigned k = before; k < t->signals; k++)
            target_set_watch_fd(s, t->signal[k].fd, (uint32_t)t->signal[k].poll_events, &t->notice[k], &ignored);
        return;
    }
    s->notices_missing = false;
}

static void rename_target(const struct target_set *s, struct target *t, uint64_t now)
{
    char before[TARGET_NAME_MAX];

    if (t->named)
        return;
    memcpy(before, t->name, sizeof(before));
    if (target_rename(t, now) || name_by_sibling(s, t))
        s->ops->renamed(s->ctx, t, before);
}

/* False: it is gone. */
static bool poll_target(struct target_set *s, struct target *t, uint64_t now)
{
    struct reading r;
    int result = target_poll(&s->policy, t, now, &r);

    if (result == -ENODEV || target_has_ended(t))
        return false;
    if (result < 0) {
        t->due_ms = now + RETRY_MS;
        return true;
    }
    rename_target(s, t, now);
    s->ops->polled(s->ctx, t, &r, now);
    return true;
}

void target_set_turn(struct target_set *s)
{
    assert(s->epoll >= 0);
    for (size_t i = s->count; i-- > 0;) {
        struct target *t = s->target[i];
        uint64_t now = clock_mono_ms();

        if (t->due_ms <= now + (t->due_ms > now ? (t->due_ms - now) / SLACK_DIVISOR : 0) && !poll_target(s, t, now))
            remove_target(s, i);
    }
    if (s->notices_missing)
        open_next_notice(s);
    if (s->selection.all && clock_mono_ms() >= s->rescan_at_ms)
        rescan(s);
}

uint64_t target_set_due_ms(const struct target_set *s)
{
    uint64_t due = s->notices_missing ? 0 : s->selection.all ? s->rescan_at_ms : UINT64_MAX;

    for (size_t i = 0; i < s->count; i++)
        due = s->target[i]->due_ms < due ? s->target[i]->due_ms : due;
    return due;
}

/* --- the rules ------------------------------------------------------------------------------------------------------
 */

/* All cgroups below a level share its limit. One that uses almost nothing of what is used there is not the cause: a
 * pod's pause process, while its application leaks. A given process is always meant. */
static bool is_bystander(const struct target_set *s, const struct target *t, const struct reading *r)
{
    return s->selection.all && !t->given_pid && r->own.known && r->used.known &&
           r->own.value < r->used.value / BYSTANDER_DIVISOR;
}

static void set_tenant(struct target_set *s, struct target *t)
{
    char tenant[RULE_TENANT_MAX];

    rule_tenant(s->rule, t->number, target_tenant(t, tenant));
}

/* Before its first case: by now the container is set up, and its key for cool-down and caps is final. True: the key
 * has changed. */
static bool settle_key(struct target_set *s, struct target *t, uint64_t now)
{
    int number;

    if (t->settled || !target_settle(t) || (number = rule_join(s->rule, t->key, now)) < 0)
        return false;
    rule_refused(s->rule, t->number, now);
    rule_leave(s->rule, t->number, now);
    t->number = number;
    set_tenant(s, t);
    return true;
}

void target_set_evaluate(struct target_set *s, struct target *t, struct reading *r, uint64_t now_ms,
                         struct rule_decision *ret)
{
    assert(t->number >= 0);
    *ret = (struct rule_decision){.answer = RULE_QUIET};
    if (is_bystander(s, t, r))
        return;
    if (rule_would_trigger(s->rule, t->number, r, now_ms)) {
        if (target_confirm(t, now_ms, r) < 0)
            return;
        set_tenant(s, t);
    }
    rule_evaluate(s->rule, t->number, r, now_ms, ret);
    if (ret->answer == RULE_TRIGGER && settle_key(s, t, now_ms))
        rule_evaluate(s->rule, t->number, r, now_ms, ret);
}
