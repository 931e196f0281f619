/* SPDX-License-Identifier: Apache-2.0
 *
 * Polls a cgroup.
 */
#include "guard/target.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "base/mem.h"
#include "guard/target_key.h"
#include "linux/largest_process.h"

enum {
    VICTIM_AGAIN_MS = 5000,
    COUNTING_SOON_MS = 50, /* usually the kernel counts at once, and a moment later the cgroup may be gone */
    COUNTING_STEP_MS = 20,
    TOGETHER_MS = 500, /* polls that are rare are made together */
    NOTICED_MS = 50,   /* after a notice */
    AHEAD_MIN = 8 << 20,
    NOISE_DIVISOR = 32, /* of the limit, a second: apparent growth while a file is written */
    STALE_DIVISOR = 64, /* of the limit: a sample that was wrong by this much */
    FAR_MS = 5000,      /* between polls while the kernel sends a notice when usage rises */
    MOVING_MS = 20      /* after a poll during a collection */
};

/* --- which process --------------------------------------------------------------------------------------------------
 */

uint64_t target_kills(struct target *t)
{
    struct cgroup_events now;

    if (memcg_events(&t->memcg, false, &now) == 0)
        t->seen.oom_kill = now.oom_kill;
    return t->seen.oom_kill;
}

pid_t target_victim(const struct target *t)
{
    return t->given_pid ? t->given_pid : largest_process(t->memcg.fd);
}

void target_restrict_to(struct target *t, pid_t pid)
{
    assert(pid > 0);
    t->given_pid = pid;
    proc_open("/proc", pid, &t->given);
    target_key_of_given(pid, t->key); /* one container may have several */
}

bool target_has_ended(const struct target *t)
{
    struct proc_status status;

    return t->given_pid && (t->given.fd < 0 || proc_status(&t->given, &status) == -ESRCH);
}

const char *target_tenant(struct target *t, char out[RULE_TENANT_MAX])
{
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    pid_t pid = target_victim(t);
    struct proc_status status;

    last_known_process(&t->last, pid);
    if (t->last.who.namespace)
        snprintf(out, RULE_TENANT_MAX, "namespace %s", t->last.who.namespace);
    else if (pid && proc_open("/proc", pid, &p) == 0 && proc_status(&p, &status) == 0)
        snprintf(out, RULE_TENANT_MAX, "uid %u", (unsigned)status.uid);
    else
        out[0] = '\0';
    return out;
}

/* --- the cgroup -----------------------------------------------------------------------------------------------------
 */

static struct reading_value bytes(uint64_t value, const char *why)
{
    return value > INT64_MAX ? reading_unknown(why) : reading_known((int64_t)value);
}

static void read_events(struct target *t, struct reading *r)
{
    struct cgroup_events now = {0};
    int64_t bits = 0;

    if (memcg_events(&t->memcg, false, &now) < 0) {
        r->events = reading_unknown("the kernel does not count");
        return;
    }
    if (t->counted) {
        bits |= now.high > t->seen.high ? READING_HIGH : 0;
        bits |= now.max > t->seen.max ? READING_MAX : 0;
        bits |= now.oom > t->seen.oom ? READING_OOM : 0;
        bits |= now.oom_kill > t->seen.oom_kill ? READING_OOM_KILL : 0;
        bits |= now.oom_group_kill > t->seen.oom_group_kill ? READING_OOM_GROUP_KILL : 0;
    }
    t->seen = now;
    t->counted = true;
    r->events = reading_known(bits);
}

static struct reading_value at_least(struct reading_value v, int64_t noticed)
{
    return noticed > 0 && (!v.known || v.value < noticed) ? reading_known(noticed) : v;
}

/* Stalls over each window that a condition names; a window's share is that of the last complete one. */
static void read_psi(struct target *t, uint64_t now_ms, struct reading *r)
{
    struct psi psi;
    bool machine;
    int got = t->psi[0].window_ms ? memcg_pressure(&t->memcg, &psi, &machine) : -ENOENT;

    for (unsigned i = 0; i < READING_PSI_MAX && t->psi[i].window_ms; i++) {
        struct target_psi *w = &t->psi[i];

        r->psi[i].window_ms = w->window_ms;
        if (got < 0) {
            r->psi[i].some = r->psi[i].full = reading_unknown("no pressure files");
            continue;
        }
        if (w->at_ms && now_ms - w->at_ms >= w->window_ms) {
            uint64_t us = (now_ms - w->at_ms) * 1000;

            w->some = reading_known((int64_t)(psi_share(w->some_us, psi.some.total_us, us) * READING_WHOLE));
            w->full = reading_known((int64_t)(psi_share(w->full_us, psi.full.total_us, us) * READING_WHOLE));
        }
        if (!w->at_ms || now_ms - w->at_ms >= w->window_ms) {
            w->at_ms = now_ms;
            w->some_us = psi.some.total_us;
            w->full_us = psi.full.total_us;
        }
        r->psi[i].some = at_least(w->some, now_ms < w->noticed_until_ms ? w->noticed_some : 0);
        r->psi[i].full = at_least(w->full, now_ms < w->noticed_until_ms ? w->noticed_full : 0);
    }
}

