/* SPDX-License-Identifier: Apache-2.0
 *
 * A target is a slot that outlives its appearances. Times of past cases stand in rings as long as the cap: the oldest
 * of them says when there is room again.
 */
#include "guard/rule.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { BLIND_MS = 60 * 1000, EVENT_KEPT_MS = 10 * 1000, BUSY_SAID_MS = 60 * 1000, REFUSED_MS = 1000 };

/* Why a case has to wait; in this order of what is said. */
enum obstacle {
    OBSTACLE_NONE,
    OBSTACLE_RUNNING,
    OBSTACLE_RESTING,
    OBSTACLE_CAP,
    OBSTACLE_TENANT_CAP,
    OBSTACLE_SHARED_CAP,
    OBSTACLE_BUSY
};

/* The times of the last `rate.count` cases. */
struct ring {
    uint64_t *at_ms;
    unsigned first, count;
};

struct tenant {
    char name[RULE_TENANT_MAX];
    unsigned running;
    struct ring cases;
};

struct target {
    char key[RULE_KEY_MAX];
    unsigned present;              /* appearances: an old one may not have left when the new one comes */
    unsigned running;              /* cases; more than 1 never */
    unsigned tenant, fired_tenant; /* now, and when it fired */
    uint64_t left_ms;
    uint64_t rests_until_ms;
    struct ring cases;
    enum obstacle said; /* and until when that needs no repeating, though the condition comes and goes */
    uint64_t said_until_ms;
    unsigned held, blind_said;                 /* bit by condition */
    uint64_t blind_since[RULE_CONDITIONS_MAX]; /* 0: it can be judged */
    uint64_t events_until_ms;
    int64_t events;
    unsigned fired; /* conditions and events that the running case was of */
    int64_t fired_events;
    uint64_t refused_until_ms;
};

struct rule {
    struct rule_policy policy;
    uint64_t now_ms;
    unsigned running;
    struct ring cases;
    struct tenant tenants[RULE_TENANTS_MAX]; /* the first is nobody's in particular */
    unsigned tenant_count;
    uint64_t *rings; /* owned; all of them */
    unsigned used;   /* slots that have ever been used: those before it */
    struct target targets[];
};

static uint64_t later(uint64_t now_ms, uint64_t by_ms)
{
    uint64_t sum;

    return __builtin_add_overflow(now_ms, by_ms, &sum) ? UINT64_MAX : sum;
}

/* From 1 on: 0 stands for never. */
static uint64_t tick(struct rule *rule, uint64_t now_ms)
{
    if (now_ms > rule->now_ms)
        rule->now_ms = now_ms;
    return rule->now_ms;
}

int rule_new(const struct rule_policy *p, struct rule **ret)
{
    struct rule *rule;
    size_t shared;

    if (p->count == 0 || p->count > RULE_CONDITIONS_MAX || p->targets == 0 || p->targets > RULE_TARGETS_MAX ||
        p->per_target.count > RATE_COUNT_MAX || p->shared.count > RATE_COUNT_MAX ||
        p->per_tenant.count > RATE_COUNT_MAX)
        return -EINVAL;
    rule = calloc(1, sizeof(*rule) + p->targets * sizeof(rule->targets[0]));
    if (!rule)
        return -ENOMEM;
    shared = (size_t)p->targets * p->per_target.count;
    rule->rings =
        calloc(shared + p->shared.count + (size_t)RULE_TENANTS_MAX * p->per_tenant.count + 1, sizeof(uint64_t));
    if (!rule->rings) {
        free(rule);
        return -ENOMEM;
    }
    rule->policy = *p;
    if (rule->policy.at_once == 0)
        rule->policy.at_once = 1;
    rule->now_ms = 1;
    rule->cases.at_ms = rule->rings + shared;
    for (size_t i = 0; i < RULE_TENANTS_MAX; i++)
        rule->tenants[i].cases.at_ms = rule->rings + shared + p->shared.count + i * p->per_tenant.count;
    rule->tenant_count = 1;
    *ret = rule;
    return 0;
}

