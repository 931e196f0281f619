/* SPDX-License-Identifier: Apache-2.0
 *
 * A memory cgroup, v1 or v2, and the visible ones above it: how full they are, how much is left before the kernel has
 * to kill, and the counters of events. Only reads; once opened it allocates nothing.
 *
 * The kernel kills when any cgroup on the way up is full, so the one with the least room counts, be it the pod's or the
 * node's. Inactive file pages are the first that the kernel drops: they don't count as used (kubelet's "working set").
 * Clean active pages don't count as needed, because the kernel drops them before it kills. Dirty pages have to be
 * written first, and shmem can't be dropped: both are needed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "linux/cgroup.h"
#include "linux/proc.h"
#include "linux/psi.h"

enum { MEMCG_LEVELS_MAX = 12, MEMCG_STAT_MAX = 8 * 1024 };

struct memcg_level {
    int usage_fd;                    /* for levels with a limit, and level 0; else -1 */
    uint64_t limit;                  /* UINT64_MAX: none */
    uint64_t droppable;              /* inactive file pages, when memory.stat was read last */
    uint64_t clean;                  /* file pages that were neither dirty nor being written then */
    uint64_t file;                   /* file pages and the kernel's memory for them, then */
    uint64_t stat_at_ms, stat_usage; /* when that was, and the usage at that time */
    uint64_t usage;                  /* of the last sample */
};

struct memcg {
    int fd; /* of its folder, O_PATH; callers may read more of its files */
    bool v2;
    bool whole;                                 /* all limits are visible */
    uint64_t device, inode;                     /* identify the cgroup */
    unsigned levels;                            /* 1, and the visible ones above */
    struct memcg_level level[MEMCG_LEVELS_MAX]; /* [0] is the cgroup itself */
    int limit_fd, stat_fd;                      /* of level 0 */
    uint64_t hidden_limit;                      /* v1: of an invisible level, if it is the lowest */
    uint64_t swap_room;
    uint64_t shared; /* shmem bytes (tmpfs, memfd) of level 0, from its memory.stat; UINT64_MAX: unknown */
    char *stat_text; /* borrowed, MEMCG_STAT_MAX bytes: receives the text of level 0's memory.stat when it is read; may
                        be NULL */
    uint64_t limits_at_ms, above_at_ms; /* when they were read; 0: never */
};

#define MEMCG_NONE                                                                                                     \
    {                                                                                                                  \
        .fd = -1, .limit_fd = -1, .stat_fd = -1                                                                        \
    }

/* The memory cgroup of a process: through our mounts if they show it (a node agent sees all levels), else through the
 * process's mounts (a sidecar in a shared pid namespace). -ENOENT if neither shows it, -ESRCH, -EACCES, -EMFILE. */
int memcg_open(const struct proc *p, struct memcg *ret, struct err *e);

/* By the path of its folder, as given by a user. */
int memcg_open_path(const char *path, struct memcg *ret, struct err *e);

void memcg_done(struct memcg *m); /* accepts MEMCG_NONE */
bool memcg_same(const struct memcg *a, const struct memcg *b);

struct memcg_sample {
    uint64_t usage;        /* the cgroup's, with all of its cache: v1's thresholds compare with this */
    uint64_t own_used;     /* the same without inactive file pages */
    uint64_t used;         /* without inactive file pages, of the level with the least left */
    uint64_t limit;        /* of that level; UINT64_MAX: no level has a limit */
    unsigned level;        /* that level; 0 is the cgroup itself */
    uint64_t needed;       /* without clean file pages, of the level with the least room */
    uint64_t needed_limit; /* of that level */
    uint64_t room;         /* needed_limit less needed; UINT64_MAX without a limit */
    uint64_t own_firm;     /* the cgroup's without file pages: anonymous memory, shmem, the kernel's */
    uint64_t firm_room; /* as room, as if all dirty pages were written. Growth is measured by this: a file that is being
                           written grows in the cache only until the kernel writes it out */
    uint64_t swap_room; /* bytes that can go to swap and so delay a kill. 0 on most nodes */
};

/* A sample at now_ms of the monotonic clock. The usage is read each time; limits when they are 4 s old (250 ms if less
 * than a quarter is left); the limits of levels above without one, and swap, every 30 s; memory.stat every 15 s (30 s
 * if less than half is used), and whenever less than a quarter seems left, or the usage has changed by a 64th of the
 * limit or 16 MiB. -ENODEV: the cgroup was removed. Other -errno: it could not be read this time. */
int memcg_sample(struct memcg *m, uint64_t now_ms, struct memcg_sample *ret);

/* Makes the next sample read everything again, for a decision. */
void memcg_forget_stat(struct memcg *m);

/* The lowest limit of all levels at their last reading; UINT64_MAX: none. */
uint64_t memcg_limit(const struct memcg *m);

/* Reads level 0's memory.stat into m->level[0], shared and stat_text, unless it was read at the same now_ms. 0,
 * -ENODEV, other -errno. */
int memcg_stat(struct memcg *m, uint64_t now_ms);

/* shmem bytes (tmpfs, memfd) charged to this cgroup, as of now_ms. As memcg_stat; -ENOENT: the kernel doesn't count
 * them. */
int memcg_shared(struct memcg *m, uint64_t now_ms, uint64_t *ret);

bool memcg_is_gone(const struct memcg *m); /* rmdir */

/* The counters of memory.events (v2; local: without child cgroups, -ENOENT before Linux 5.2) or memory.oom_control.
 * -ENODEV, -ENOENT, -EINVAL if the kernel doesn't count. */
int memcg_events(const struct memcg *m, bool local, struct cgroup_events *ret);

/* Pressure stall information of the cgroup (v2), or else of the whole machine (*ret_machine is true). -EOPNOTSUPP:
 * switched off; -ENOENT: not built in; -ENODEV. */
int memcg_pressure(const struct memcg *m, struct psi *ret, bool *ret_machine);
