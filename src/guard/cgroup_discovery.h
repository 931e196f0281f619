/* SPDX-License-Identifier: Apache-2.0
 *
 * Finds the memory cgroups of this machine that have a limit and a process in them, and reports each once, when it
 * appears or gets its limit. Goes by the processes, because a sidecar sees no cgroup tree.
 *
 * A scan lists /proc, and reads one small file for each new process; every CGROUP_DISCOVERY_WHOLE-th scan reads that
 * file of all. So a new cgroup is found by the next scan; one that gets a limit later, or an old process that moves,
 * some scans later. Watches nothing itself.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "linux/memcg.h"

enum { CGROUP_DISCOVERY_WHOLE = 12 };

struct cgroup_discovery {
    struct cgroup_discovery_process *process; /* of the last scan, ascending by pid; owned */
    size_t count, capacity;
    struct cgroup_discovery_group *group; /* owned */
    size_t groups, group_capacity;
    unsigned scans;  /* since the last whole scan */
    bool forgot;     /* cgroup_discovery_forget was called since the last scan */
    unsigned unseen; /* cgroups that no mount of ours shows, by the last whole scan */
    /* The cgroup of this process, under the kernel's name for it, can't be watched: called once per cgroup. May be
     * NULL. */
    void (*failed)(void *ctx, pid_t pid, const char *cgroup, const struct err *e);
};

/* Calls fn with a process of each new cgroup; if fn returns < 0 (with a reason), the cgroup is reported again later
 * (-EINPROGRESS: this is no failure).
 * root: "/proc" but in tests. 0, or -errno: then nothing was reported, and the next scan tries again. */
int cgroup_discovery_scan(struct cgroup_discovery *c, const char *root, uint64_t now_ms,
                          int (*fn)(void *ctx, pid_t pid, struct err *e), void *ctx);

/* The next scan looks at all cgroups: those that fn refused are reported again. */
void cgroup_discovery_look_at_all(struct cgroup_discovery *c);

/* The same, and those that were reported are reported once more: fn may have another answer now. */
void cgroup_discovery_ask_again(struct cgroup_discovery *c);

/* This cgroup is gone: a new one may get its name. */
void cgroup_discovery_forget(struct cgroup_discovery *c, const struct memcg *m);

void cgroup_discovery_done(struct cgroup_discovery *c);
