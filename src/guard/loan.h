/* SPDX-License-Identifier: Apache-2.0
 *
 * Time and room for a case: --lend raises the limits of its cgroup for as long as the case is made, --hold has the
 * kernel let the process wait instead of killing it. Both are settings that are changed for a while: journalled before
 * (guard/loan_journal.h), changed here, and put back by a process of their own (guard/loankeeper.h), which does so too
 * when we are dead. When it is dead as well, the next start of any guard with this state folder does.
 */
#pragma once

#include <sys/types.h>

#include "base/log.h"
#include "guard/loan_journal.h"
#include "linux/memcg.h"

enum { LOAN_KEEPERS_MAX = 32, LOAN_FOLDER_MAX = 512 };

#define LOAN_STATE_DEFAULT "/run/salvage"

struct loan_policy {
    uint64_t lend;     /* bytes; 0: nothing */
    uint64_t hold_ms;  /* 0: nothing */
    const char *state; /* folder; NULL: LOAN_STATE_DEFAULT */
    enum log_format log;
};

/* Who a setting is lent to: nobody else may change it meanwhile. */
struct loan_key {
    uint64_t device, inode;
    enum loan_file file;
};

struct loan_keeper {
    pid_t pid;       /* 0: a free slot */
    uint64_t number; /* from 1; never used again */
    int input;       /* the end that is closed when the case has ended; -1: it was */
    uint64_t given;  /* bytes that may be taken at any time */
    unsigned tries;  /* of those that died */
    char name[40];
    unsigned count;
    struct loan_key key[LOAN_SETTINGS_MAX];
};

struct loans {
    struct loan_policy policy;
    char folder[LOAN_FOLDER_MAX];
    int dir;       /* -1: there are no journals */
    uint64_t last; /* number of a keeper */
    struct loan_keeper keeper[LOAN_KEEPERS_MAX];
};

/* What was done for one case. */
struct loan_outcome {
    struct loan loan;      /* the settings as they are now */
    uint64_t given;        /* bytes, at most what was asked for */
    uint64_t limit, used;  /* of the level with the least room, before; UINT64_MAX: no limit */
    struct err lend, hold; /* why not, or not all of it; msg is empty if there is nothing to say */
    uint64_t keeper;       /* for loans_end; 0: nothing was changed */
};

/* Puts back what another guard left behind, and waits for it a moment. Where something is to be lent, the folder is
 * made: -FAULT_STATE if it can't be used. */
int loans_init(struct loans *ret, const struct loan_policy *policy, struct err *e);

/* Takes a few milliseconds. What can't be done is said in ret, and left. */
void loans_begin(struct loans *l, struct memcg *m, const char *target, uint64_t now_ms, struct loan_outcome *ret);

/* keeper: as in the outcome, any. */
void loans_end(struct loans *l, uint64_t keeper);

/* A child has ended. True: it was one of ours; one that died is started again. */
bool loans_reap(struct loans *l, pid_t child, int status);

/* Ends all, and waits for them a moment; who can't put something back yet goes on without us. */
void loans_done(struct loans *l);

/* The piece guard.json of a case, schema "salvage.guard-case/1"; malloc'ed, NULL without memory. */
char *loan_describe(const struct loans *l, const struct loan_outcome *o, const char *target, pid_t pid,
                    const char *why);
