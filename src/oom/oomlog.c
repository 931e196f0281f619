/* SPDX-License-Identifier: Apache-2.0
 *
 * Three states: no kill; a report, from "invoked oom-killer" on; a kill, of which more lines may follow.
 */
#include "oom/oomlog.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "oom/oomkill_processes.h"
#include "oom/oomline.h"
#include "oom/oomtable.h"
#include "oom/oomvictim.h"

enum { GROUP_USEC_MAX = 1000 * 1000, AGAIN_USEC_MAX = 5 * 1000 * 1000, PARTIAL_MAX = 4096 };

static const char NOTE_LATE[] = "the log begins in the middle of this kill: the lines before are lost";
static const char NOTE_CHOICE[] = "the log has the line of the kernel's choice, but not the line of the kill";

struct oomlog {
    uint64_t page_size;
    enum { NOTHING, REPORT, KILL } state;
    struct oomkill kill[2]; /* the one under construction, and the one that was returned */
    unsigned now;
    bool in_stats, headless, saved;
    bool summary;                /* the kernel's choice is known from the "oom-kill:" line */
    const char *constraint_why;  /* from the "oom-kill:" line */
    enum oomvictim_scope chosen; /* from "Kill process", for the next kill */
    uint64_t last_usec;          /* of the last "Killed process" */
    struct oomtable table;
    char partial[PARTIAL_MAX]; /* the beginning of a line whose rest is in another record */
};

struct oomlog *oomlog_new(uint64_t page_size)
{
    struct oomlog *l = calloc(1, sizeof(*l));

    assert(page_size > 0);
    if (l)
        l->page_size = page_size;
    return l;
}

void oomlog_free(struct oomlog *l)
{
    free(l);
}

void oomlog_of_file(struct oomlog *l)
{
    l->saved = true;
}

bool oomlog_waits(const struct oomlog *l)
{
    return l->state == KILL;
}

bool oomlog_in_group(const struct oomlog *l)
{
    return l->state == KILL && *l->kill[l->now].group.cgroup;
}

static struct oomkill *begin(struct oomlog *l)
{
    struct oomkill *k = &l->kill[l->now];

    oomkill_init(k);
    k->source = OOMLOG_SOURCE;
    l->state = REPORT;
    l->in_stats = l->headless = l->summary = false;
    l->constraint_why = NULL;
    l->table.count = 0;
    *l->partial = '\0';
    return k;
}

/* --- the report -----------------------------------------------------------------------------------------------------
 */

static const char *why_of(const char *constraint)
{
    static const struct {
        const char *constraint, *why;
    } words[] = {{"CONSTRAINT_MEMCG", "limit"},
                 {"CONSTRAINT_NONE", "machine"},
                 {"CONSTRAINT_CPUSET", "cpuset"},
                 {"CONSTRAINT_MEMORY_POLICY", "memory-policy"}};

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (text_eq(constraint, words[i].constraint))
            return words[i].why;
    return NULL;
}

static bool read_summary(struct oomlog *l, const char *text)
{
    struct oomkill *k = &l->kill[l->now];
    struct oomline_summary s;

    if (!oomline_summary(text, k, &s))
        return false;
    k->process.pid = s.pid;
    k->process.uid = s.uid;
    memcpy(k->process.name, s.name, sizeof(s.name));
    memcpy(k->task_cgroup, s.task_cgroup, sizeof(s.task_cgroup));
    memcpy(k->limit_cgroup, s.limit_cgroup, sizeof(s.limit_cgroup));
    l->summary = true;
    l->constraint_why = why_of(s.constraint);
    return true;
}

/* Lines that the kernel assembles by pr_cont(): records of other CPUs may separate the pieces. */
static bool read_pieced(struct oomlog *l, const char *text)
{
    struct oomkill *k = &l->kill[l->now];

    if (read_summary(l, text) || oomline_task_in(text, k))
        return true;
    if (!oomline_stats_of(text, k))
        return false;
    l->in_stats = k->stat_count == 0;
    return true;
}

static void read_piece(struct oomlog *l, const struct kmsgrecord *r)
{
    size_t size = strlen(l->partial);

    if (r->continued && size > 0 && size + r->size < PARTIAL_MAX)
        memcpy(l->partial + size, r->text, r->size + 1);
    else if (r->size < PARTIAL_MAX && (text_starts(r->text, "oom-kill:") || text_starts(r->text, "Task in ") ||
                                       text_starts(r->text, "Memory cgroup stats for ")))
        memcpy(l->partial, r->text, r->size + 1);
    else
        return;
    if (read_pieced(l, l->partial))
        *l->partial = '\0';
}

