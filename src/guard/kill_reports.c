/* SPDX-License-Identifier: Apache-2.0
 *
 * Joins the kernel log, the cgroups' counters, and what was known of the processes before.
 */
#include "guard/kill_reports.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

enum {
    LOG_LATE_MS = 1500, /* a counted kill appears in the kernel log within this time */
    ENDED_MS = 250,     /* a killed process has ended after this time, and so is known */
    /* Longer than a counted kill waits for its line in the kernel log: afterwards no counter will match the line. */
    UNMATCHED_MS = 4 * LOG_LATE_MS
};

int kill_reports_open(struct kill_reports *g, const struct whoami *self, char *const *args,
                      const struct target_selection *selection, struct err *e)
{
    assert(self && args && selection);
    g->self = self;
    g->selection = selection;
    g->recorder.args = args;
    return oom_log_reader_open(&g->oom_log, self, false, e);
}

/* The pod or host that the kill belongs to; NULL: this machine. */
static const struct whoami *owner_of(const struct kill_reports *g, const struct target *t, struct oomkill *k,
                                     struct whoami *named)
{
    if (t && t->last.who.host)
        return !t->last.who.by_kubelet && text_eq(t->last.who.host, g->self->host) ? NULL : &t->last.who;
    if (!*k->where.pod)
        return NULL;
    *named = (struct whoami){.namespace = k->where.namespace, .pod = k->where.pod, .container = k->where.container};
    named->pod_uid = *k->where.pod_uid ? k->where.pod_uid : NULL;
    named->host = k->where.pod;
    return named;
}

static const char *or_none(const char *text)
{
    return *text ? text : NULL;
}

/* Logs the kill and stores its record: in the case of the evidence that was taken before, if there is one. */
static void store_record(struct kill_reports *g, struct target *t, struct oomkill *k)
{
    const char *place = *k->where.container_id ? k->where.container_id : k->task_cgroup, *target = t ? t->name : place;
    char limit[TEXT_SIZE_MAX];
    struct whoami named;
    struct err e = {0};
    int r;

    log_event(EVENT_OOM_KILL, LOG_STR("target", target),
              LOG_UINT("pid", k->process.pid == OOMKILL_UNKNOWN ? 0 : k->process.pid),
              LOG_STR("name", or_none(k->process.name)), LOG_STR("why", k->why),
              LOG_STR("limit", k->memory.limit == OOMKILL_UNKNOWN ? NULL : text_format_size(k->memory.limit, limit)),
              LOG_STR("source", k->source), LOG_STR("namespace", or_none(k->where.namespace)),
              LOG_STR("pod", or_none(k->where.pod)), LOG_STR("container", or_none(k->where.container)),
              LOG_STR("container_id", or_none(k->where.container_id)), LOG_STR("case", or_none(k->case_id)));
    r = kill_recorder_add(&g->recorder,
                          &(struct kill_record){.target = target,
                                                .kill = k,
                                                .who = owner_of(g, t, k, &named),
                                                .time_ns = t && *k->case_id ? t->last.taken.time_ns : k->time_ns},
                          clock_mono_ms(), &e);
    if (r < 0)
        log_event(EVENT_GUARD_MISSED, LOG_STR("target", target), LOG_STR("piece", "oom-kill.json"),
                  LOG_STR("fault", fault_find(r)->name), LOG_STR("error", e.msg));
    if (!t)
        return;
    t->last.taken.id[0] = '\0'; /* the record of another kill must not overwrite this one */
    if (k->process.pid == (uint64_t)t->last.pid)
        t->last.pid = 0; /* this process cannot be killed a second time */
}

/* Whether this guard reports a kill outside of all its targets: of a cgroup without a limit, or one that is younger
 * than the last scan. Of guards that select pods one selects this one. */
