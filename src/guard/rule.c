/* SPDX-License-Identifier: Apache-2.0
 *
 * From the verdicts of the conditions to a decision.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "guard/rule_internal.h"

enum {
    UNKNOWN_MS = 60 * 1000,
    EVENT_KEPT_MS = 10 * 1000,
    BUSY_REPORT_MS = 60 * 1000,
    REFUSED_MS = 1000,
    REASON_MAX = 256
};

unsigned rule_psi_windows(const struct rule_policy *p, uint64_t windows_ms[READING_PSI_MAX])
{
    unsigned found = 0;

    for (unsigned i = 0; i < p->count; i++)
        for (unsigned j = 0; j < p->when[i].count; j++) {
            uint64_t window = p->when[i].term[j].window_ms;
            unsigned k = 0;

            while (k < found && windows_ms[k] != window)
                k++;
            if (window > 0 && k == found && found < READING_PSI_MAX)
                windows_ms[found++] = window;
        }
    return found;
}

/* The verdicts of all conditions for a reading, a bit for each. */
struct verdicts {
    unsigned holding;
    unsigned fresh;          /* hold, and have not triggered yet */
    int unknown;             /* a condition that is unknown for a while, and was not reported; -1: none */
    const char *unknown_why; /* which value is missing, and why */
};

/* Held conditions that are false by their margin are released. */
static struct verdicts evaluate_all(struct rule *rule, struct rule_target *t, const struct reading *r, uint64_t now_ms)
{
    struct verdicts all = {.unknown = -1};

    for (unsigned i = 0; i < rule->policy.count; i++) {
        unsigned bit = 1u << i;
        const char *why = NULL;
        enum condition_verdict verdict = condition_evaluate(&rule->policy.when[i], r, t->held & bit, &why);

        if (verdict == CONDITION_UNKNOWN) {
            if (t->unknown_since[i] == 0)
                t->unknown_since[i] = now_ms;
            if (now_ms - t->unknown_since[i] >= UNKNOWN_MS && !(t->unknown_reported & bit) && all.unknown < 0) {
                all.unknown = (int)i;
                all.unknown_why = why;
            }
            continue;
        }
        t->unknown_since[i] = 0;
        if (verdict == CONDITION_FALSE)
            t->held &= ~bit;
        else
            all.holding |= bit;
        if (verdict == CONDITION_TRUE && !(t->held & bit))
            all.fresh |= bit;
    }
    return all;
}

static enum obstacle find_obstacle(struct rule *rule, struct rule_target *t, uint64_t now_ms, uint64_t *ret_until)
{
    struct tenant *tenant = &rule->tenants[t->tenant];

    *ret_until = 0;
    if (t->running > 0)
        return OBSTACLE_RUNNING;
    *ret_until = t->rests_until_ms;
    if (t->rests_until_ms > now_ms)
        return OBSTACLE_RESTING;
    *ret_until = rule_ring_full_until(&t->cases, &rule->policy.per_target, now_ms);
    if (*ret_until > 0)
        return OBSTACLE_CAP;
    *ret_until = rule_ring_full_until(&tenant->cases, &rule->policy.per_tenant, now_ms);
    if (*ret_until > 0)
        return OBSTACLE_TENANT_CAP;
    *ret_until = rule_ring_full_until(&rule->cases, &rule->policy.shared, now_ms);
    if (*ret_until > 0)
        return OBSTACLE_SHARED_CAP;
    if (tenant->running >= rule->policy.at_once ||
        rule->running >= (rule->policy.at_once_all ? rule->policy.at_once_all : rule->policy.at_once))
        return OBSTACLE_BUSY;
    return OBSTACLE_NONE;
}

static void explain_trigger(const struct condition *c, const struct reading *r, char *out)
{
    char condition[CONDITION_TEXT_MAX], values[CONDITION_EXPLAIN_MAX];

    snprintf(out, RULE_WHY_MAX, "%s: %s", condition_print(c, condition), condition_explain(c, r, values));
}