void rule_free(struct rule *rule)
{
    if (!rule)
        return;
    free(rule->rings);
    free(rule);
}

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

static void ring_forget(struct ring *ring, const struct rate *rate, uint64_t now_ms)
{
    while (ring->count > 0 && now_ms - ring->at_ms[ring->first] >= rate->per_ms) {
        ring->first = (ring->first + 1) % rate->count;
        ring->count--;
    }
}

/* When there is room for another: 0 at once. */
static uint64_t ring_full_until(struct ring *ring, const struct rate *rate, uint64_t now_ms)
{
    ring_forget(ring, rate, now_ms);
    return rate->count > 0 && ring->count == rate->count ? later(ring->at_ms[ring->first], rate->per_ms) : 0;
}

static void ring_add(struct ring *ring, const struct rate *rate, uint64_t now_ms)
{
    if (rate->count == 0)
        return;
    ring->at_ms[(ring->first + ring->count) % rate->count] = now_ms;
    ring->count++;
}

/* Takes the last one back. Which of several running ones it was makes little difference. */
static void ring_remove(struct ring *ring)
{
    if (ring->count > 0)
        ring->count--;
}

static struct target *find(struct rule *rule, const char *key)
{
    for (unsigned i = 0; i < rule->used; i++)
        if (text_eq(rule->targets[i].key, key))
            return &rule->targets[i];
    return NULL;
}

/* A slot that nobody needs: one with nothing to remember, or the one that has been gone the longest. */
static struct target *find_room(struct rule *rule, uint64_t now_ms)
{
    struct target *oldest = NULL;

    if (rule->used < rule->policy.targets)
        return &rule->targets[rule->used++];
    for (unsigned i = 0; i < rule->used; i++) {
        struct target *t = &rule->targets[i];

        if (t->present > 0 || t->running > 0)
            continue;
        ring_forget(&t->cases, &rule->policy.per_target, now_ms);
        if (t->cases.count == 0 && t->rests_until_ms <= now_ms)
            return t;
        if (!oldest || t->left_ms < oldest->left_ms)
            oldest = t;
    }
    return oldest;
}

int rule_join(struct rule *rule, const char *key, uint64_t now_ms)
{
    struct target *t;

    if (strlen(key) >= RULE_KEY_MAX)
        return -ENAMETOOLONG;
    now_ms = tick(rule, now_ms);
    t = find(rule, key);
    if (!t) {
        size_t ring;

        t = find_room(rule, now_ms);
        if (!t)
            return -ENOSPC;
        /* Not before: a page of the table that nobody has touched is no memory. */
        ring = (size_t)(t - rule->targets) * rule->policy.per_target.count;
        *t = (struct target){.cases.at_ms = rule->rings + ring};
        memcpy(t->key, key, strlen(key) + 1);
    }
    t->present++;
    /* Another container: what held of the one before says nothing of this one. */
    t->held = t->blind_said = 0;
    t->said = OBSTACLE_NONE;
    t->events = 0;
    memset(t->blind_since, 0, sizeof(t->blind_since));
    return (int)(t - rule->targets);
}

/* One with nothing to remember; 0 without. */
static unsigned find_tenant_room(struct rule *rule)
{
    if (rule->tenant_count < RULE_TENANTS_MAX)
        return rule->tenant_count++;
    for (unsigned i = 1; i < RULE_TENANTS_MAX; i++) {
        struct tenant *t = &rule->tenants[i];
        bool used = t->running > 0;

        ring_forget(&t->cases, &rule->policy.per_tenant, rule->now_ms);
        for (unsigned k = 0; k < rule->used && !used; k++)
            used = rule->targets[k].present > 0 && rule->targets[k].tenant == i;
        if (!used && t->cases.count == 0)
            return i;
    }
    return 0;
}

void rule_tenant(struct rule *rule, int target, const char *tenant)
{
    char name[RULE_TENANT_MAX];
    unsigned i = 0;

    snprintf(name, sizeof(name), "%s", tenant);
    while (i < rule->tenant_count && !text_eq(rule->tenants[i].name, name))
        i++;
    if (i == rule->tenant_count && (i = find_tenant_room(rule)) > 0)
        memcpy(rule->tenants[i].name, name, sizeof(name));
    rule->targets[target].tenant = i;
}

