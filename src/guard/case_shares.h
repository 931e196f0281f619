/* SPDX-License-Identifier: Apache-2.0
 *
 * What the guards of an agent have in common, by a folder (--share): how many cases take evidence at the same time, and
 * the caps of a tenant and of all. Each guard applies the limits of its own policy to what all of them did.
 *
 *   DIR/slot.N   locked (flock(2)) by the process of a case while it takes evidence; the tenant's name is in it. The
 *                kernel releases it however the process ends
 *   DIR/cases    the cases of the last days (guard/case_line.h)
 *   DIR/lock     locked while a guard decides
 */
#pragma once

#include "guard/rule.h"
#include "linux/bootid.h"

enum { CASE_SHARES_WHY_MAX = 160 };

struct case_shares {
    int dir; /* -1: nothing is shared */
    char boot[BOOTID_MAX];
    const struct rule_policy *policy; /* at_once, at_once_all, per_tenant, shared; borrowed */
};

#define CASE_SHARES_NONE                                                                                               \
    {                                                                                                                  \
        .dir = -1                                                                                                      \
    }

/* folder NULL: nothing is shared. -FAULT_STATE: it can't be made, or others could write to it. */
int case_shares_open(struct case_shares *ret, const char *folder, const struct rule_policy *policy, struct err *e);

/* A case of a target (its key and tenant as in rule_names) may begin: 0. *ret_slot: its slot, to be inherited by the
 * case's process and closed by us; -1 where nothing is shared. -EBUSY: a limit is reached, ret_why says which; other
 * -errno: the folder is of no use now, and the case may begin. */
int case_shares_begin(const struct case_shares *s, const char *key, const char *tenant, int *ret_slot,
                      char ret_why[CASE_SHARES_WHY_MAX]);

/* Nothing was stored: it does not count for the caps. */
void case_shares_undo(const struct case_shares *s, const char *key, const char *tenant);

void case_shares_done(struct case_shares *s);
