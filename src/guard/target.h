/* SPDX-License-Identifier: Apache-2.0
 *
 * What a guard watches: one memory cgroup, with the kernel's signals of it, how fast it grows, and the JVM
 * in it (guard/target_jvm.h). Fills in readings (guard/reading.h), and says when to poll again. Evaluates no rule,
 * starts nothing, and asks no JVM: a poll is some reads of small files.
 */
#pragma once

#include "guard/growth.h"
#include "guard/last_known.h"
#include "guard/rule.h"
#include "guard/target_jvm.h"
#include "guard/target_name.h"
#include "guard/target_threads.h"
#include "linux/memsignal.h"

enum { TARGET_SIGNALS_MAX = 8 };
enum { TARGET_COUNTING_MS = 1000 }; /* in which the kernel counts a kill after its notice */

struct target;

/* For the loop: which signal of which target a descriptor is. */
struct target_notice {
    struct target *target;
    unsigned signal;
};

struct target {
    char name[TARGET_NAME_MAX]; /* for people: pod and container, container's id, path, or process */
    bool named;                 /* it can get no better name */
    bool in_pod;                /* the name is a pod's */
    unsigned name_tries;
    uint64_t name_at_ms; /* of the next */
    char key[RULE_KEY_MAX];
    int number;        /* the rule's */
    bool settled;      /* the key: a container that is being set up does not say yet whose it is */
    pid_t given_pid;   /* --pid: that process, and no other; 0: the largest */
    struct proc given; /* its folder, which tells it from a later process of the same number; fd -1 */
    struct memcg memcg;
    struct memsignal signal[TARGET_SIGNALS_MAX];
    unsigned signals;
    struct target_notice notice[TARGET_SIGNALS_MAX];
    unsigned notices_tried;                  /* how many kinds were tried */
    bool notices_open;                       /* to all of them */
    bool noticed;                            /* a notice came since the last poll */
    unsigned arrived;                        /* signals that came since the owner cleared it, bit by number */
    uint64_t counting_until_ms;              /* after a notice of an OOM whose kill may not be counted yet */
    bool usage_noticed;                      /* the kernel tells when usage comes near: looks may be rare until then */
    uint64_t notice_limit, notice_threshold; /* the limit when that was asked for, and the threshold */
    int64_t level[TARGET_SIGNALS_MAX];       /* of a v1.pressure signal: enum reading_pressure */
    struct target_jvm jvm;
    struct target_threads threads;
    struct last_known last;
    uint64_t victim_at_ms; /* when to look for its largest process again, while memory is short */
    struct growth all;     /* of what is no page of a file: does it come to its limit? */
    struct growth felt;    /* with dirty pages: when to look again */
    struct cgroup_events seen;
    bool counted; /* seen was read */
    struct target_psi {
        uint64_t window_ms, at_ms, some_us, full_us;
        struct reading_value some, full;    /* of the last whole window, sampled */
        int64_t noticed_some, noticed_full; /* by the kernel, as soon as it was reached; it holds until: */
        uint64_t noticed_until_ms;
    } psi[READING_PSI_MAX];
    struct target_stall {
        struct target_psi *psi;
        bool full;
        int64_t share;
    } stall[TARGET_SIGNALS_MAX]; /* what a psi signal stands for */
    int64_t pressure;            /* of the last notice; it holds until: */
    uint64_t pressure_until_ms;
    uint64_t refused_log_ms; /* that no case can be begun need not be said before */
    uint64_t due_ms;         /* of the next poll */
    void *owner;             /* of the loop that has it: not read here */
};

struct target_policy {
    const struct rule_policy *rules;
    uint64_t dump_rate; /* bytes of a dump a second, for oom-in<=dump */
    bool core;          /* then a core's */
};

/* pid: of a process, whose cgroup it is; or path: a cgroup's folder. */
int target_open(const struct target_policy *p, pid_t pid, const char *path, struct target *ret, struct err *e);
void target_done(struct target *t);

/* Opens the next signal that is wanted, if it works here: signals has then grown. One at a time, as the kernel waits
 * for all processors before it takes a threshold of v1's (10 ms and more). False: there are no more. */
bool target_open_notice(const struct target_policy *p, struct target *t, uint64_t now_ms);

/* Signal i's descriptor is ready. -ENODEV: the cgroup is gone. */
int target_read_notice(struct target *t, unsigned i, uint64_t now_ms);

/* From now on it is that process alone: pid is what the target was opened by. */
void target_restrict_to(struct target *t, pid_t pid);

/* Whether the given process has ended (a zombie has not). */
bool target_has_ended(const struct target *t);

/* 0 and the reading; sets due_ms. -ENODEV: the cgroup, or the given process, is gone. Other -errno: not this time. */
int target_poll(const struct target_policy *p, struct target *t, uint64_t now_ms, struct reading *ret);

/* Before a case: the memory of the same reading, with memory.stat read afresh. */
int target_confirm(struct target *t, uint64_t now_ms, struct reading *r);

/* While its names are not known, tries again from time to time: a container that is being set up does not say yet who
 * it is. True: it has a new name. */
bool target_rename(struct target *t, uint64_t now_ms);

/* The key anew; whether it is another one. */
bool target_settle(struct target *t);

/* The kernel's count of kills in it, once more; where it can be read no more, as it was. */
uint64_t target_kills(struct target *t);

/* Who it belongs to, into out: the namespace of its pod, else the user of its largest process. */
const char *target_tenant(struct target *t, char out[RULE_TENANT_MAX]);

/* The process that a case is of: the given one, else the largest; 0 if there is none. */
pid_t target_victim(const struct target *t);

/* For the looks and the signals (guard/target_notices.c). The way to the nearest amount of memory that a condition
 * names; UINT64_MAX without. */
uint64_t target_next_threshold(const struct rule_policy *rules, const struct memcg_sample *s);

/* A notice comes when 128 pages more are charged on some processor, up to 100 ms late at 5 MiB/s: so that far ahead of
 * a threshold looks take over. */
uint64_t target_ahead(uint64_t limit);
