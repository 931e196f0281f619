/* SPDX-License-Identifier: Apache-2.0
 *
 * The targets of a guard: the given ones and those that discovery finds, their kernel notices in one epoll descriptor,
 * and the rules' decision for each reading. Writes no log and starts nothing: its owner (guard/guard.c,
 * guard/dry_run.c) gets callbacks.
 *
 * Memory is allocated at the start, except for the targets of --all, which come and go.
 */
#pragma once

#include "guard/cgroup_discovery.h"
#include "guard/target.h"
#include "place/pod_selection.h"

enum { TARGET_SET_MAX = 1024 };

/* Which cgroups are guarded. All borrowed. */
struct target_selection {
    const pid_t *pids;
    size_t pid_count;
    const char *const *cgroups; /* folders */
    size_t cgroup_count;
    bool all;                   /* every cgroup with a limit and a process in it, also later ones */
    uint64_t rescan_ms;         /* with all: how often to look for new ones */
    struct pod_selection *pods; /* with all: only these; NULL: all */
    const char *pod_logs;       /* a folder that must be there for that; NULL: none */
};

/* Whether a process is guarded: by its pid, in a given cgroup, or with `all` in a cgroup with a limit. */
bool target_selection_has(const struct target_selection *s, const struct proc *p);

struct target_set_ops {
    /* notices: which kernel notices work on this machine (memsignal_survey), for the first target; else NULL. */
    void (*added)(void *ctx, struct target *t, const char *notices);
    void (*renamed)(void *ctx, struct target *t, const char *before);
    /* A new reading. May set t->due_ms to an earlier time. */
    void (*polled)(void *ctx, struct target *t, struct reading *r, uint64_t now_ms);
    /* Its cgroup or its process is gone; t is freed afterwards. */
    void (*removed)(void *ctx, struct target *t);
    /* A cgroup that has a limit and can't be watched. */
    void (*unwatched)(void *ctx, pid_t pid, const char *cgroup, const struct err *e);
};

struct target_set {
    struct target_selection selection;
    struct target_policy policy;
    struct rule *rule; /* owned */
    const struct target_set_ops *ops;
    void *ctx;
    struct target *target[TARGET_SET_MAX]; /* owned */
    size_t count;
    int epoll;            /* owned; event.data.ptr of a notice is its struct target_notice */
    bool notices_missing; /* the notices of some target are not all open yet */
    struct cgroup_discovery discovery;
    uint64_t rescan_at_ms;
};

/* Borrowed, but the selection is copied without its lists. */
struct target_set_config {
    const struct target_selection *selection;
    const struct rule_policy *rules;
    const struct target_set_ops *ops;
    void *ctx; /* of ops */
};

int target_set_init(struct target_set *s, const struct target_set_config *c, struct err *e);
void target_set_done(struct target_set *s);

/* Opens the given targets, and makes the first discovery. -ESRCH, -ENOENT, ...: a given target does not exist;
 * -EMFILE; -FAULT_REFUSED: there are cgroups with a limit, and none of them is visible. */
int target_set_start(struct target_set *s, struct err *e);

/* Adds a descriptor of the owner to the same epoll. */
int target_set_watch_fd(struct target_set *s, int fd, uint32_t events, void *ptr, struct err *e);

/* Polls each target that is due, opens the next missing notice, rescans. Once per turn of the loop. */
void target_set_turn(struct target_set *s);

/* When the next turn is due, monotonic; 0: at once. */
uint64_t target_set_due_ms(const struct target_set *s);

/* The rules' decision for a reading. Before a case triggers it reads memory.stat again (into r), and determines the
 * target's final key and its tenant. */
void target_set_evaluate(struct target_set *s, struct target *t, struct reading *r, uint64_t now_ms,
                         struct rule_decision *ret);
