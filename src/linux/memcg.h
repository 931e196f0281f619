/* SPDX-License-Identifier: Apache-2.0
 *
 * One memory cgroup, v1 or v2, and those above it that can be seen: how full it is, how much is left before the kernel
 * has to kill, what has happened so far. Reads, and changes nothing; once opened it allocates nothing.
 *
 * The kernel kills when any cgroup on the way up is full, so the one with the least room counts, be it the pod's or the
 * node's. Cached pages of files that were not touched for a while are the first that the kernel drops: they don't
 * count as used (kubelet's "working set"). Neither do clean pages that are in use count as needed: the kernel drops
 * them before it kills. Dirty ones have to be written first, and shmem has nowhere to go: both are needed.
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
    int usage_fd;                    /* only of those with a limit, and of our own; else -1 */
    uint64_t limit;                  /* UINT64_MAX: none */
    uint64_t droppable;              /* inactive file pages, when memory.stat was read last: */
    uint64_t clean;                  /* all file pages that are neither dirty nor being written, then */
    uint64_t file;                   /* all file pages and what the kernel keeps of them, then */
    uint64_t stat_at_ms, stat_usage; /* when that was, and the usage */
    uint64_t usage;                  /* of the last sample */
};

struct memcg {
    int fd; /* of its folder, O_PATH; for callers that read more of its files */
    bool v2;
    bool whole;                                 /* no limit is out of sight */
    uint64_t device, inode;                     /* two processes of one cgroup lead to the same */
    unsigned levels;                            /* 1 and those above that can be seen */
    struct memcg_level level[MEMCG_LEVELS_MAX]; /* [0] is the cgroup itself */
    int limit_fd, stat_fd;                      /* of level 0 */
    uint64_t hidden_limit;                      /* v1: of a level out of sight, if it is the lowest */
    uint64_t swap_room;
    uint64_t shared; /* shmem bytes (tmpfs, memfd) of level 0, by its memory.stat; UINT64_MAX: unknown */
    char *stat_text; /* borrowed, MEMCG_STAT_MAX bytes: gets the text of level 0's memory.stat when it is read; NULL */
    uint64_t limits_at_ms, above_at_ms; /* when they were read; 0: never */
};

#define MEMCG_NONE                                                                                                     \
    {                                                                                                                  \
        .fd = -1, .limit_fd = -1, .stat_fd = -1                                                                        \
    }

/* A process's: through our own mounts if they show it (a node agent sees all levels so), else as the process itself
 * sees it mounted (a sidecar in one pid namespace with it). -ENOENT where neither shows it, -ESRCH, -EACCES, -EMFILE.
 */
int memcg_open(const struct proc *p, struct memcg *ret, struct err *e);

/* By its folder, as a user names it. */
int memcg_open_path(const char *path, struct memcg *ret, struct err *e);

void memcg_done(struct memcg *m); /* accepts MEMCG_NONE */
bool memcg_same(const struct memcg *a, const struct memcg *b);

struct memcg_sample {
    uint64_t usage;        /* the cgroup's own, with all of its cache: what v1's thresholds compare with */
    uint64_t own_used;     /* the same without inactive file pages */
    uint64_t used;         /* of the level with the least of it left, without inactive file pages */
    uint64_t limit;        /* of that level; UINT64_MAX: no level has one */
    unsigned level;        /* which it was; 0 is the cgroup itself */
    uint64_t needed;       /* of the level with the least room, without its clean file pages */
    uint64_t needed_limit; /* of that level */
    uint64_t room;         /* needed_limit less needed; UINT64_MAX without a limit. Never jumps to another level's */
    uint64_t own_firm;     /* the cgroup's own without any file pages: anonymous memory, shmem, the kernel's */
    uint64_t firm_room;    /* as room, if all dirty pages were written: growth is measured by it, for a file that is
                              written grows in the cache only until the kernel writes it out */
    uint64_t swap_room;    /* what of it can go to swap instead: it dies as much later. 0 on most nodes */
};

/* At now_ms of the monotonic clock. The usage is read each time; limits when they are 4 s old (250 ms where less than a
 * quarter is left), those of levels above that have none, and what can go to swap, every 30 s; what can be dropped
 * every 15 s (30 s where less than half is used), each time less than a quarter seems left, and when usage has moved by
 * a 64th of the limit, or 16 MiB. -ENODEV: the cgroup is gone. Other -errno: this time it could not be read. */
int memcg_sample(struct memcg *m, uint64_t now_ms, struct memcg_sample *ret);

/* The next sample reads everything anew: for a decision. */
void memcg_forget_stat(struct memcg *m);

/* The lowest limit of all levels when they were read last; UINT64_MAX without. */
uint64_t memcg_limit(const struct memcg *m);

/* Level 0's memory.stat as of now_ms (m->level[0], shared, stat_text): read, unless a sample of the same now_ms has.
 * -ENODEV; other -errno. */
int memcg_stat(struct memcg *m, uint64_t now_ms);

/* shmem bytes (tmpfs, memfd) charged to this cgroup, as of now_ms. As memcg_stat; -ENOENT: the kernel doesn't say. */
int memcg_shared(struct memcg *m, uint64_t now_ms, uint64_t *ret);

bool memcg_is_gone(const struct memcg *m); /* rmdir */

/* As memory.events (v2; local: without what is below it, -ENOENT before Linux 5.2) or memory.oom_control say. -ENODEV,
 * -ENOENT, -EINVAL if the kernel doesn't count. */
int memcg_events(const struct memcg *m, bool local, struct cgroup_events *ret);

/* Stalls: of the cgroup (v2), or, where it has none of its own, of the whole machine (true in ret_machine).
 * -EOPNOTSUPP: switched off; -ENOENT: not built in; -ENODEV. */
int memcg_pressure(const struct memcg *m, struct psi *ret, bool *ret_machine);