/* For a term that names an amount of memory: the used bytes that it is compared with, and its threshold in bytes.
 * False: another kind of term, or there is no limit. */
static bool memory_threshold(const struct condition_term *t, const struct memcg_sample *s, uint64_t *ret_used,
                             uint64_t *ret_at)
{
    uint64_t limit = t->what == CONDITION_NEED ? s->needed_limit : s->limit;

    switch (t->what) {
    case CONDITION_SIZE:
        *ret_used = s->own_used;
        *ret_at = t->value;
        return true;
    case CONDITION_NEED:
    case CONDITION_MEMORY:
        *ret_used = t->what == CONDITION_NEED ? s->needed : s->used;
        *ret_at = (uint64_t)((double)limit / READING_WHOLE * (double)t->value);
        return limit != UINT64_MAX;
    default:
        return false;
    }
}

uint64_t target_next_threshold(const struct rule_policy *rules, const struct memcg_sample *s)
{
    uint64_t next = UINT64_MAX, used, at;

    for (unsigned i = 0; i < rules->count; i++)
        for (unsigned k = 0; k < rules->when[i].count; k++)
            if (memory_threshold(&rules->when[i].term[k], s, &used, &at) && at > used && at - used < next)
                next = at - used;
    return next;
}

static bool asks_for(const struct rule_policy *rules, enum condition_what what)
{
    for (unsigned i = 0; i < rules->count; i++)
        for (unsigned k = 0; k < rules->when[i].count; k++)
            if (rules->when[i].term[k].what == what)
                return true;
    return false;
}

static void read_jvm(const struct target_policy *p, struct target *t, bool wanted, uint64_t now_ms, struct reading *r)
{
    if (!wanted) {
        target_jvm_skip(&t->jvm, r);
        return;
    }
    if (target_jvm_wants_pid(&t->jvm, now_ms))
        target_jvm_try(&t->jvm, target_victim(t), now_ms);
    target_jvm_read(&t->jvm, &t->memcg, p->dump_rate, now_ms, r);
}

/* Less than half is used: the JVM's values do not matter yet. */
static bool is_far(const struct memcg_sample *s)
{
    return s->room != UINT64_MAX && s->room > s->limit / 2;
}

uint64_t target_ahead(uint64_t limit)
{
    return limit / 16 > AHEAD_MIN ? limit / 16 : AHEAD_MIN;
}

/* Whether a notice will come before the next event that matters: half of the limit is used, or the nearest threshold
 * is reached. Notices were set up for the limit at that time, and compare with usage, which includes more than the
 * used bytes here. */
static bool notice_will_come(const struct target_policy *p, const struct target *t, const struct memcg_sample *s)
{
    uint64_t next = target_next_threshold(p->rules, s), at = s->own_used + next;

    if (!t->usage_noticed || s->level != 0 || s->limit != t->notice_limit)
        return false;
    return next == UINT64_MAX || at >= s->limit / 2 ||
           (at == t->notice_threshold && at > s->usage + target_ahead(s->limit));
}

static uint64_t next_poll(const struct target_policy *p, const struct target *t, const struct memcg_sample *s)
{
    /* The kernel counts in batches: between two of them nothing seems to grow. */
    double latest = growth_latest(&t->growth_total), trend = growth_speed(&t->growth_total);
    uint64_t pace;

    if (is_far(s) && !t->psi[0].window_ms && notice_will_come(p, t, s))
        return FAR_MS;
    pace = pace_ms(s->limit, s->room, target_next_threshold(p->rules, s), latest > trend ? latest : trend);
    if (t->jvm.native.moving && pace > MOVING_MS)
        return MOVING_MS;
    /* After a notice the present growth is unknown until the next poll. */
    return t->noticed && pace > NOTICED_MS ? NOTICED_MS : pace;
}

/* A value that grows as memory comes near its limit, whichever level has that limit. */
static int64_t firm_bytes(const struct memcg_sample *s)
{
    return s->firm_room == UINT64_MAX ? (int64_t)s->own_firm : -(int64_t)s->firm_room;
}

/* The kernel writes dirty pages back before it kills, but a leak may not leave the disk the time. Where almost
 * nothing else grows, the dirty pages are a file that is being written. */
