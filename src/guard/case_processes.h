/* SPDX-License-Identifier: Apache-2.0
 *
 * The cases of a guard: each is a process of its own (`salvage guard-case`) that does all the work, with the limits
 * that are changed for as long as it runs. Starts and ends them; the loop waits for its children.
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
    uint64_t restorer; /* of what was lent to it */
    char name[TARGET_NAME_MAX];
};

struct case_processes {
    const struct whoami *self;
    char *const *args;   /* the guard's own, behind the request (guard/case_request.h) */
    pid_t (*fork)(void); /* NULL: fork(2); a test's fails now and then */
    struct case_process one[CASE_PROCESSES_MAX];
    struct limit_overrides overrides;
    struct dumpspeed speed;
};

/* dump_rate: bytes a second; 0: as the last dump was. Puts back what another guard lent. */
int case_processes_init(struct case_processes *ret, const struct whoami *self, char *const *args,
                        const struct limit_override_policy *policy, uint64_t dump_rate, struct err *e);

/* why: the condition that is met. -ESRCH: no process; -EAGAIN, -ENOMEM: no process can be started now. */
int case_processes_begin(struct case_processes *c, struct target *t, const char *why, struct err *e);

/* A child has ended: -1, or the number of the target whose case that was, and whether it was made as a whole. */
int case_processes_reap(struct case_processes *c, pid_t child, int status, bool *ret_made);

size_t case_processes_count(const struct case_processes *c);

/* SIGTERM to those that still run. */
void case_processes_stop(struct case_processes *c);

/* Puts back all that is lent. */
void case_processes_done(struct case_processes *c);