void rule_leave(struct rule *rule, int target, uint64_t now_ms)
{
    struct target *t = &rule->targets[target];

    t->left_ms = tick(rule, now_ms);
    if (t->present > 0)
        t->present--;
}

/* Bits of the conditions that hold and have not fired; held ones that are false by their margin are let go. */
static unsigned judge_all(struct rule *rule, struct target *t, const struct reading *r, uint64_t now_ms,
                          unsigned *ret_holding, int *ret_blind, const char **ret_why)
{
    unsigned fresh = 0, holding = 0;

    for (unsigned i = 0; i < rule->policy.count; i++) {
        unsigned bit = 1u << i;
        const char *why = NULL;
        enum condition_verdict verdict = condition_evaluate(&rule->policy.when[i], r, t->held & bit, &why);

        if (verdict == CONDITION_UNKNOWN) {
            if (t->blind_since[i] == 0)
                t->blind_since[i] = now_ms;
            if (now_ms - t->blind_since[i] >= BLIND_MS && !(t->blind_said & bit) && *ret_blind < 0) {
                *ret_blind = (int)i;
                *ret_why = why;
            }
            continue;
        }
        t->blind_since[i] = 0;
        if (verdict == CONDITION_FALSE)
            t->held &= ~bit;
        else
            holding |= bit;
        if (verdict == CONDITION_TRUE && !(t->held & bit))
            fresh |= bit;
    }
    *ret_holding = holding;
    return fresh;
}

static enum obstacle find_obstacle(struct rule *rule, struct target *t, uint64_t now_ms, uint64_t *ret_until)
{
    struct tenant *tenant = &rule->tenants[t->tenant];

    *ret_until = 0;
    if (t->running > 0)
        return OBSTACLE_RUNNING;
    *ret_until = t->rests_until_ms;
    if (t->rests_until_ms > now_ms)
        return OBSTACLE_RESTING;
    *ret_until = ring_full_until(&t->cases, &rule->policy.per_target, now_ms);
    if (*ret_until > 0)
        return OBSTACLE_CAP;
    *ret_until = ring_full_until(&tenant->cases, &rule->policy.per_tenant, now_ms);
    if (*ret_until > 0)
        return OBSTACLE_TENANT_CAP;
    *ret_until = ring_full_until(&rule->cases, &rule->policy.shared, now_ms);
    if (*ret_until > 0)
        return OBSTACLE_SHARED_CAP;
    if (tenant->running >= rule->policy.at_once ||
        rule->running >= (rule->policy.at_once_all ? rule->policy.at_once_all : rule->policy.at_once))
        return OBSTACLE_BUSY;
    return OBSTACLE_NONE;
}

static void say_fire(const struct condition *c, const struct reading *r, char *out)
{
    char condition[CONDITION_TEXT_MAX], values[CONDITION_EXPLAIN_MAX];

    snprintf(out, RULE_WHY_MAX, "%s: %s", condition_print(c, condition), condition_explain(c, r, values));
}

static void say_wait(const struct rule *rule, const struct condition *c, enum obstacle obstacle, uint64_t left_ms,
                     char *out)
{
    const struct rate *rate = obstacle == OBSTACLE_CAP          ? &rule->policy.per_target
                              : obstacle == OBSTACLE_TENANT_CAP ? &rule->policy.per_tenant
                                                                : &rule->policy.shared;
    char condition[CONDITION_TEXT_MAX], left[TEXT_DURATION_MAX], cap[RATE_TEXT_MAX];

    condition_print(c, condition);
    text_format_duration(left_ms / 1000 + (left_ms % 1000 > 0), left);
    rate_print(rate, cap);
    if (obstacle == OBSTACLE_RESTING)
        snprintf(out, RULE_WHY_MAX, "%s holds, but the last case is not long ago: none for another %s", condition,
                 left);
    else if (obstacle == OBSTACLE_BUSY)
        snprintf(out, RULE_WHY_MAX, "%s holds, but %u case%s being made already: this one has to wait", condition,
                 rule->running, rule->running == 1 ? " is" : "s are");
    else if (obstacle == OBSTACLE_CAP || obstacle == OBSTACLE_TENANT_CAP || obstacle == OBSTACLE_SHARED_CAP)
        snprintf(out, RULE_WHY_MAX, "%s holds, but %s cap of %s is reached: none for another %s", condition,
                 obstacle == OBSTACLE_CAP          ? "its"
                 : obstacle == OBSTACLE_TENANT_CAP ? "its tenant's"
                                                   : "the shared",
                 cap, left);
}

