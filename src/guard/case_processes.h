/* SPDX-License-Identifier: Apache-2.0
 *
 * The cases of a guard: each is a process of its own (`salvage guard-case`) that does all the work. Starts these
 * processes, changes limits for as long as each runs (guard/limit_override.h), and records how they end; the loop
 * waits for children and calls case_processes_reap.
 */
#pragma once

#include "guard/limit_override.h"
#include "guard/target.h"
#include "hotspot/dumpspeed.h"
#include "place/whoami.h"

enum { CASE_PROCESSES_MAX = 16 };

struct case_process {
    pid_t child; /* 0: a free slot */
    int target;  /* the rule's number */
    uint64_t begun_ms;
    uint64_t restorer; /* of the limits that were changed for it; 0: none */
    char name[TARGET_NAME_MAX];
};

struct case_processes_config {
    const struct whoami *self;
    char *const *args; /* as below */
    const struct limit_override_policy *override;
    uint64_t dump_rate; /* bytes a second; 0: as measured with the last dump */
    int bandwidth;      /* descriptor of what they share of --bandwidth; borrowed; 0: none */
};

struct case_processes {
    const struct whoami *self;
    char *const *args;   /* the guard's own arguments, behind the request (guard/case_request.h) */
    pid_t (*fork)(void); /* NULL: fork(2); a test's fails now and then */
    struct case_process one[CASE_PROCESSES_MAX];
    struct limit_overrides overrides;
    struct dumpspeed speed;
    int bandwidth; /* as above; -1: none */
};

/* Borrows self and args. Restores limits that an earlier guard left changed. -FAULT_STATE as limit_overrides_init. */
int case_processes_init(struct case_processes *ret, const struct case_processes_config *c, struct err *e);

/* Starts a case of t. why: the condition that holds. slot: of guard/case_shares.h, borrowed; -1: none. -EAGAIN,
 * -ENOMEM, other -errno: no process can be started now. */
int case_processes_begin(struct case_processes *c, struct target *t, const char *why, int slot, struct err *e);

/* A child has ended. The number of the target whose case it was, and in *ret_made whether the case is complete; -1:
 * the child was no case. */
int case_processes_reap(struct case_processes *c, pid_t child, int status, bool *ret_made);

size_t case_processes_count(const struct case_processes *c);

/* SIGTERM to the cases that still run. */
void case_processes_stop(struct case_processes *c);

/* Restores all limits. */
void case_processes_done(struct case_processes *c);
