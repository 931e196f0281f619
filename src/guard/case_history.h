/* SPDX-License-Identifier: Apache-2.0
 *
 * What a guard remembers over its own end, however it ends: STATE/guard/cases, a line for each case that was begun and
 * for how it ended (guard/case_line.h). A rule takes it up again, so that the rest after a case and the caps go on. A
 * line is one write(2), without a sync: it outlives us, and memory that a machine's crash has emptied needs no rest.
 */
#pragma once

#include "guard/case_line.h"
#include "guard/rule.h"
#include "linux/bootid.h"

struct case_history {
    int dir; /* STATE/guard; -1: nothing is remembered */
    char boot[BOOTID_MAX];
    uint64_t horizon_ms; /* older lines say nothing any more */
    bool failed;         /* the last line could not be written */
};

#define CASE_HISTORY_NONE                                                                                              \
    {                                                                                                                  \
        .dir = -1                                                                                                      \
    }

/* Reads what is there into the rule. state NULL: nothing is remembered. -FAULT_STATE if the folder can't be used. */
int case_history_open(struct case_history *ret, const char *state, const struct rule_policy *policy, struct rule *rule,
                      uint64_t now_ms, struct err *e);

/* Of a target's number. 0; -errno once, until a line can be written again. */
int case_history_add(struct case_history *h, const struct rule *rule, int target, enum rule_past what, uint64_t now_ms,
                     struct err *e);

void case_history_done(struct case_history *h);
