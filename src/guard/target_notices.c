/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel's notices of a target: which are opened, and what one of them means. Part of guard/target.h.
 */
#include <assert.h>
#include <errno.h>

#include "guard/target.h"

enum { PRESSURE_MS = 2000 }; /* v1 sends no notice when pressure ends */

static bool asks_for_pressure(const struct rule_policy *rules, int64_t level)
{
    for (unsigned i = 0; i < rules->count; i++)
        for (unsigned k = 0; k < rules->when[i].count; k++)
            if (rules->when[i].term[k].what == CONDITION_PRESSURE && (int64_t)rules->when[i].term[k].value == level)
                return true;
    return false;
}

/* A kind that does not work on this machine is replaced by polling. */
static void open_notice(struct target *t, const struct memsignal_ops *ops, const struct memsignal_want *want,
                        int64_t level)
{
    if (t->signals == TARGET_SIGNALS_MAX || memsignal_open(ops, &t->memcg, want, &t->signal[t->signals], NULL) < 0)
        return;
    t->notice[t->signals] = (struct target_notice){t, t->signals};
    t->level[t->signals++] = level;
}

enum usage_notice { AT_THRESHOLD, AHEAD_OF_IT, AT_HALF, AT_THREE_QUARTERS };

/* At how many bytes a notice is wanted; 0: none. The notice ahead of a threshold is for thresholds below half of the
 * limit: above, the notice at half comes first. */
static uint64_t notice_at(const struct target_policy *p, const struct memcg_sample *s, enum usage_notice what)
{
    uint64_t next = target_next_threshold(p->rules, s), at = next == UINT64_MAX ? 0 : s->own_used + next, before;

    if (what == AT_THRESHOLD)
        return at;
    if (s->limit == UINT64_MAX)
        return 0;
    if (what != AHEAD_OF_IT)
        return what == AT_HALF ? s->limit / 2 : s->limit / 4 * 3;
    before = at > target_ahead(s->limit) ? at - target_ahead(s->limit) : 0;
    return before > s->usage && before < s->limit / 2 ? before : 0;
}

static void open_usage_notice(const struct target_policy *p, struct target *t, enum usage_notice what, uint64_t now_ms)
{
    struct memsignal_want want = {0};
    struct memcg_sample s;
    unsigned before = t->signals;

    if (memcg_sample(&t->memcg, now_ms, &s) < 0 || (want.usage_bytes = notice_at(p, &s, what)) == 0)
        return;
    open_notice(t, &MEMSIGNAL_V1_USAGE, &want, 0);
    if (what == AT_THRESHOLD)
        t->notice_threshold = want.usage_bytes;
    t->usage_noticed |= t->signals > before && s.level == 0;
    t->notice_limit = s.limit;
}

static void open_pressure_notice(const struct target_policy *p, struct target *t, int64_t level)
{
    struct memsignal_want want = {.level = (enum memsignal_level)(level - READING_LOW)};

    if (asks_for_pressure(p->rules, level))
        open_notice(t, &MEMSIGNAL_V1_PRESSURE, &want, level);
}

static struct target_psi *find_psi(struct target *t, uint64_t window_ms)
{
    for (unsigned i = 0; i < READING_PSI_MAX && t->psi[i].window_ms; i++)
        if (t->psi[i].window_ms == window_ms)
            return &t->psi[i];
    return NULL;
}

/* For the cgroup's own stalls. Those of the machine are the same for all targets, and are sampled. */
static void open_stall_notice(struct target *t, const struct condition_term *term)
{
    struct target_psi *psi = find_psi(t, term->window_ms);
    struct memsignal_want want = {.full = term->what == CONDITION_PSI_FULL};
    unsigned k = t->signals;

    if (!t->memcg.v2 || !psi || term->window_ms > UINT32_MAX / 1000)
        return;
    want.window_us = (uint32_t)term->window_ms * 1000;
    want.stall_us = (uint32_t)((double)want.window_us * (double)term->value / READING_WHOLE);
    open_notice(t, &MEMSIGNAL_PSI, &want, 0);
    if (t->signals > k)
        t->stall[k] = (struct target_stall){psi, want.full, (int64_t)term->value};
}

static void open_stall_notices(const struct rule_policy *rules, struct target *t)
{
    for (unsigned i = 0; i < rules->count; i++)
        for (unsigned k = 0; k < rules->when[i].count; k++) {
            const struct condition_term *term = &rules->when[i].term[k];

            if (term->what == CONDITION_PSI_SOME || term->what == CONDITION_PSI_FULL)
                open_stall_notice(t, term);
        }
}

/* Notices of what polling would find late or at a higher cost: a usage threshold, an OOM, pressure, stalls. */
bool target_open_notice(const struct target_policy *p, struct target *t, uint64_t now_ms)
{
    static const struct memsignal_want nothing = {0};

    switch (t->notices_tried++) {
    case 0:
        open_notice(t, &MEMSIGNAL_V1_OOM, &nothing, 0);
        open_notice(t, &MEMSIGNAL_V2_EVENTS, &nothing, 0);
        return true;
    case 1:
        open_usage_notice(p, t, AT_THRESHOLD, now_ms);
        return true;
    case 2:
        open_usage_notice(p, t, AHEAD_OF_IT, now_ms);
        return true;
    case 3:
        open_usage_notice(p, t, AT_HALF, now_ms);
        return true;
    case 4:
        open_usage_notice(p, t, AT_THREE_QUARTERS, now_ms);
        return true;
    case 5:
        for (int64_t level = READING_LOW; level <= READING_CRITICAL; level++)
            open_pressure_notice(p, t, level);
        open_stall_notices(p->rules, t);
        break;
    default:
        break;
    }
    return false;
}

static void note_stall(const struct target_stall *s, uint64_t now_ms)
{
    int64_t *noticed = s->full ? &s->psi->noticed_full : &s->psi->noticed_some;

    if (now_ms >= s->psi->noticed_until_ms)
        s->psi->noticed_some = s->psi->noticed_full = 0;
    *noticed = s->share > *noticed ? s->share : *noticed;
    s->psi->noticed_until_ms = now_ms + s->psi->window_ms;
}

int target_read_notice(struct target *t, unsigned i, uint64_t now_ms)
{
    struct memsignal_event event = {0};
    int r;

    assert(i < t->signals);
    r = memsignal_read(&t->signal[i], &event);
    if (r < 0)
        return r;
    if (event.what & MEMSIGNAL_PRESSURE && (now_ms >= t->pressure_until_ms || t->level[i] >= t->pressure)) {
        t->pressure = t->level[i];
        t->pressure_until_ms = now_ms + PRESSURE_MS;
    }
    if (event.what & MEMSIGNAL_STALL)
        note_stall(&t->stall[i], now_ms);
    if (event.what & MEMSIGNAL_OOM)
        t->counting_until_ms = now_ms + TARGET_COUNTING_MS;
    t->noticed = true;
    t->arrived |= event.what ? 1u << i : 0;
    t->due_ms = now_ms;
    return event.what & MEMSIGNAL_GONE ? -ENODEV : 0;
}
