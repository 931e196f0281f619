/* SPDX-License-Identifier: Apache-2.0
 *
 * What is not read is closed at once: the kernel then ends the process without its core.
 */
#include "node/core_handler.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/core_case.h"
#include "node/core_chain.h"
#include "node/core_home.h"

enum { SLOT_WAIT_MS = 5000, SLOT_POLL_MS = 100, FEW = 3 };

static void record(const struct core_offer *o, const struct core_entry *entry)
{
    CLEANUP_FREE struct core_ledger *l = malloc(sizeof(*l));
    int fd = l ? core_home_lock(o->home, l) : -1;

    if (fd < 0)
        return;
    core_ledger_record(l, entry);
    core_home_unlock(fd, l);
}

static bool leaves_to_other(const struct core_offer *o)
{
    return o->is_own && *o->config->pattern == '|';
}

static void refuse(struct core_offer *o, const struct crash_facts *f, struct core_entry *entry, const char *why)
{
    struct err e = {0};

    entry->end = CORE_REFUSED;
    record(o, entry);
    log_event(EVENT_CORE_REFUSED, LOG_UINT("pid", (uint64_t)o->crash->pid), LOG_STR("name", f->name),
              LOG_STR("cgroup", f->cgroup), LOG_STR("why", why),
              LOG_STR("left_to", leaves_to_other(o) ? o->config->pattern : NULL));
    if (leaves_to_other(o) && core_chain_become(o->config->pattern, o->crash, f, o->in, &e) < 0)
        log_event(EVENT_FAILED, LOG_STR("path", o->config->pattern), LOG_STR("error", e.msg));
}

static bool is_power_of_two(uint64_t n)
{
    return (n & (n - 1)) == 0;
}

/* The cgroup's bucket. Of a crash loop the first ones are logged, then fewer and fewer. */
static bool admit(struct core_offer *o, const struct crash_facts *f, struct core_entry *entry)
{
    CLEANUP_FREE struct core_ledger *l = calloc(1, sizeof(*l));
    int fd = l ? core_home_lock(o->home, l) : -1;
    uint64_t limited = 0;
    bool yes;

    if (fd < 0)
        return true; /* a folder that can't be written to must not cost a core */
    yes = core_ledger_admit(l, f->owner, o->chosen->rate, clock_wall_ns() / 1000000, &limited);
    entry->end = CORE_LIMITED;
    if (!yes)
        core_ledger_record(l, entry);
    core_home_unlock(fd, l);
    if (limited > 0 && (yes || limited <= FEW || is_power_of_two(limited)))
        log_event(EVENT_CORE_LIMITED, LOG_UINT("pid", (uint64_t)o->crash->pid), LOG_STR("name", f->name),
                  LOG_STR("cgroup", f->cgroup), LOG_UINT("not_read", limited), LOG_STR("limit", "--rate"));
    return yes;
}

static int try_slot(const struct core_offer *o, const struct crash_facts *f)
{
    int fd = core_home_lock(o->home, NULL), slot;

    slot = core_home_slot(o->home, f->owner, (unsigned)o->chosen->rules->at_once);
    if (fd >= 0)
        core_home_unlock(fd, NULL);
    return slot;
}

/* Waits a little: the process of another container must not be lost because this one's is being read. */
static int wait_for_slot(struct core_offer *o, const struct crash_facts *f, struct core_entry *entry)
{
    uint64_t until_ms = clock_mono_ms() + SLOT_WAIT_MS;
    int slot;

    while ((slot = try_slot(o, f)) == -EBUSY && clock_mono_ms() < until_ms)
        clock_sleep_ms(SLOT_POLL_MS);
    if (slot != -EBUSY)
        return slot;
    entry->end = CORE_BUSY;
    record(o, entry);
    log_event(EVENT_CORE_LIMITED, LOG_UINT("pid", (uint64_t)o->crash->pid), LOG_STR("name", f->name),
              LOG_STR("cgroup", f->cgroup), LOG_STR("limit", "--at-once"));
    return slot;
}

