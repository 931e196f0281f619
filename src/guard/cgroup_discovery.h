/* SPDX-License-Identifier: Apache-2.0
 *
 * The memory cgroups of this machine that have a limit and a process in them: each is reported once, when it comes or
 * when it gets its limit. Found by way of the processes, for a sidecar sees no tree of cgroups.
 *
 * A scan is a list of /proc, and a small read for each process that was not there before; every
 * CGROUP_DISCOVERY_WHOLE-th scan reads all of them. So a new cgroup is found at the next scan, and one that gets a
 * limit later, or an old process that moves, some scans later. Watches nothing itself.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "linux/memcg.h"

enum { CGROUP_DISCOVERY_WHOLE = 12 };

struct cgroup_discovery {
    struct cgroup_discovery_process *process; /* of the last look, ascending by pid; owned */
    size_t count, capacity;
    struct cgroup_discovery_group *group; /* owned */
    size_t groups, group_capacity;
    unsigned looks;  /* since the last that read all */
    bool forgot;     /* a cgroup, since the last */
    unsigned unseen; /* cgroups that no mount of ours shows, by the last look that read all */
    /* A cgroup of this process, by the name that the kernel gives it, can't be watched: said once of each. May be NULL.
     */
    void (*failed)(void *ctx, pid_t pid, const char *cgroup, const struct err *e);
};

/* fn for a process of each new one; it returns < 0 (and says why) if it could not take it now: then it is reported
 * again. root: "/proc" but in tests. 0, or -errno: then nothing was reported, and the next scan tries again. */
int cgroup_discovery_scan(struct cgroup_discovery *c, const char *root, uint64_t now_ms,
                          int (*fn)(void *ctx, pid_t pid, struct err *e), void *ctx);

/* This cgroup is gone: another one may come under its name. */
void cgroup_discovery_forget(struct cgroup_discovery *c, const struct memcg *m);

void cgroup_discovery_done(struct cgroup_discovery *c);
