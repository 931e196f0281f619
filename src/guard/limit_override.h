/* SPDX-License-Identifier: Apache-2.0
 *
 * Time and room for a case: --lend raises the limits of its cgroup for as long as the case is made, --hold has the
 * kernel let the process wait instead of killing it. Both are settings that are changed for a while: journalled before
 * (guard/limit_journal.h), changed here, and put back by a process of their own (guard/limit_restorer.h), which does so
 * too when we are dead. When it is dead as well, the next start of any guard with this state folder does.
 */
#pragma once

#include <sys/types.h>

#include "base/log.h"
#include "guard/limit_journal.h"
#include "linux/memcg.h"

enum { LIMIT_OVERRIDE_RESTORERS_MAX = 32, LIMIT_OVERRIDE_FOLDER_MAX = 512 };

#define LIMIT_OVERRIDE_STATE_DEFAULT "/run/salvage"

struct limit_override_policy {
    uint64_t lend;     /* bytes; 0: nothing */
    uint64_t hold_ms;  /* 0: nothing */
    const char *state; /* folder; NULL: LIMIT_OVERRIDE_STATE_DEFAULT */
    enum log_format log;
};

/* Who a setting is lent to: nobody else may change it meanwhile. */
struct limit_override_key {
    uint64_t device, inode;
    enum limit_override_file file;
};

struct limit_override_restorer {
    pid_t pid;       /* 0: a free slot */
    uint64_t number; /* from 1; never used again */
    int input;       /* the end that is closed when the case has ended; -1: it was */
    uint64_t given;  /* bytes that may be taken at any time */
    unsigned tries;  /* of those that died */
    char name[40];
    unsigned count;
    struct limit_override_key key[LIMIT_OVERRIDE_SETTINGS_MAX];
};

struct limit_overrides {
    struct limit_override_policy policy;
    char folder[LIMIT_OVERRIDE_FOLDER_MAX];
    int dir;             /* -1: there are no journals */
    uint64_t last;       /* number of a restorer */
    pid_t (*fork)(void); /* NULL: fork(2); a test's fails */
    struct limit_override_restorer restorer[LIMIT_OVERRIDE_RESTORERS_MAX];
};

/* What was done for one case. */
struct limit_override_outcome {
    struct limit_override override; /* the settings as they are now */
    uint64_t given;                 /* bytes, at most what was asked for */
    uint64_t limit, used;           /* of the level with the least room, before; UINT64_MAX: no limit */
    struct err lend, hold;          /* why not, or not all of it; msg is empty if there is nothing to say */
    uint64_t restorer;              /* for limit_overrides_end; 0: nothing was changed */
};

/* Puts back what another guard left behind, and waits for it a moment. Where something is to be lent, the folder is
 * made: -FAULT_STATE if it can't be used. */
int limit_overrides_init(struct limit_overrides *ret, const struct limit_override_policy *policy, struct err *e);

/* Takes a few milliseconds. What can't be done is said in ret, and left. */
void limit_overrides_begin(struct limit_overrides *l, struct memcg *m, const char *target, uint64_t now_ms,
                           struct limit_override_outcome *ret);

/* restorer: as in the outcome, any. */
void limit_overrides_end(struct limit_overrides *l, uint64_t restorer);

/* A child has ended. True: it was one of ours; one that died is started again. */
bool limit_overrides_reap(struct limit_overrides *l, pid_t child, int status);

/* Ends all, and waits for them a moment; who can't put something back yet goes on without us. */
void limit_overrides_done(struct limit_overrides *l);

/* The piece guard.json of a case, schema "salvage.guard-case/1"; malloc'ed, NULL without memory. */
char *limit_override_describe(const struct limit_overrides *l, const struct limit_override_outcome *o,
                              const char *target, pid_t pid, const char *why);