static void read_report(struct oomlog *l, const struct kmsgrecord *r)
{
    struct oomkill *k = &l->kill[l->now];
    struct oomkill_process p;

    if (oomtable_row(r->text, &l->table, l->page_size, &p)) {
        oomkill_add_task(k, &p);
        return;
    }
    if (oomtable_header(r->text, &l->table)) {
        l->in_stats = false;
        return;
    }
    if ((l->in_stats && oomline_stats(r->text, k)) || oomline_amount(r->text, "memory", &k->memory) ||
        oomline_amount(r->text, "swap", &k->swap) || oomline_amount(r->text, "memory+swap", &k->memory_swap) ||
        oomline_amount(r->text, "kmem", &k->kmem) || oomline_ram(r->text, l->page_size, &k->ram))
        return;
    if (k->invoker.pid == OOMKILL_UNKNOWN && oomline_stack(r->text, k->invoker.name, &k->invoker.pid))
        return;
    read_piece(l, r);
}

/* --- the kill -------------------------------------------------------------------------------------------------------
 */

static const char *decide_why(const struct oomlog *l, const struct oomkill *k, enum oomvictim_scope scope)
{
    static const char *const by_scope[] = {[OOMVICTIM_CGROUP] = "limit",
                                           [OOMVICTIM_MACHINE] = "machine",
                                           [OOMVICTIM_CPUSET] = "cpuset",
                                           [OOMVICTIM_POLICY] = "memory-policy"};
    const char *why = l->constraint_why ? l->constraint_why : by_scope[scope];

    if (!why && *k->limit_cgroup)
        why = "limit";
    if (text_eq(why, "limit") && *k->limit_cgroup && *k->task_cgroup && !text_eq(k->limit_cgroup, k->task_cgroup))
        why = "parent-limit";
    return why;
}

/* Adds the report's data about the process. */
static void add_report(struct oomlog *l, struct oomkill *k, const struct oomkill_process *summary)
{
    const struct oomkill_process *row = oomkill_find_task(k, k->process.pid);
    uint64_t page_size = row ? oomtable_page_size(row, l->page_size, k->process.total_vm) : l->page_size;

    if (page_size != l->page_size)
        oomtable_rescale(k, l->page_size, page_size);
    if (summary->pid == k->process.pid)
        oomkill_complete_process(&k->process, summary);
    if (row)
        oomkill_complete_process(&k->process, row);
}

static void settle(struct oomlog *l, const struct kmsgrecord *r, enum oomvictim_scope scope,
                   const struct oomkill_process *killed)
{
    struct oomkill *k = &l->kill[l->now];
    struct oomkill_process summary = k->process;

    k->process = *killed;
    add_report(l, k, &summary);
    k->why = decide_why(l, k, scope != OOMVICTIM_ANY ? scope : l->chosen);
    l->chosen = OOMVICTIM_ANY;
    k->kernel.sequence = r->sequence;
    k->kernel.usec = l->last_usec = r->usec;
    if (*k->task_cgroup) {
        containerid_from_path(k->task_cgroup, k->where.container_id);
        containerid_pod_from_path(k->task_cgroup, k->where.pod_uid);
    }
    if (!*k->task_cgroup && !*k->invoker.name)
        k->note = OOMLOG_NOTE_ONE_LINE;
    else if (l->headless)
        k->note = NOTE_LATE;
    l->state = KILL;
}

/* A file lacks the line of the kill: it was cut, or filtered by level. */
static void settle_choice(struct oomlog *l)
{
    struct oomkill *k = &l->kill[l->now];
    struct oomkill_process choice = k->process;
    const struct oomkill_process *row = oomkill_find_task(k, choice.pid);
    struct kmsgrecord at = {.sequence = k->kernel.sequence, .usec = k->kernel.usec};

    if (row)
        choice = *row;
    settle(l, &at, OOMVICTIM_ANY, &choice);
    k->note = NOTE_CHOICE;
}

struct oomkill *oomlog_flush(struct oomlog *l)
{
    struct oomkill *k = &l->kill[l->now];

    if (l->state == REPORT && l->summary && l->saved)
        settle_choice(l);
    if (l->state != KILL)
        return NULL;
    l->state = NOTHING;
    l->now = !l->now;
    return k;
}

