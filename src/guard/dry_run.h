/* SPDX-License-Identifier: Apache-2.0
 *
 * `guard --dry-run`: evaluates the rules of a guard on live targets, and shows each condition's present value, which
 * rules trigger and what a case would do. Takes no evidence, attaches to no JVM, changes no limit, needs no store
 * and has no state. A case that would be made counts as complete at once: cool-down and caps continue from there.
 */
#pragma once

#include "guard/action.h"
#include "guard/target_set.h"

enum dry_run_format {
    DRY_RUN_TABLE, /* on a terminal: redrawn in place */
    DRY_RUN_LINES, /* a line for each change of a target */
    DRY_RUN_JSON   /* one object per line, for each sample of a target */
};

struct dry_run_config {
    struct target_selection selection;
    struct rule_policy rules;
    const struct actions *actions;
    bool core;            /* cores are among the actions */
    uint64_t dump_rate;   /* bytes a second; 0: a guess */
    uint64_t lend;        /* bytes by which limits would be raised; 0: they would not be */
    uint64_t hold_ms;     /* how long the process would be held; 0: not held */
    uint64_t interval_ms; /* between samples; never 0 */
    uint64_t for_ms;      /* ends after that; 0: ends with the last target or by a signal */
    enum dry_run_format format;
    bool colours; /* of a table */
    int (*write)(const char *text, size_t size, struct err *e);
};

/* Runs until SIGINT, SIGTERM or SIGHUP, until for_ms is over, or until the last target is gone (not with all). 0, or
 * the error of its start or of writing. */
int dry_run(const struct dry_run_config *c, struct err *e);