static void explain_cap(const struct rule *rule, enum obstacle obstacle, const char *left, char *out, size_t size)
{
    char cap[RATE_TEXT_MAX];

    switch (obstacle) {
    case OBSTACLE_CAP:
        snprintf(out, size, "its cap of %s is reached: none for another %s", rate_print(&rule->policy.per_target, cap),
                 left);
        break;
    case OBSTACLE_TENANT_CAP:
        snprintf(out, size, "its tenant's cap of %s is reached: none for another %s",
                 rate_print(&rule->policy.per_tenant, cap), left);
        break;
    case OBSTACLE_SHARED_CAP:
        snprintf(out, size, "the shared cap of %s is reached: none for another %s",
                 rate_print(&rule->policy.shared, cap), left);
        break;
    case OBSTACLE_RESTING:
        snprintf(out, size, "the cool-down after the last case goes on for another %s", left);
        break;
    case OBSTACLE_BUSY:
        snprintf(out, size, "%u case%s being made already: this one has to wait", rule->running,
                 rule->running == 1 ? " is" : "s are");
        break;
    case OBSTACLE_NONE:
    case OBSTACLE_RUNNING:
        break;
    }
}

static void explain_wait(const struct rule *rule, const struct condition *c, enum obstacle obstacle, uint64_t left_ms,
                         char *out)
{
    char condition[CONDITION_TEXT_MAX], left[TEXT_DURATION_MAX], why[REASON_MAX] = "";

    text_format_duration(left_ms / 1000 + (left_ms % 1000 > 0), left);
    explain_cap(rule, obstacle, left, why, sizeof(why));
    snprintf(out, RULE_WHY_MAX, "%s holds, but %s", condition_print(c, condition), why);
}

static void explain_unknown(const struct condition *c, const char *why, char *out)
{
    char condition[CONDITION_TEXT_MAX];

    snprintf(out, RULE_WHY_MAX, "%s is unknown: %s", condition_print(c, condition), why);
}

static void trigger(struct rule *rule, struct rule_target *t, unsigned holding, const struct reading *r,
                    uint64_t now_ms)
{
    struct tenant *tenant = &rule->tenants[t->tenant];

    t->triggered = holding & ~t->held;
    t->triggered_events = r->events.known ? r->events.value : 0;
    t->triggered_tenant = t->tenant;
    rule_ring_add(&tenant->cases, &rule->policy.per_tenant, now_ms);
    tenant->running++;
    rule_ring_add(&t->cases, &rule->policy.per_target, now_ms);
    rule_ring_add(&rule->cases, &rule->policy.shared, now_ms);
    t->running++;
    rule->running++;
    t->held |= holding;
    t->reported = OBSTACLE_NONE;
    t->events = 0;
}

/* Remembers an event while only other cases stand in its way. */
static void keep_events(struct rule_target *t, const struct reading *r, enum obstacle obstacle, uint64_t now_ms)
{
    if (obstacle != OBSTACLE_BUSY) {
        t->events = 0;
    } else if (r->events.known && r->events.value & ~t->events) {
        t->events |= r->events.value;
        t->events_until_ms = rule_later(now_ms, EVENT_KEPT_MS);
    }
}

static struct reading with_kept_events(struct rule_target *t, const struct reading *r, uint64_t now_ms)
{
    struct reading all = *r;

    if (t->events != 0 && now_ms >= t->events_until_ms)
        t->events = 0;
    if (t->events != 0)
        all.events = reading_known(t->events | (r->events.known ? r->events.value : 0));
    return all;
}

static void wait_for(struct rule *rule, struct rule_target *t, enum obstacle obstacle, uint64_t until,
                     struct rule_decision *d)
{
    uint64_t now_ms = rule->now_ms;

