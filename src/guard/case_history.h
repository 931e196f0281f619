/* SPDX-License-Identifier: Apache-2.0
 *
 * The cases of the past, kept across restarts and crashes of a guard: STATE/guard/cases, one line for each case that
 * was begun and one for how it ended (guard/case_line.h). They are restored into the rules, so that cool-downs and caps
 * continue. A line is one write(2) without a sync: it survives our death, and after a crash of the machine no cool-down
 * is needed.
 */
#pragma once

#include "guard/case_line.h"
#include "guard/rule.h"
#include "linux/bootid.h"

struct case_history {
    int dir; /* STATE/guard; -1: there is no history */
    char boot[BOOTID_MAX];
    struct rule *rule;
    uint64_t horizon_ms; /* older lines do not matter any more */
    bool failed;         /* the last line could not be written */
};

#define CASE_HISTORY_NONE                                                                                              \
    {                                                                                                                  \
        .dir = -1                                                                                                      \
    }

/* Restores the history into the rule, which is borrowed. state NULL: there is no history. -FAULT_STATE if the folder
 * cannot be used. */
int case_history_open(struct case_history *ret, const char *state, struct rule *rule, uint64_t now_ms, struct err *e);

/* Adds a line for a target, given by its number in the rule. 0; -errno for the first failure, then 0 until a line
 * could be written again. */
int case_history_add(struct case_history *h, int target, enum rule_past what, uint64_t now_ms, struct err *e);

void case_history_done(struct case_history *h);
