/* SPDX-License-Identifier: Apache-2.0
 *
 * A target's slot outlives its appearances. The times of past cases are in rings with the cap's size: the oldest
 * entry says when there is room again.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "guard/rule_internal.h"

uint64_t rule_later(uint64_t now_ms, uint64_t by_ms)
{
    uint64_t sum;

    return __builtin_add_overflow(now_ms, by_ms, &sum) ? UINT64_MAX : sum;
}

uint64_t rule_tick(struct rule *rule, uint64_t now_ms)
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

/* --- rings ----------------------------------------------------------------------------------------------------------
 */

static void ring_forget(struct ring *ring, const struct rate *rate, uint64_t now_ms)
{
    while (ring->count > 0 && now_ms - ring->at_ms[ring->first] >= rate->per_ms) {
        ring->first = (ring->first + 1) % rate->count;
        ring->count--;
    }
}

uint64_t rule_ring_full_until(struct ring *ring, const struct rate *rate, uint64_t now_ms)
{
    ring_forget(ring, rate, now_ms);
    return rate->count > 0 && ring->count == rate->count ? rule_later(ring->at_ms[ring->first], rate->per_ms) : 0;
}

void rule_ring_add(struct ring *ring, const struct rate *rate, uint64_t now_ms)
{
    if (rate->count == 0)
        return;
    ring->at_ms[(ring->first + ring->count) % rate->count] = now_ms;
    ring->count++;
}

/* Removes the last entry. If several cases run, it may be that of another one, which makes little difference. */
static void ring_remove(struct ring *ring)
{
    if (ring->count > 0)
        ring->count--;
}

void rule_forget_case(struct rule *rule, struct rule_target *t)
{
    ring_remove(&t->cases);
    ring_remove(&rule->tenants[t->triggered_tenant].cases);
    ring_remove(&rule->cases);
}

/* --- targets and tenants --------------------------------------------------------------------------------------------
 */

struct rule_target *rule_target_at(struct rule *rule, int target)
{
    assert(target >= 0 && (unsigned)target < rule->used);
    return &rule->targets[target];
}

static struct rule_target *find(struct rule *rule, const char *key)
{
    for (unsigned i = 0; i < rule->used; i++)
        if (text_eq(rule->targets[i].key, key))
            return &rule->targets[i];
    return NULL;
}

/* A slot to reuse: one without history, or that of the target that left first. */
static struct rule_target *find_room(struct rule *rule, uint64_t now_ms)
{
    struct rule_target *oldest = NULL;

    if (rule->used < rule->policy.targets)
        return &rule->targets[rule->used++];
    for (unsigned i = 0; i < rule->used; i++) {
        struct rule_target *t = &rule->targets[i];

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
    struct rule_target *t;

    if (strlen(key) >= RULE_KEY_MAX)
        return -ENAMETOOLONG;
    now_ms = rule_tick(rule, now_ms);
    t = find(rule, key);
    if (!t) {
        size_t ring;

        t = find_room(rule, now_ms);
        if (!t)
            return -ENOSPC;
        /* Set here and not before: an untouched page of the table uses no memory. */
        ring = (size_t)(t - rule->targets) * rule->policy.per_target.count;
        *t = (struct rule_target){.cases.at_ms = rule->rings + ring};
        memcpy(t->key, key, strlen(key) + 1);
    }
    t->present++;
    /* A new container: what held for the old one does not hold for this one. */
    t->held = t->unknown_reported = 0;
    t->reported = OBSTACLE_NONE;
    t->events = 0;
    memset(t->unknown_since, 0, sizeof(t->unknown_since));
    return (int)(t - rule->targets);
}

/* An entry without history; 0: there is none. */
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
    rule_target_at(rule, target)->tenant = i;
}

void rule_leave(struct rule *rule, int target, uint64_t now_ms)
{
    struct rule_target *t = rule_target_at(rule, target);

    t->left_ms = rule_tick(rule, now_ms);
    if (t->present > 0)
        t->present--;
}

/* If the cap is lower than it was, the latest cases count. */
static void ring_restore(struct ring *ring, const struct rate *rate, uint64_t at_ms)
{
    if (rate->count > 0 && ring->count == rate->count) {
        ring->first = (ring->first + 1) % rate->count;
        ring->count--;
    }
    rule_ring_add(ring, rate, at_ms);
}

void rule_restore(struct rule *rule, const char *key, const char *tenant, enum rule_past what, uint64_t at_ms)
{
    int number = rule_join(rule, key, at_ms);
    struct rule_target *t;

    if (number < 0)
        return;
    rule_leave(rule, number, at_ms);
    t = &rule->targets[number];
    if (what == RULE_BEGUN) {
        rule_tenant(rule, number, tenant);
        t->triggered_tenant = t->tenant;
        ring_restore(&t->cases, &rule->policy.per_target, at_ms);
        ring_restore(&rule->tenants[t->tenant].cases, &rule->policy.per_tenant, at_ms);
        ring_restore(&rule->cases, &rule->policy.shared, at_ms);
    } else if (what != RULE_MADE) {
        rule_forget_case(rule, t);
    }
    t->rests_until_ms = what == RULE_REFUSED ? 0 : rule_later(at_ms, rule->policy.cooldown_ms);
}

void rule_names(const struct rule *rule, int target, char key[RULE_KEY_MAX], char tenant[RULE_TENANT_MAX])
{
    const struct rule_target *t = &rule->targets[target];

    assert(target >= 0 && (unsigned)target < rule->used);
    memcpy(key, t->key, RULE_KEY_MAX);
    memcpy(tenant, rule->tenants[t->triggered_tenant].name, RULE_TENANT_MAX);
}

uint64_t rule_horizon_ms(const struct rule *rule)
{
    const struct rule_policy *p = &rule->policy;
    const struct rate *rates[] = {&p->per_target, &p->per_tenant, &p->shared};
    uint64_t ms = p->cooldown_ms;

    for (size_t i = 0; i < ARRAY_SIZE(rates); i++)
        if (rates[i]->count > 0 && rates[i]->per_ms > ms)
            ms = rates[i]->per_ms;
    return ms;
}