    d->answer = RULE_WAIT;
    d->until_ms = until;
    if (obstacle == OBSTACLE_RUNNING || (obstacle == t->reported && now_ms < t->reported_until_ms))
        return;
    t->reported = obstacle;
    t->reported_until_ms = until > 0 ? until : rule_later(now_ms, BUSY_REPORT_MS);
    d->report = true;
    explain_wait(rule, &rule->policy.when[d->condition], obstacle, until > 0 ? until - now_ms : 0, d->why);
}

/* Some condition holds that has not triggered. */
static void decide(struct rule *rule, struct rule_target *t, const struct reading *r, const struct verdicts *v,
                   struct rule_decision *d)
{
    uint64_t until;
    enum obstacle obstacle = find_obstacle(rule, t, rule->now_ms, &until);

    d->condition = (unsigned)__builtin_ctz(v->fresh);
    if (obstacle != OBSTACLE_NONE) {
        keep_events(t, r, obstacle, rule->now_ms);
        wait_for(rule, t, obstacle, until, d);
        return;
    }
    d->answer = RULE_TRIGGER;
    d->report = true;
    explain_trigger(&rule->policy.when[d->condition], r, d->why);
    trigger(rule, t, v->holding, r, rule->now_ms);
}

void rule_evaluate(struct rule *rule, int target, const struct reading *r, uint64_t now_ms, struct rule_decision *ret)
{
    struct rule_target *t = rule_target_at(rule, target);
    struct rule_decision d = {.answer = RULE_QUIET};
    struct reading all;
    struct verdicts v;

    now_ms = rule_tick(rule, now_ms);
    all = with_kept_events(t, r, now_ms);
    v = evaluate_all(rule, t, &all, now_ms);
    if (v.fresh != 0 && now_ms < t->refused_until_ms) {
        d.answer = RULE_WAIT;
        d.until_ms = t->refused_until_ms;
        keep_events(t, r, OBSTACLE_BUSY, now_ms);
    } else if (v.fresh != 0) {
        decide(rule, t, &all, &v, &d);
    } else if (v.unknown >= 0) {
        t->unknown_reported |= 1u << v.unknown;
        d.answer = RULE_UNKNOWN;
        d.report = true;
        d.condition = (unsigned)v.unknown;
        explain_unknown(&rule->policy.when[v.unknown], v.unknown_why, d.why);
    }
    *ret = d;
}

bool rule_would_trigger(struct rule *rule, int target, const struct reading *r, uint64_t now_ms)
{
    struct rule_target *t = rule_target_at(rule, target);
    struct reading all;

    now_ms = rule_tick(rule, now_ms);
    if (t->running > 0 || t->rests_until_ms > now_ms || t->refused_until_ms > now_ms)
        return false;
    all = with_kept_events(t, r, now_ms);
    for (unsigned i = 0; i < rule->policy.count; i++)
        if (!(t->held & 1u << i) && condition_evaluate(&rule->policy.when[i], &all, false, NULL) == CONDITION_TRUE)
            return true;
    return false;
}

static void end(struct rule *rule, struct rule_target *t, bool made)
{
    t->running--;
    rule->tenants[t->triggered_tenant].running--;
    rule->running--;
    if (!made)
        rule_forget_case(rule, t);
}

void rule_refused(struct rule *rule, int target, uint64_t now_ms)
{
    struct rule_target *t = rule_target_at(rule, target);

    now_ms = rule_tick(rule, now_ms);
    if (t->running == 0)
        return;
    end(rule, t, false);
    t->held &= ~t->triggered;
    t->events |= t->triggered_events;
    t->events_until_ms = rule_later(now_ms, EVENT_KEPT_MS);
    t->refused_until_ms = rule_later(now_ms, REFUSED_MS);
}

void rule_done(struct rule *rule, int target, bool made, uint64_t now_ms)
{
    struct rule_target *t = rule_target_at(rule, target);

    now_ms = rule_tick(rule, now_ms);
    if (t->running == 0)
        return;
    end(rule, t, made);
    t->rests_until_ms = rule_later(now_ms, rule->policy.cooldown_ms);
}