static bool is_ours(const struct kill_reports *g, struct oomkill *k)
{
    struct pod_logs_names names;
    struct err ignored;

    if (!g->selection->all || !g->selection->pods)
        return g->selection->all;
    if (!*k->where.pod_uid || pod_selection_has_uid(g->selection->pods, k->where.pod_uid, false, &names, &ignored) <= 0)
        return false;
    /* In the place of what the pod says of itself. */
    snprintf(k->where.namespace, sizeof(k->where.namespace), "%s", names.namespace);
    snprintf(k->where.pod, sizeof(k->where.pod), "%s", names.pod);
    return true;
}

/* Moves the oldest unmatched kill into k. */
static void take_unmatched(struct kill_reports *g, struct oomkill *k)
{
    k->source = OOMLOG_SOURCE;
    k->note = OOMLOG_NOTE_ONE_LINE;
    k->process = g->unmatched[0].process;
    k->time_ns = g->unmatched[0].time_ns;
    memmove(&g->unmatched[0], &g->unmatched[1], --g->unmatched_count * sizeof(*g->unmatched));
}

/* A kill that no counter has matched. */
static void report_unmatched(struct kill_reports *g)
{
    struct oomkill *k = &g->counted;

    oomkill_init(k);
    take_unmatched(g, k);
    oom_log_reader_name(&g->oom_log, k);
    if (is_ours(g, k))
        store_record(g, NULL, k);
}

static void queue_unmatched(struct kill_reports *g, const struct oomkill *k)
{
    if (g->unmatched_count == KILL_REPORTS_UNMATCHED_MAX)
        report_unmatched(g);
    g->unmatched[g->unmatched_count++] = (struct unmatched_kill){k->process, k->time_ns, clock_mono_ms()};
}

static void on_kill(struct kill_reports *g, struct oomkill *k, struct target *const *targets, size_t count)
{
    struct target *t = NULL;

    for (size_t i = 0; i < count && !t; i++)
        t = last_known_is(&targets[i]->last, k) ? targets[i] : NULL;
    if (t) {
        last_known_complete(&t->last, k);
        last_known_reported(&t->last, 1 + (uint64_t)k->group.total + k->group.again, clock_mono_ms());
    }
    if (!t && text_eq(k->note, OOMLOG_NOTE_ONE_LINE))
        queue_unmatched(g, k);
    else if (t || is_ours(g, k))
        store_record(g, t, k);
}

void kill_reports_read(struct kill_reports *g, struct target *const *targets, size_t count, bool all)
{
    struct oomkill *k;
    struct err e = {0};
    int r;

    while ((r = oom_log_reader_next(&g->oom_log, clock_mono_ms(), all, &k, &e)) > 0)
        on_kill(g, k, targets, count);
    if (r < 0) {
        log_event(EVENT_OOM_UNREAD, LOG_STR("error", e.msg));
        kmsg_done(&g->oom_log.log);
    }
    while (g->unmatched_count > 0 && clock_mono_ms() - g->unmatched[0].at_ms > UNMATCHED_MS)
        report_unmatched(g);
}

void kill_reports_count(struct kill_reports *g, struct target *t, uint64_t kills, bool last)
{
    bool has_log = g->oom_log.log.fd >= 0;
    uint64_t for_line_ms = has_log ? LOG_LATE_MS : ENDED_MS, wait_ms = last ? 0 : for_line_ms;
    uint64_t unreported = last_known_count(&t->last, kills, wait_ms, clock_mono_ms());

    for (uint64_t i = 0; i < unreported && i < KILL_RECORDER_TARGET_MOST; i++) {
        last_known_kill(&t->last,
                        g->oom_log.log.fd < 0
                            ? "the kernel log could not be read: this is from the counters alone, as they "
                              "were before the kill; the process is a guess"
                            : "the kernel log does not have it (the kernel logs at most 10 kills in "
                              "5 seconds): this is from the counters alone",
                        clock_wall_ns(), &g->counted);
        if (g->unmatched_count > 0)
            take_unmatched(g, &g->counted);
        oom_log_reader_name(&g->oom_log, &g->counted);
        store_record(g, t, &g->counted);
    }
}
