/* SPDX-License-Identifier: Apache-2.0
 *
 * The cases of a guard: each is a process of its own (`salvage guard-case`) that does all the work, with the limits
 * that are changed for as long as it runs. Starts and ends them; the loop waits for its children.
 */
#pragma once

#include "guard/guardtarget.h"
#include "guard/limit_override.h"
#include "hotspot/dumpspeed.h"
#include "place/whoami.h"

enum { GUARDCASES_MAX = 16 };

struct guardcase {
    pid_t child; /* 0: a free slot */
    int target;  /* the rule's number */
    uint64_t begun_ms;
    uint64_t restorer; /* of what was lent to it */
    char name[GUARDTARGET_NAME_MAX];
};

struct guardcases {
    const struct whoami *self;
    char *const *args;   /* the guard's own, behind the request (guard/case_request.h) */
    pid_t (*fork)(void); /* NULL: fork(2); a test's fails now and then */
    struct guardcase one[GUARDCASES_MAX];
    struct limit_overrides overrides;
    struct dumpspeed speed;
};

/* dump_rate: bytes a second; 0: as the last dump was. Puts back what another guard lent. */
int guardcases_init(struct guardcases *ret, const struct whoami *self, char *const *args,
                    const struct limit_override_policy *policy, uint64_t dump_rate, struct err *e);

/* why: the condition that is met. -ESRCH: no process; -EAGAIN, -ENOMEM: no process can be started now. */
int guardcases_begin(struct guardcases *c, struct guardtarget *t, const char *why, struct err *e);

/* A child has ended: -1, or the number of the target whose case that was, and whether it was made as a whole. */
int guardcases_reap(struct guardcases *c, pid_t child, int status, bool *ret_made);

size_t guardcases_count(const struct guardcases *c);

/* SIGTERM to those that still run. */
void guardcases_stop(struct guardcases *c);

/* Puts back all that is lent. */
void guardcases_done(struct guardcases *c);