struct oomkill *oomlog_gap(struct oomlog *l)
{
    struct oomkill *k = oomlog_flush(l);

    l->state = NOTHING;
    l->chosen = OOMVICTIM_ANY;
    return k;
}

/* Whether the process was killed because of memory.oom.group. The kernel then also logs the threads and processes
 * that share its memory. */
static bool is_of_group(const struct oomlog *l, const struct kmsgrecord *r, const struct oomkill_process *p)
{
    const struct oomkill *k = &l->kill[l->now];

    return *k->group.cgroup && l->chosen == OOMVICTIM_ANY && r->usec - l->last_usec <= GROUP_USEC_MAX &&
           (k->task_count == 0 || k->task_total > k->task_count || oomkill_find_task(k, p->pid));
}

/* Whether this is the same kill logged again: for the victim of memory.oom.group, or in a file that two daemons
 * wrote. */
static bool is_repeated(const struct oomlog *l, const struct kmsgrecord *r, const struct oomkill_process *p)
{
    const struct oomkill *k = &l->kill[l->now];

    return k->process.pid == p->pid && text_eq(k->process.name, p->name) && r->usec - l->last_usec <= AGAIN_USEC_MAX;
}

static struct oomkill *read_killed(struct oomlog *l, const struct kmsgrecord *r, enum oomvictim_scope scope,
                                   const struct oomkill_process *p)
{
    struct oomkill *done = NULL, *k = &l->kill[l->now];

    if (l->state == KILL && is_repeated(l, r, p)) {
        k->group.again++;
        l->last_usec = r->usec;
        l->chosen = OOMVICTIM_ANY;
        return NULL;
    }
    if (l->state == KILL && is_of_group(l, r, p)) {
        oomkill_add_to_group(k, p);
        l->last_usec = r->usec;
        return NULL;
    }
    if (l->state != REPORT) {
        done = oomlog_flush(l);
        begin(l);
    }
    settle(l, r, scope, p);
    return done;
}

static void read_after(struct oomkill *k, const char *text)
{
    char cgroup[OOMKILL_PATH_MAX];
    uint64_t pid;

    if (oomvictim_reaped(text, &pid))
        k->reaped |= pid == k->process.pid;
    else if (oomvictim_group(text, cgroup))
        memcpy(k->group.cgroup, cgroup, strlen(cgroup) + 1);
}

/* --- the log --------------------------------------------------------------------------------------------------------
 */

/* Any of these lines can be the first of a report whose head is missing. */
static bool begins_late(const struct oomlog *l, const char *text)
{
    struct oomtable table;
    struct oomkill_amount amount;

    if (l->state == REPORT)
        return false;
    return text_starts(text, "oom-kill:constraint=") || text_starts(text, "Task in /") ||
           text_starts(text, "Memory cgroup stats for /") || oomline_amount(text, "memory", &amount) ||
           oomtable_header(text, &table);
}

static void read_in_report(struct oomlog *l, const struct kmsgrecord *r)
{
    struct oomkill *k = &l->kill[l->now];
    uint64_t pid;

    if (oomvictim_reaped(r->text, &pid) && l->saved && l->summary && pid == k->process.pid) {
        settle_choice(l);
        k->reaped = true;
        return;
    }
    if (!l->summary) {
        k->kernel.usec = r->usec;
        k->kernel.sequence = r->sequence;
    }
    read_report(l, r);
}

struct oomkill *oomlog_feed(struct oomlog *l, const struct kmsgrecord *r)
{
    struct oomkill *done = NULL;
    struct oomkill_process p;
    enum oomvictim_scope scope;
    struct oomkill_invoker invoker;

    if (r->facility != 0)
        return NULL;
    if (oomvictim_killed(r->text, &scope, &p))
        return read_killed(l, r, scope, &p);
    if (oomvictim_chosen(r->text, &scope)) {
        l->chosen = scope;
    } else if (oomline_invoked(r->text, &invoker)) {
        done = oomlog_flush(l);
        begin(l)->invoker = invoker;
    } else if (begins_late(l, r->text)) {
        done = oomlog_flush(l);
        begin(l);
        l->headless = true;
        read_in_report(l, r);
    } else if (l->state == REPORT && oomvictim_spared(r->text)) {
        l->state = NOTHING;
    } else if (l->state == REPORT) {
        read_in_report(l, r);
    } else if (l->state == KILL) {
        read_after(&l->kill[l->now], r->text);
    }
    return done;
}
