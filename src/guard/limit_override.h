/* SPDX-License-Identifier: Apache-2.0
 *
 * Time and memory for a case: --lend raises the limits of its cgroup while the case is made, --hold makes the kernel
 * let the process wait instead of killing it. Both are temporary changes of settings: written to a journal first
 * (guard/limit_journal.h), changed here, and restored by a separate process (guard/limit_restorer.h), which does so
 * even if the guard dies. If that process dies, too, the next start of any guard with this state folder restores
 * them.
 */
#pragma once

#include <sys/types.h>

#include "base/log.h"
#include "guard/limit_journal.h"
#include "linux/memcg.h"

enum { LIMIT_OVERRIDE_RESTORERS_MAX = 32, LIMIT_OVERRIDE_FOLDER_MAX = 512 };

#define LIMIT_OVERRIDE_STATE_DEFAULT "/run/salvage"

struct limit_override_policy {
    uint64_t lend;     /* bytes; 0: limits are not raised */
    uint64_t hold_ms;  /* 0: the process is not held */
    const char *state; /* folder; NULL: LIMIT_OVERRIDE_STATE_DEFAULT */
    enum log_format log;
};

/* Identifies a changed setting: no other case may change it meanwhile. */
struct limit_override_key {
    uint64_t device, inode;
    enum limit_override_file file;
};

struct limit_override_restorer {
    pid_t pid;       /* 0: a free slot */
    uint64_t number; /* from 1; never reused */
    int input;       /* our end of its pipe, closed when the case ends; -1: closed */
    uint64_t raised; /* bytes by which limits were raised: may be used at any time */
    unsigned tries;  /* restarts after a failure */
    char name[40];
    unsigned count;
    struct limit_override_key key[LIMIT_OVERRIDE_SETTINGS_MAX];
};

struct limit_overrides {
    struct limit_override_policy policy;
    char folder[LIMIT_OVERRIDE_FOLDER_MAX];
    int dir;             /* -1: there is no folder of journals */
    uint64_t last;       /* number of the latest restorer */
    pid_t (*fork)(void); /* NULL: fork(2); a test's fails */
    struct limit_override_restorer restorer[LIMIT_OVERRIDE_RESTORERS_MAX];
};

/* What was changed for one case. */
struct limit_override_outcome {
    struct limit_override override; /* the changed settings */
    uint64_t raised;                /* bytes by which limits were raised, at most policy.lend */
    uint64_t limit, used;           /* of the level with the least room, before the change; UINT64_MAX: no limit */
    struct err lend, hold;          /* why it was not done, or only in part; msg "": done */
    uint64_t restorer;              /* for limit_overrides_end; 0: nothing was changed */
};

/* Restores what an earlier guard left changed, and waits a moment for that. If lend or hold is set, the folder is
 * made: -FAULT_STATE if it can't be used. */
int limit_overrides_init(struct limit_overrides *ret, const struct limit_override_policy *policy, struct err *e);

/* Changes the settings for a case. Takes a few milliseconds. What can't be changed is explained in ret. */
void limit_overrides_begin(struct limit_overrides *l, struct memcg *m, const char *target, uint64_t now_ms,
                           struct limit_override_outcome *ret);

/* The case has ended: its settings are restored. restorer: of the outcome, also 0. */
void limit_overrides_end(struct limit_overrides *l, uint64_t restorer);

/* A child has ended. True: it was a restorer; one that failed is restarted. */
bool limit_overrides_reap(struct limit_overrides *l, pid_t child, int status);

/* Restores everything, and waits a moment for the restorers; one that can't restore something yet goes on alone. */
void limit_overrides_done(struct limit_overrides *l);

/* The piece guard.json of a case, schema "salvage.guard-case/1"; malloc'ed, NULL without memory. */
char *limit_override_describe(const struct limit_overrides *l, const struct limit_override_outcome *o,
                              const char *target, pid_t pid, const char *why);