static void say_blind(const struct condition *c, const char *why, char *out)
{
    char condition[CONDITION_TEXT_MAX];

    snprintf(out, RULE_WHY_MAX, "%s can't be judged: %s", condition_print(c, condition), why);
}

static void fire(struct rule *rule, struct target *t, unsigned holding, const struct reading *r, uint64_t now_ms)
{
    struct tenant *tenant = &rule->tenants[t->tenant];

    t->fired = holding & ~t->held;
    t->fired_events = r->events.known ? r->events.value : 0;
    t->fired_tenant = t->tenant;
    ring_add(&tenant->cases, &rule->policy.per_tenant, now_ms);
    tenant->running++;
    ring_add(&t->cases, &rule->policy.per_target, now_ms);
    ring_add(&rule->cases, &rule->policy.shared, now_ms);
    t->running++;
    rule->running++;
    t->held |= holding;
    t->said = OBSTACLE_NONE;
    t->events = 0;
}

/* Keeps an event for as long as only others stand in its way. */
static void keep_events(struct target *t, const struct reading *r, enum obstacle obstacle, uint64_t now_ms)
{
    if (obstacle != OBSTACLE_BUSY) {
        t->events = 0;
    } else if (r->events.known && r->events.value & ~t->events) {
        t->events |= r->events.value;
        t->events_until_ms = later(now_ms, EVENT_KEPT_MS);
    }
}

static struct reading with_kept_events(struct target *t, const struct reading *r, uint64_t now_ms)
{
    struct reading all = *r;

    if (t->events != 0 && now_ms >= t->events_until_ms)
        t->events = 0;
    if (t->events != 0)
        all.events = reading_known(t->events | (r->events.known ? r->events.value : 0));
    return all;
}

static void put_off(struct rule *rule, struct target *t, const struct reading *r, enum obstacle obstacle,
                    uint64_t until, struct rule_decision *d)
{
    uint64_t now_ms = rule->now_ms;

    d->answer = RULE_WAIT;
    d->until_ms = until;
    keep_events(t, r, obstacle, now_ms);
    if (obstacle == OBSTACLE_RUNNING || (obstacle == t->said && now_ms < t->said_until_ms))
        return;
    t->said = obstacle;
    t->said_until_ms = until > 0 ? until : later(now_ms, BUSY_SAID_MS);
    d->say = true;
    say_wait(rule, &rule->policy.when[d->condition], obstacle, until > 0 ? until - now_ms : 0, d->why);
}

void rule_judge(struct rule *rule, int target, const struct reading *r, uint64_t now_ms, struct rule_decision *ret)
{
    struct target *t = &rule->targets[target];
    struct rule_decision d = {.answer = RULE_QUIET};
    unsigned fresh, holding;
    const char *why = NULL;
    struct reading all;
    int blind = -1;

    now_ms = tick(rule, now_ms);
    all = with_kept_events(t, r, now_ms);
    fresh = judge_all(rule, t, &all, now_ms, &holding, &blind, &why);
    if (fresh != 0 && now_ms < t->refused_until_ms) {
        d.answer = RULE_WAIT;
        d.until_ms = t->refused_until_ms;
        keep_events(t, r, OBSTACLE_BUSY, now_ms);
    } else if (fresh != 0) {
        uint64_t until;
        enum obstacle obstacle = find_obstacle(rule, t, now_ms, &until);

        d.condition = (unsigned)__builtin_ctz(fresh);
        if (obstacle == OBSTACLE_NONE) {
            d.answer = RULE_FIRE;
            d.say = true;
            say_fire(&rule->policy.when[d.condition], &all, d.why);
            fire(rule, t, holding, &all, now_ms);
        } else {
            put_off(rule, t, &all, obstacle, until, &d);
        }
    } else if (blind >= 0) {
        t->blind_said |= 1u << blind;
        d.answer = RULE_BLIND;
        d.say = true;
        d.condition = (unsigned)blind;
        say_blind(&rule->policy.when[blind], why, d.why);
    }
    *ret = d;
}

