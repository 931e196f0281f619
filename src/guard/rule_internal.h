/* SPDX-License-Identifier: Apache-2.0
 *
 * The state behind guard/rule.h: rule.c decides, rule_slots.c stores.
 */
#pragma once

#include "guard/rule.h"

/* Why a case has to wait; the first that applies is reported. */
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

struct rule_target {
    char key[RULE_KEY_MAX];
    unsigned present;                  /* appearances: the new container may come before the old one has left */
    unsigned running;                  /* cases; never more than 1 */
    unsigned tenant, triggered_tenant; /* at present, and of its last case */
    uint64_t left_ms;
    uint64_t rests_until_ms;
    struct ring cases;
    enum obstacle reported; /* not reported again before reported_until_ms, even if the condition changes meanwhile */
    uint64_t reported_until_ms;
    unsigned held, unknown_reported;             /* bit by condition */
    uint64_t unknown_since[RULE_CONDITIONS_MAX]; /* 0: the condition is known */
    uint64_t events_until_ms;
    int64_t events;
    unsigned triggered; /* the conditions and events of the running case */
    int64_t triggered_events;
    uint64_t refused_until_ms;
};

struct rule {
    struct rule_policy policy;
    uint64_t now_ms;
    unsigned running;
    struct ring cases;
    struct tenant tenants[RULE_TENANTS_MAX]; /* the first is for targets without a tenant */
    unsigned tenant_count;
    uint64_t *rings; /* owned; all of them */
    unsigned used;   /* slots that were ever used: the first of targets */
    struct rule_target targets[];
};

/* By the number that rule_join returned. */
struct rule_target *rule_target_at(struct rule *rule, int target);

/* now_ms + by_ms, at most UINT64_MAX. */
uint64_t rule_later(uint64_t now_ms, uint64_t by_ms);

/* The rule's clock: never goes back; starts at 1, as 0 stands for never. */
uint64_t rule_tick(struct rule *rule, uint64_t now_ms);

/* Until when the ring is full; 0: it is not. */
uint64_t rule_ring_full_until(struct ring *ring, const struct rate *rate, uint64_t now_ms);
void rule_ring_add(struct ring *ring, const struct rate *rate, uint64_t now_ms);

/* The target's last case did not happen: removes it from all rings. */
void rule_forget_case(struct rule *rule, struct rule_target *t);