static uint64_t room_beside_files(const struct memcg_sample *s, int64_t growth)
{
    uint64_t firm_room = s->firm_room < s->needed_limit ? s->firm_room : s->needed_limit;

    return growth > 0 && (uint64_t)growth > s->needed_limit / NOISE_DIVISOR ? s->room : firm_room;
}

static void read_memory(struct target *t, const struct memcg_sample *s, struct reading *r)
{
    uint64_t room;

    r->own = bytes(s->own_used, "too large");
    r->used = bytes(s->used, "too large");
    r->limit = bytes(s->limit, "no limit");
    r->firm = bytes(s->own_firm, "too large");
    r->growth = reading_known((int64_t)growth_speed(&t->growth_firm));
    if (s->room == UINT64_MAX || s->needed_limit == 0) {
        r->need = r->room = reading_unknown("no limit");
        return;
    }
    room = room_beside_files(s, r->growth.value);
    r->need = reading_known((int64_t)((1 - (double)room / (double)s->needed_limit) * READING_WHOLE));
    r->room = bytes(room + s->swap_room, "too large");
}

int target_confirm(struct target *t, uint64_t now_ms, struct reading *r)
{
    int64_t before = t->growth_firm.bytes, now, by;
    struct memcg_sample s;
    int result;

    memcg_forget_stat(&t->memcg);
    if ((result = memcg_sample(&t->memcg, now_ms, &s)) < 0)
        return result;
    now = firm_bytes(&s);
    by = now > before ? now - before : before - now;
    /* The measured growth was partly cache: the speed is unknown. */
    if (s.needed_limit != UINT64_MAX && (uint64_t)by > s.needed_limit / STALE_DIVISOR) {
        t->growth_firm = (struct growth){0};
        growth_add(&t->growth_firm, now_ms, now);
    }
    read_memory(t, &s, r);
    return 0;
}

static void read_threads(const struct target_policy *p, struct target *t, uint64_t now_ms, struct reading *r)
{
    if (asks_for(p->rules, CONDITION_THREADS))
        target_threads_read(&t->threads, now_ms < t->threads.due_ms ? 0 : target_victim(t), now_ms, r);
}

/* Sets when to poll again: sooner while a kill may still be counted. */
static void schedule(const struct target_policy *p, struct target *t, const struct memcg_sample *s,
                     const struct reading *r, uint64_t now_ms)
{
    t->due_ms = now_ms + next_poll(p, t, s);
    if (t->due_ms - now_ms >= 2UL * TOGETHER_MS)
        t->due_ms -= t->due_ms % TOGETHER_MS;
    if (asks_for(p->rules, CONDITION_THREADS) && t->threads.due_ms < t->due_ms)
        t->due_ms = t->threads.due_ms;
    if (r->events.known && r->events.value & READING_OOM_KILL)
        t->counting_until_ms = 0;
    if ((t->noticed = now_ms < t->counting_until_ms)) {
        uint64_t step = t->counting_until_ms - now_ms > TARGET_COUNTING_MS - COUNTING_SOON_MS ? 1 : COUNTING_STEP_MS;

        t->due_ms = t->due_ms < now_ms + step ? t->due_ms : now_ms + step;
    }
}

int target_poll(const struct target_policy *p, struct target *t, uint64_t now_ms, struct reading *ret)
{
    struct reading r = {0};
    struct memcg_sample s;
    int result = memcg_sample(&t->memcg, now_ms, &s);

    if (result < 0)
        return result;
    growth_add(&t->growth_total, now_ms, s.room == UINT64_MAX ? (int64_t)s.own_used : -(int64_t)s.room);
    growth_add(&t->growth_firm, now_ms, firm_bytes(&s));
    read_memory(t, &s, &r);
    r.pressure = reading_known(now_ms < t->pressure_until_ms ? t->pressure : READING_CALM);
    /* The counters rise only with a signal. */
    if (t->noticed || !t->counted || !t->usage_noticed || !is_far(&s))
        read_events(t, &r);
    else
        r.events = reading_known(0);
    read_psi(t, now_ms, &r);
    read_jvm(p, t, !is_far(&s) || asks_for(p->rules, CONDITION_HEAP) || asks_for(p->rules, CONDITION_GC), now_ms, &r);
    read_threads(p, t, now_ms, &r);
    last_known_memory(&t->last, &t->memcg, &s, now_ms);
    if (!is_far(&s) && now_ms >= t->victim_at_ms) {
        last_known_process(&t->last, target_victim(t));
        t->victim_at_ms = now_ms + VICTIM_AGAIN_MS;
    }
    if (p->core && !r.dump_ms.known)
        r.dump_ms = reading_dump_ms(s.own_firm, p->dump_rate);
    schedule(p, t, &s, &r, now_ms);
    *ret = r;
    return 0;
}
