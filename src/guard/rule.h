/* SPDX-License-Identifier: Apache-2.0
 *
 * When a case is made: several conditions (one is enough), for many targets. A condition that has triggered must be
 * false by a margin before it triggers again; a target has a cool-down after a case; cases are capped per target, per
 * tenant and in all, and only a few are made at the same time, because they use processor and disk. Only decides: reads
 * nothing, starts nothing, has no clock (now_ms is monotonic; a time before the last one counts as the last one).
 *
 * All memory is allocated at the start. guard/case_history.h stores what is needed after a restart (rule_restore).
 *
 * The default conditions, and why. A dump is worth the JVM's pause only if the process would die without it. A share
 * of the limit does not predict that: a JVM's heap grows to its maximum and stays there, and a well-sized container
 * is at 90 % for weeks. Growth does: the limit is near if at the present speed it is reached before the evidence is
 * made (oom-in<=dump; growth of a heap within its maximum is not counted, guard/reading.h). The second is for slow
 * leaks, whose last moments are lost in the noise of the speed, and where the time for a dump is unknown: almost
 * full, and full within a minute. Both leave out what the kernel reclaims before it kills, clean file pages: `need`,
 * not `memory`.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rate.h"
#include "guard/condition.h"

/* As an option's default: split at blanks. */
#define RULE_DEFAULT_WHEN "oom-in<=dump need>=95%,oom-in<=1m"

enum {
    RULE_CONDITIONS_MAX = 8,
    RULE_KEY_MAX = 256,
    RULE_TARGETS_MAX = 4096,
    RULE_TENANTS_MAX = 128,
    RULE_TENANT_MAX = 80,
    RULE_WHY_MAX = 1200
};

struct rule_policy {
    struct condition when[RULE_CONDITIONS_MAX];
    unsigned count;
    uint64_t cooldown_ms;
    struct rate per_target, per_tenant, shared; /* count 0: no cap; shared: the sum of all tenants */
    unsigned at_once;                           /* cases of one tenant; 0 stands for 1 */
    unsigned at_once_all;                       /* 0: no more than each tenant's */
    unsigned targets;                           /* how many targets are remembered, also those that have left */
};

struct rule;

/* 0, -EINVAL (no conditions, more than the maxima), -ENOMEM. The policy is copied. */
int rule_new(const struct rule_policy *p, struct rule **ret);
void rule_free(struct rule *rule);

/* The psi windows of the conditions, each once; returns how many (at most READING_PSI_MAX: the value of further ones
 * is never known). */
unsigned rule_psi_windows(const struct rule_policy *p, uint64_t windows_ms[READING_PSI_MAX]);

/* A target appears. key is the part of its identity that stays when it restarts (guard/target_key.h): its cases and
 * cool-down are found under it. Each appearance is ended by rule_leave. Returns the target's number, or
 * -ENAMETOOLONG, -ENOSPC: too many. A target that has left is forgotten only if there is no room, the one that left
 * first goes first. */
int rule_join(struct rule *rule, const char *key, uint64_t now_ms);
void rule_leave(struct rule *rule, int target, uint64_t now_ms);

/* Sets the target's tenant: caps per tenant keep one tenant's cases from using up those of others. "" before. Beyond
 * RULE_TENANTS_MAX tenants with cases, further ones share one entry. */
void rule_tenant(struct rule *rule, int target, const char *tenant);

enum rule_answer {
    RULE_QUIET,   /* nothing to do */
    RULE_TRIGGER, /* make a case; call rule_done when it has ended */
    RULE_WAIT,    /* a condition holds, but the case has to wait: until until_ms, if that is known */
    RULE_UNKNOWN  /* a condition was unknown for a minute, and nothing else has to be reported */
};

struct rule_decision {
    enum rule_answer answer;
    bool report;            /* report it: TRIGGER always, WAIT and UNKNOWN the first time */
    unsigned condition;     /* index of the first condition that holds, or is unknown */
    uint64_t until_ms;      /* WAIT: 0 if not known */
    char why[RULE_WHY_MAX]; /* one line if report is true, else "" */
};

/* Evaluates a target's reading. An event for which no case could be begun at once is remembered for some seconds:
 * the kernel counts it only once. */
void rule_evaluate(struct rule *rule, int target, const struct reading *r, uint64_t now_ms, struct rule_decision *ret);

/* Whether rule_evaluate would trigger for this reading, apart from caps and other running cases: time to read stale
 * values again. */
bool rule_would_trigger(struct rule *rule, int target, const struct reading *r, uint64_t now_ms);

/* The case that RULE_TRIGGER asked for has ended; the target may have left. made: false if nothing was stored; the
 * case then does not count for the caps, but the target has its cool-down. */
void rule_done(struct rule *rule, int target, bool made, uint64_t now_ms);

/* The case that RULE_TRIGGER asked for could not be begun (no process, no memory): as if it had not triggered,
 * except that it does not trigger again within a second. Its event is remembered. */
void rule_refused(struct rule *rule, int target, uint64_t now_ms);

/* Restores what an earlier guard did, in its order, before anything else; at_ms is by the present clock. A case
 * without a known end counts, and its cool-down began with it. What exceeds the memory is left out. */
enum rule_past { RULE_BEGUN, RULE_MADE, RULE_FAILED, RULE_REFUSED };
void rule_restore(struct rule *rule, const char *key, const char *tenant, enum rule_past what, uint64_t at_ms);

/* The key of a target, and the tenant of its last case. */
void rule_names(const struct rule *rule, int target, char key[RULE_KEY_MAX], char tenant[RULE_TENANT_MAX]);

/* How long a case matters: the longest of the cool-down and the times of the caps. */
uint64_t rule_horizon_ms(const struct rule *rule);
