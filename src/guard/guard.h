/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop of a guard: looks at its targets as often as each needs it, has the rules judge, and starts a case, a
 * process of its own that does all the work. Waits in epoll_wait(2); touches no JVM and no store. Everything it needs
 * while memory is short is there before: the targets of --all, which come and go, are the only thing that it allocates
 * later.
 */
#pragma once

#include <stdbool.h>

#include "guard/limit_override.h"
#include "guard/target_set.h"

struct guard_config {
    const struct whoami *self;
    struct rule_policy rules;
    uint64_t dump_rate; /* bytes a second; 0: as the last dump was */
    bool core;          /* cores are taken: of what is no JVM, too */
    struct target_selection selection;
    char *const *case_args;   /* of a case: what follows "salvage guard-case PID NAME WHY ID TIME ABOUT" */
    char *const *attach_args; /* of the process that attaches to JVMs early; NULL: none */
    struct limit_override_policy override;
    const char *state; /* folder: what outlives a restart; NULL: nothing does */
};

/* Runs until SIGTERM or SIGINT, or until the last target is gone (not with all). 0, or the error of its start. */
int guard_run(const struct guard_config *c, struct err *e);
