/* SPDX-License-Identifier: Apache-2.0
 *
 * Joins what the kernel log says, what its counters say, and what was seen before.
 */
#include "guard/kill_reports.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

enum {
    UNREPORTED_MS = 1500, /* in which the kernel log tells of a kill that is counted */
    ENDED_MS = 250,       /* in which who is killed has ended: then it is known who it was */
    UNMATCHED_MS =
        4 *
        UNREPORTED_MS /* longer than any that is counted waits: then its line in the kernel log is all that is known */
};

int kill_reports_open(struct kill_reports *g, const struct whoami *self, char *const *args, bool all, struct err *e)
{
    g->self = self;
    g->all = all;
    g->recorder.args = args;
    return oom_log_reader_open(&g->oom_log, self, false, e);
}

/* Whose it is; NULL: nobody's but this machine's. */
static const struct whoami *owner_of(const struct kill_reports *g, const struct target *t, struct oomkill *k,
                                     struct whoami *named)
{
    if (t && t->last.who.host)
        return text_eq(t->last.who.host, g->self->host) ? NULL : &t->last.who;
    if (!*k->where.pod)
        return NULL;
    *named = (struct whoami){.namespace = k->where.namespace, .pod = k->where.pod, .container = k->where.container};
    named->host = k->where.pod;
    return named;
}

static const char *or_none(const char *text)
{
    return *text ? text : NULL;
}

/* Tells of it, and keeps a record in the store: in the case of what was taken before, if there is one. */
static void store_record(struct kill_reports *g, struct target *t, struct oomkill *k)
{
    const char *target = t ? t->name : *k->where.container_id ? k->where.container_id : k->task_cgroup;
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
    r = kill_recorder_add(&g->recorder, target, k, owner_of(g, t, k, &named),
                          t && *k->case_id ? t->last.taken.time_ns : k->time_ns, clock_mono_ms(), &e);
    if (r < 0)
        log_event(EVENT_GUARD_MISSED, LOG_STR("target", target), LOG_STR("piece", "oom-kill.json"),
                  LOG_STR("fault", fault_find(r)->name), LOG_STR("error", e.msg));
    if (!t)
        return;
    t->last.taken.id[0] = '\0'; /* another kill's record must not lie over this one */
    if (k->process.pid == (uint64_t)t->last.pid)
        t->last.pid = 0; /* nor is another one guessed to be its process */
}

/* The oldest of them as a record. */
static void take_unmatched(struct kill_reports *g, struct oomkill *k)
{
    k->source = OOMLOG_SOURCE;
    k->note = OOMLOG_NOTE_ONE_LINE;
    k->process = g->unmatched[0].process;
    k->time_ns = g->unmatched[0].time_ns;
    memmove(&g->unmatched[0], &g->unmatched[1], --g->unmatched_count * sizeof(*g->unmatched));
}

/* One that no counter was of. Who guards all keeps a record of it, too. */
static void report_unmatched(struct kill_reports *g)
{
    struct oomkill *k = &g->counted;

    oomkill_init(k);
    take_unmatched(g, k);
    oom_log_reader_name(&g->oom_log, k);
    if (g->all)
        store_record(g, NULL, k);
}

static void queue_unmatched(struct kill_reports *g, const struct oomkill *k)
{
    if (g->unmatched_count == KILL_REPORTS_UNMATCHED_MAX)
        report_unmatched(g);
    g->unmatched[g->unmatched_count++] = (struct unmatched_kill){k->process, k->time_ns, clock_mono_ms()};
}

/* Who guards all keeps a record of all. */
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
    else if (t || g->all)
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

/* Those that the kernel counted, and did not tell of. */
void kill_reports_count(struct kill_reports *g, struct target *t, uint64_t kills, bool last)
{
    uint64_t wait_ms = last ? 0 : g->oom_log.log.fd < 0 ? ENDED_MS : UNREPORTED_MS;
    uint64_t unreported = last_known_count(&t->last, kills, wait_ms, clock_mono_ms());

    for (uint64_t i = 0; i < unreported && i < KILL_RECORDER_TARGET_MOST; i++) {
        last_known_kill(&t->last,
                        g->oom_log.log.fd < 0
                            ? "the kernel log could not be read: this is from the counters alone, of "
                              "the moment before; which process it was is a guess"
                            : "the kernel log had nothing of it (it limits what it says to 10 kills in "
                              "5 seconds): this is from the counters alone",
                        clock_wall_ns(), &g->counted);
        if (g->unmatched_count > 0)
            take_unmatched(g, &g->counted);
        oom_log_reader_name(&g->oom_log, &g->counted);
        store_record(g, t, &g->counted);
    }
}
