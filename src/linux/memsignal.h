/* SPDX-License-Identifier: Apache-2.0
 *
 * Notifications of the kernel about a memory cgroup, one file for each kind: a descriptor for poll(2), and the meaning
 * when it is ready. They only make guard cheaper and quicker: the cgroup is sampled (memcg_sample) in any case, as none
 * of them is reliable alone.
 *
 *   v1.usage     usage crossed a number of bytes, up or down; includes caches, and is up to 128 pages a CPU late
 *   v1.pressure  the kernel reclaims memory, with little success
 *   v1.oom       out of memory: reported before the kill, and also when the cgroup is removed
 *   v2.events    a counter of memory.events rose
 *   psi          tasks stalled for longer than a threshold, in the cgroup (v2) or on the whole machine
 */
#pragma once

#include "base/buf.h"
#include "linux/memcg.h"

enum memsignal_level { MEMSIGNAL_LOW, MEMSIGNAL_MEDIUM, MEMSIGNAL_CRITICAL };

/* Pressure in a child cgroup is reported here: always (HIERARCHY), never (LOCAL), if the child has no listener
 * (DEFAULT). */
enum memsignal_mode { MEMSIGNAL_DEFAULT, MEMSIGNAL_HIERARCHY, MEMSIGNAL_LOCAL };

/* The settings of each kind. */
struct memsignal_want {
    uint64_t usage_bytes;         /* v1.usage */
    enum memsignal_level level;   /* v1.pressure: this or worse */
    enum memsignal_mode mode;     /* v1.pressure */
    bool local;                   /* v2.events: without child cgroups */
    bool full, machine;           /* psi: all tasks at once; of the machine even if the cgroup has its own */
    uint32_t stall_us, window_us; /* psi: stalled for so long within a window of 0.5 to 10 s */
};

enum memsignal_what {
    MEMSIGNAL_CROSSED = 1 << 0,  /* usage: take a sample to see on which side it is */
    MEMSIGNAL_PRESSURE = 1 << 1, /* of the requested level, or worse */
    MEMSIGNAL_STALL = 1 << 2,
    MEMSIGNAL_OOM = 1 << 3,       /* nothing could be reclaimed: a kill follows, unless it is disabled */
    MEMSIGNAL_OOM_KILL = 1 << 4,  /* counted since the last reading */
    MEMSIGNAL_HIGH = 1 << 5,      /* v2: throttled at memory.high */
    MEMSIGNAL_MAX = 1 << 6,       /* v2: the limit was met, and reclaim began */
    MEMSIGNAL_UNDER_OOM = 1 << 7, /* v1: tasks are blocked, because the OOM killer is disabled */
    MEMSIGNAL_GONE = 1 << 8       /* the cgroup was removed; no more events follow */
};

struct memsignal_event {
    unsigned what;             /* 0: nothing of note, wait on */
    struct cgroup_events rose; /* by how much, since the last reading (v1.oom, v2.events) */
};

struct memsignal {
    const struct memsignal_ops *ops;
    const struct memcg *memcg; /* borrowed: outlives the signal */
    int fd;                    /* for poll(2); owned */
    short poll_events;         /* POLLIN, or POLLPRI alone (POLLIN would always be ready) */
    uint32_t window_us;        /* psi: the window that the kernel accepted */
    struct cgroup_events seen;
};

#define MEMSIGNAL_NONE                                                                                                 \
    {                                                                                                                  \
        .fd = -1                                                                                                       \
    }

struct memsignal_ops {
    const char *name;
    bool v1, v2; /* the versions of cgroups that have it */
    int (*open)(struct memsignal *s, const struct memsignal_want *w, struct err *e);
    int (*read)(struct memsignal *s, struct memsignal_event *ret);
};

extern const struct memsignal_ops MEMSIGNAL_V1_USAGE, MEMSIGNAL_V1_PRESSURE, MEMSIGNAL_V1_OOM, MEMSIGNAL_V2_EVENTS,
    MEMSIGNAL_PSI;

/* All kinds; ends with NULL. */
extern const struct memsignal_ops *const MEMSIGNALS[];

/* -EOPNOTSUPP: not in this version of cgroups, or switched off; -EROFS, -EACCES: no permission (a sidecar's mounts);
 * -ENOENT: not in this kernel; -EINVAL: the kernel does not accept the settings. */
int memsignal_open(const struct memsignal_ops *ops, const struct memcg *m, const struct memsignal_want *w,
                   struct memsignal *ret, struct err *e);

/* To be called when the descriptor is ready; except for psi also at any other time, because a kill is counted after
 * v1.oom has reported it. 0 or -errno; never waits. v1.pressure may fire a hundred times in a millisecond: poll again
 * after a pause. */
int memsignal_read(struct memsignal *s, struct memsignal_event *ret);

void memsignal_done(struct memsignal *s); /* accepts MEMSIGNAL_NONE */

/* Opens and closes each kind on the cgroup, which takes some ten milliseconds (the kernel waits for RCU). Appends
 * "v1.usage v1.oom; not psi (reason)", for the log. Returns which of MEMSIGNALS work, as bits in their order;
 * -ENOMEM. */
int memsignal_survey(const struct memcg *m, struct buf *ret);

/* For the kinds. */

/* An eventfd registered with v1's cgroup.event_control for a file; argument may be "". */
int memsignal_eventfd(struct memsignal *s, const char *file, const char *argument, struct err *e);

/* How often the eventfd fired since the last call. */
uint64_t memsignal_drain(const struct memsignal *s);

/* Compares counters with the last reading: the differences and their bits into ret; then stores now. */
void memsignal_compare(struct memsignal *s, const struct cgroup_events *now, struct memsignal_event *ret);
