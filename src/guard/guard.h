/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop of a guard: polls each target as often as it needs, evaluates the rules, and starts a process for each case,
 * which does all the work. Waits in epoll_wait(2) only; touches no JVM and no store. Allocates what it needs before
 * memory is short; only targets of --all, which come and go, are allocated later.
 */
#pragma once

#include <stdbool.h>

#include "guard/case_shares.h"
#include "guard/limit_override.h"
#include "guard/target_set.h"

struct guard_config {
    const struct whoami *self;
    struct rule_policy rules;
    uint64_t dump_rate; /* bytes a second; 0: that of the last dump */
    int bandwidth;      /* descriptor of what cases share of --bandwidth; borrowed; 0: none */
    const char *share;  /* folder of guard/case_shares.h; NULL: none */
    bool core;          /* the actions take a core: oom-in<=dump then works without a JVM, too */
    bool kills_only;    /* report kills; the rules are not evaluated */
    struct target_selection selection;
    char *const *case_args;     /* the guard's own, behind the request of a case (guard/case_request.h) */
    char *const *attach_args;   /* of the process that attaches to JVMs early; NULL: none */
    char *const *notifier_args; /* of the process that delivers notices; NULL: there are none */
    struct limit_override_policy override;
    const char *state; /* folder of the history, which outlives a restart (guard/case_history.h); NULL: none */
};

/* Runs until SIGTERM or SIGINT, or until the last target is gone (not with all). 0, or -errno if it can't start. */
int guard_run(const struct guard_config *c, struct err *e);
