/* SPDX-License-Identifier: Apache-2.0
 *
 * What the kernel reports of a memory cgroup by itself, each kind a file of its own behind one struct: a descriptor for
 * poll(2), and what it means when it is ready. Where none works the cgroup is sampled (memcg_sample): a signal makes a
 * watch cheaper and quicker, and nothing may rest on one alone.
 *
 *   v1.usage     usage crossed a number of bytes, up or down; counts caches, and is up to 128 pages a processor late
 *   v1.pressure  the kernel reclaims, and with how little success
 *   v1.oom       no memory was found: reported before the kill, and also at the cgroup's end
 *   v2.events    a counter of memory.events rose
 *   psi          tasks stalled for longer than wanted, of the cgroup (v2) or of the whole machine
 */
#pragma once

#include "base/buf.h"
#include "linux/memcg.h"

enum memsignal_level { MEMSIGNAL_LOW, MEMSIGNAL_MEDIUM, MEMSIGNAL_CRITICAL };

/* Pressure in a child cgroup is reported here: always (HIERARCHY), never (LOCAL), if the child has no listener
 * (DEFAULT). */
enum memsignal_mode { MEMSIGNAL_DEFAULT, MEMSIGNAL_HIERARCHY, MEMSIGNAL_LOCAL };

/* Each kind has its own. */
struct memsignal_want {
    uint64_t usage_bytes;         /* v1.usage */
    enum memsignal_level level;   /* v1.pressure: this or worse */
    enum memsignal_mode mode;     /* v1.pressure */
    bool local;                   /* v2.events: without what happens below */
    bool full, machine;           /* psi: all tasks at once; of the machine though the cgroup has its own */
    uint32_t stall_us, window_us; /* psi: so much within so long, which is 0.5 to 10 s */
};

enum memsignal_what {
    MEMSIGNAL_CROSSED = 1 << 0,  /* usage: look on which side it is now */
    MEMSIGNAL_PRESSURE = 1 << 1, /* of the level that was wanted, or worse */
    MEMSIGNAL_STALL = 1 << 2,
    MEMSIGNAL_OOM = 1 << 3,       /* nothing could be reclaimed: a kill comes, unless that is held */
    MEMSIGNAL_OOM_KILL = 1 << 4,  /* counted since the last reading */
    MEMSIGNAL_HIGH = 1 << 5,      /* v2: throttled at memory.high */
    MEMSIGNAL_MAX = 1 << 6,       /* v2: the limit was met, and reclaim began */
    MEMSIGNAL_UNDER_OOM = 1 << 7, /* v1: tasks stand still, the kill being disabled */
    MEMSIGNAL_GONE = 1 << 8       /* the cgroup was removed; nothing else will come */
};

struct memsignal_event {
    unsigned what;             /* 0: nothing of note, wait on */
    struct cgroup_events rose; /* by how much, since the last reading (v1.oom, v2.events) */
};

struct memsignal {
    const struct memsignal_ops *ops;
    const struct memcg *memcg; /* borrowed: outlives the signal */
    int fd;                    /* for poll(2); owned */
    short poll_events;         /* POLLIN, or POLLPRI: then POLLIN is always true, and must not be asked for */
    uint32_t window_us;        /* psi: the one that the kernel took */
    struct cgroup_events seen;
};

#define MEMSIGNAL_NONE                                                                                                 \
    {                                                                                                                  \
        .fd = -1                                                                                                       \
    }

struct memsignal_ops {
    const char *name;
    bool v1, v2; /* for which cgroups there is such a thing */
    int (*open)(struct memsignal *s, const struct memsignal_want *w, struct err *e);
    int (*read)(struct memsignal *s, struct memsignal_event *ret);
};

extern const struct memsignal_ops MEMSIGNAL_V1_USAGE, MEMSIGNAL_V1_PRESSURE, MEMSIGNAL_V1_OOM, MEMSIGNAL_V2_EVENTS,
    MEMSIGNAL_PSI;

/* All of them; ends with NULL. */
extern const struct memsignal_ops *const MEMSIGNALS[];

/* -EOPNOTSUPP: not of this version of cgroups, or switched off; -EROFS, -EACCES: not ours to ask for (a sidecar's
 * mounts); -ENOENT: this kernel has none; -EINVAL: it doesn't take what is wanted. */
int memsignal_open(const struct memsignal_ops *ops, const struct memcg *m, const struct memsignal_want *w,
                   struct memsignal *ret, struct err *e);

/* Once the descriptor was ready, or at any other time but for psi: a kill is counted after v1.oom reported it. 0 or
 * -errno; never waits. v1.pressure may fire a hundred times in a millisecond: listen again after a while. */
int memsignal_read(struct memsignal *s, struct memsignal_event *ret);

void memsignal_done(struct memsignal *s); /* accepts MEMSIGNAL_NONE */

/* Tries each on the cgroup and lets it go again, which takes some ten milliseconds (the kernel waits for RCU):
 * "v1.usage v1.oom; not psi (reason)" for a start's line in the log. Which of MEMSIGNALS work, as bits in their order;
 * -ENOMEM. */
int memsignal_survey(const struct memcg *m, struct buf *ret);

/* For the kinds. */

/* An eventfd registered with v1's cgroup.event_control for a file; argument may be "". */
int memsignal_eventfd(struct memsignal *s, const char *file, const char *argument, struct err *e);

/* How often it fired since; 0 for not at all. */
uint64_t memsignal_drain(const struct memsignal *s);

/* What of two readings rose, and which bits that is; now becomes what was seen. */
void memsignal_compare(struct memsignal *s, const struct cgroup_events *now, struct memsignal_event *ret);
