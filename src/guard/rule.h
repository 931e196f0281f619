/* SPDX-License-Identifier: Apache-2.0
 *
 * When a case is made: several conditions (one is enough), for many targets. A condition that has fired must have been
 * false by a margin before it fires again; a target rests for a while after a case; cases are capped, per target and
 * for all of them together, and only so many are made at once, for they take processor and disk from everybody. Decides
 * only: reads nothing, starts nothing, keeps no time of its own (now_ms is monotonic; a clock that goes back stands
 * still).
 *
 * All memory is taken at the start. Nothing is kept on disk here: guard/case_history.h does, and has it taken up again
 * (rule_restore).
 *
 * What the default asks for, and why. A dump is worth its pause only if the process would die without it. A share of
 * the limit doesn't say so: a JVM's heap fills up to its maximum and stays there, and a steady 90 % is how a
 * well-measured container looks for weeks. Growth does: the limit is near if, at the present speed, it is reached
 * sooner than the evidence is made (oom-in<=dump; a heap within its maximum is not counted, guard/reading.h). For
 * slow leaks, whose last moments are lost in the noise of the speed, the second: nearly full, and full within a minute.
 * Both leave out what the kernel drops before it kills, clean pages of files: `need`, not `memory`.
 * That one also serves where nothing says what a dump takes.
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
    unsigned at_once;                           /* of one tenant; 0 stands for 1 */
    unsigned at_once_all;                       /* 0: no more than each tenant's */
    unsigned targets;                           /* how many are remembered, those that have gone included */
};

struct rule;

/* 0, -EINVAL (no conditions, more than the maxima), -ENOMEM. The policy is copied. */
int rule_new(const struct rule_policy *p, struct rule **ret);
void rule_free(struct rule *rule);

/* The windows of psi that the conditions ask for, each once; returns how many (at most READING_PSI_MAX: what is beyond
 * is never known). */
unsigned rule_psi_windows(const struct rule_policy *p, uint64_t windows_ms[READING_PSI_MAX]);

/* A target appears. key is what stays when it restarts (pod's uid and container's name, not the container's id): under
 * it, its cases and its rest are found again. Each appearance is ended by rule_leave. Returns the target's number, or
 * -ENAMETOOLONG, -ENOSPC: there are as many as can be remembered. One that has gone is forgotten only for want of
 * room, the longest gone first. */
int rule_join(struct rule *rule, const char *key, uint64_t now_ms);
void rule_leave(struct rule *rule, int target, uint64_t now_ms);

/* The tenant that the target belongs to from now on: one tenant's cases don't use up what others may have. "" before.
 * With more than RULE_TENANTS_MAX that have cases, further ones share one place. */
void rule_tenant(struct rule *rule, int target, const char *tenant);

enum rule_answer {
    RULE_QUIET,   /* nothing to do */
    RULE_TRIGGER, /* make a case: rule_done when it is made */
    RULE_WAIT,    /* a condition holds, but not now: until_ms says from when on, if that is known */
    RULE_UNKNOWN  /* a condition could not be judged for a minute; only where nothing else is to be said */
};

struct rule_decision {
    enum rule_answer answer;
    bool say;               /* WAIT and BLIND: not said before. FIRE: always */
    unsigned condition;     /* index into the policy's: the first that holds, or that can't be judged */
    uint64_t until_ms;      /* WAIT: 0 if it is not known */
    char why[RULE_WHY_MAX]; /* one line; where say is true, else "" */
};

/* Judges a target's reading. An event for which there was no room at once is remembered for some seconds: the kernel
 * tells it only once. */
void rule_evaluate(struct rule *rule, int target, const struct reading *r, uint64_t now_ms, struct rule_decision *ret);

/* Whether rule_evaluate would fire for this reading, but for others that run: time to read again what may be stale. */
bool rule_would_trigger(struct rule *rule, int target, const struct reading *r, uint64_t now_ms);

/* The case that RULE_TRIGGER asked for has ended, may the target have left or not. made: false if nothing came of it;
 * it then doesn't count for the caps, but the target rests all the same. */
void rule_done(struct rule *rule, int target, bool made, uint64_t now_ms);

/* The case that RULE_TRIGGER asked for could not be begun (no process, no memory): as if it had not fired, but for a
 * second in which it does not fire again. Its event is kept, as for one that has to wait. */
void rule_refused(struct rule *rule, int target, uint64_t now_ms);

/* What an earlier run did, restored in its order before anything else, with its times by today's clock. A case of which
 * nothing more is known counts, and its rest began with it. More than can be remembered is left out. */
enum rule_past { RULE_BEGUN, RULE_MADE, RULE_FAILED, RULE_REFUSED };
void rule_restore(struct rule *rule, const char *key, const char *tenant, enum rule_past what, uint64_t at_ms);

/* Of a target: under which key, and for which tenant, its last case was made. */
void rule_names(const struct rule *rule, int target, char key[RULE_KEY_MAX], char tenant[RULE_TENANT_MAX]);

/* How long a case matters: the longest of the cool-down and the times of the caps. */
uint64_t rule_horizon_ms(const struct rule *rule);

/* Cases that are being made. */
unsigned rule_running(const struct rule *rule);