bool rule_would_fire(struct rule *rule, int target, const struct reading *r, uint64_t now_ms)
{
    struct target *t = &rule->targets[target];
    struct reading all;

    now_ms = tick(rule, now_ms);
    if (t->running > 0 || t->rests_until_ms > now_ms || t->refused_until_ms > now_ms)
        return false;
    all = with_kept_events(t, r, now_ms);
    for (unsigned i = 0; i < rule->policy.count; i++)
        if (!(t->held & 1u << i) && condition_evaluate(&rule->policy.when[i], &all, false, NULL) == CONDITION_TRUE)
            return true;
    return false;
}

static void forget_case(struct rule *rule, struct target *t)
{
    ring_remove(&t->cases);
    ring_remove(&rule->tenants[t->fired_tenant].cases);
    ring_remove(&rule->cases);
}

static void end(struct rule *rule, struct target *t, bool made)
{
    t->running--;
    rule->tenants[t->fired_tenant].running--;
    rule->running--;
    if (!made)
        forget_case(rule, t);
}

void rule_refused(struct rule *rule, int target, uint64_t now_ms)
{
    struct target *t = &rule->targets[target];

    now_ms = tick(rule, now_ms);
    if (t->running == 0)
        return;
    end(rule, t, false);
    t->held &= ~t->fired;
    t->events |= t->fired_events;
    t->events_until_ms = later(now_ms, EVENT_KEPT_MS);
    t->refused_until_ms = later(now_ms, REFUSED_MS);
}

void rule_done(struct rule *rule, int target, bool made, uint64_t now_ms)
{
    struct target *t = &rule->targets[target];

    now_ms = tick(rule, now_ms);
    if (t->running == 0)
        return;
    end(rule, t, made);
    t->rests_until_ms = later(now_ms, rule->policy.cooldown_ms);
}

/* With more cases than the cap of today allows the latest ones count. */
static void ring_restore(struct ring *ring, const struct rate *rate, uint64_t at_ms)
{
    if (rate->count > 0 && ring->count == rate->count) {
        ring->first = (ring->first + 1) % rate->count;
        ring->count--;
    }
    ring_add(ring, rate, at_ms);
}

void rule_restore(struct rule *rule, const char *key, const char *tenant, enum rule_past what, uint64_t at_ms)
{
    int number = rule_join(rule, key, at_ms);
    struct target *t;

    if (number < 0)
        return;
    rule_leave(rule, number, at_ms);
    t = &rule->targets[number];
    if (what == RULE_BEGUN) {
        rule_tenant(rule, number, tenant);
        t->fired_tenant = t->tenant;
        ring_restore(&t->cases, &rule->policy.per_target, at_ms);
        ring_restore(&rule->tenants[t->tenant].cases, &rule->policy.per_tenant, at_ms);
        ring_restore(&rule->cases, &rule->policy.shared, at_ms);
    } else if (what != RULE_MADE) {
        forget_case(rule, t);
    }
    t->rests_until_ms = what == RULE_REFUSED ? 0 : later(at_ms, rule->policy.cooldown_ms);
}

void rule_names(const struct rule *rule, int target, char key[RULE_KEY_MAX], char tenant[RULE_TENANT_MAX])
{
    const struct target *t = &rule->targets[target];

    memcpy(key, t->key, RULE_KEY_MAX);
    memcpy(tenant, rule->tenants[t->fired_tenant].name, RULE_TENANT_MAX);
}

unsigned rule_running(const struct rule *rule)
{
    return rule->running;
}