/* 0: the kernel knows. */
static int answer(const struct core_offer *o, bool take, const struct crash_facts *f, struct core_entry *entry)
{
    struct err e = {0};
    int r = o->answer ? o->answer(o->ctx, take, &e) : 0;

    if (r == 0)
        return 0;
    entry->end = CORE_LOST;
    text_printable(e.msg, entry->what, sizeof(entry->what));
    log_event(EVENT_CORE_LOST, LOG_UINT("pid", (uint64_t)o->crash->pid), LOG_STR("name", f->name),
              LOG_STR("fault", fault_find(r)->name), LOG_STR("error", e.msg));
    return r;
}

static void take(struct core_offer *o, const struct crash_facts *f, struct core_entry *entry)
{
    struct core_case c = {
        .rules = o->chosen->rules, .crash = o->crash, .facts = f, .home = o->home, .in = TAKE_FD(o->in), .copy = -1};
    struct err e = {0};

    entry->signal = o->crash->signal;
    core_choice_enter(o->chosen);
    log_event(EVENT_CORE_FOUND, LOG_UINT("pid", (uint64_t)o->crash->pid), LOG_STR("name", f->name),
              LOG_STR("thread", f->thread), LOG_UINT("signal", (uint64_t)o->crash->signal),
              LOG_UINT("uid", o->crash->uid), LOG_STR("cgroup", f->cgroup), LOG_BOOL("sensitive", f->sensitive));
    if (o->chosen->rules->chain && leaves_to_other(o) &&
        core_chain_start(o->config->pattern, o->crash, f, &c.copy, &e) < 0)
        log_event(EVENT_FAILED, LOG_STR("path", o->config->pattern), LOG_STR("error", e.msg));
    entry->end = CORE_TAKING;
    record(o, entry);
    core_case_take(&c, entry);
    record(o, entry);
}

/* NULL: the core is wanted. */
static const char *choose(struct core_offer *o, const struct crash_facts *f)
{
    const struct core_subject subject = {f->cgroup, f->name, f->status.uid, o->crash->limit};
    const char *why = NULL;

    o->chosen = core_choose(o->choices, o->choice_count, f, &why);
    return o->chosen ? core_rules_refuse(o->chosen->rules, &subject) : why;
}

static void handle(struct core_offer *o, const struct crash_facts *f, struct core_entry *entry)
{
    const char *why = choose(o, f);

    if (why) {
        refuse(o, f, entry, why);
    } else if (admit(o, f, entry)) {
        CLEANUP_FD int slot = wait_for_slot(o, f, entry);

        if (slot != -EBUSY && answer(o, true, f, entry) == 0)
            take(o, f, entry);
        else if (entry->end == CORE_LOST)
            record(o, entry);
        if (slot != -EBUSY)
            return;
    }
    answer(o, false, f, entry);
}

int core_handle(struct core_offer *o, struct err *e)
{
    CLEANUP(crash_facts_done) struct crash_facts f = {.proc = PROC_NONE};
    struct core_entry entry = {.time_ms = clock_wall_ns() / 1000000,
                               .pid = (uint64_t)o->crash->pid,
                               .signal = o->crash->signal,
                               .end = CORE_LOST};
    int r;

    assert(o->home >= 0 && o->in >= 0 && o->config && o->choices && o->choice_count > 0);
    r = crash_facts_read("/proc", o->crash, &f, e);
    if (r < 0) {
        text_printable(e->msg, entry.what, sizeof(entry.what));
        record(o, &entry);
        log_event(EVENT_CORE_LOST, LOG_UINT("pid", (uint64_t)o->crash->pid), LOG_STR("fault", fault_find(r)->name),
                  LOG_STR("error", e->msg));
    } else {
        snprintf(entry.command, sizeof(entry.command), "%s", f.name);
        snprintf(entry.cgroup, sizeof(entry.cgroup), "%s", f.cgroup);
        entry.sensitive = f.sensitive;
        handle(o, &f, &entry);
    }
    if (o->in >= 0)
        close(TAKE_FD(o->in));
    return r;
}
