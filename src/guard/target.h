/* SPDX-License-Identifier: Apache-2.0
 *
 * What a guard watches: one memory cgroup, with the kernel's notices for it, its growth, and the JVM in it
 * (guard/target_jvm.h). Fills in readings (guard/reading.h) and computes when to poll again. Evaluates no rule,
 * starts nothing, attaches to no JVM: a poll is a few reads of small files.
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
enum { TARGET_COUNTING_MS = 1000 }; /* within which the kernel counts a kill after its notice */

struct target;

/* Identifies a descriptor in the loop: which signal of which target it is. */
struct target_notice {
    struct target *target;
    unsigned signal;
};

struct target {
    char name[TARGET_NAME_MAX]; /* for logs: pod and container, container id, path, or process */
    bool named;                 /* the name is final */
    bool in_pod;                /* the name is a pod's */
    unsigned name_tries;
    uint64_t name_at_ms; /* of the next try */
    char key[RULE_KEY_MAX];
    int number;        /* its number in the rules */
    bool settled;      /* the key is final: of a container that is being set up it is not known yet */
    pid_t given_pid;   /* --pid: that process, and no other; 0: the largest */
    struct proc given; /* its /proc folder, which identifies it though its number may be used again; fd -1 */
    struct memcg memcg;
    struct memsignal signal[TARGET_SIGNALS_MAX];
    unsigned signals;
    struct target_notice notice[TARGET_SIGNALS_MAX];
    unsigned notices_tried;     /* kinds of notices that were tried */
    bool notices_open;          /* all kinds were tried */
    bool noticed;               /* a notice came since the last poll */
    unsigned arrived;           /* signals since the owner cleared it, a bit for each index */
    uint64_t counting_until_ms; /* after a notice of an OOM whose kill may not be counted yet */
    bool usage_noticed;         /* the kernel sends a notice when usage rises: polls may be rare until then */
    uint64_t notice_limit, notice_threshold; /* the limit when that notice was set up, and its threshold */
    int64_t level[TARGET_SIGNALS_MAX];       /* for a v1.pressure signal: enum reading_pressure */
    struct target_jvm jvm;
    struct target_threads threads;
    struct last_known last;
    uint64_t victim_at_ms;      /* when to find its largest process again, while memory is short */
    struct growth growth_firm;  /* growth without file pages: does it reach the limit? */
    struct growth growth_total; /* growth with dirty pages: when to poll again */
    struct cgroup_events seen;
    bool counted; /* seen was read */
    struct target_psi {
        uint64_t window_ms, at_ms, some_us, full_us;
        struct reading_value some, full;    /* sampled over the last whole window */
        int64_t noticed_some, noticed_full; /* by the kernel's notice; valid until noticed_until_ms */
        uint64_t noticed_until_ms;
    } psi[READING_PSI_MAX];
    struct target_stall {
        struct target_psi *psi;
        bool full;
        int64_t share;
    } stall[TARGET_SIGNALS_MAX]; /* the threshold of a psi signal */
    int64_t pressure;            /* by the last notice; valid until pressure_until_ms */
    uint64_t pressure_until_ms;
    uint64_t refused_log_ms; /* that no case can be begun is not logged again before */
    uint64_t due_ms;         /* of the next poll */
    void *owner;             /* the owning loop's, not used here */
};

struct target_policy {
    const struct rule_policy *rules;
    uint64_t dump_rate; /* bytes of a dump a second, for oom-in<=dump */
    bool core;          /* a core is taken: dump_ms is set for processes without a JVM, too */
};

/* Opens the memory cgroup of the process pid, or the cgroup whose folder is path (then pid is 0). */
int target_open(const struct target_policy *p, pid_t pid, const char *path, struct target *ret, struct err *e);
void target_done(struct target *t);

/* Opens the next notice that a condition needs, if it works here: signals has then grown. One per call, as the
 * kernel waits for all processors when a v1 threshold is set (10 ms and more). False: there are no more. */
bool target_open_notice(const struct target_policy *p, struct target *t, uint64_t now_ms);

/* Signal i's descriptor is ready. -ENODEV: the cgroup is gone. */
int target_read_notice(struct target *t, unsigned i, uint64_t now_ms);

/* Restricts the target to this process, by which it was opened. */
void target_restrict_to(struct target *t, pid_t pid);

/* Whether the given process has ended (a zombie has not). */
bool target_has_ended(const struct target *t);

/* 0 and the reading; sets due_ms. -ENODEV: the cgroup, or the given process, is gone. Other -errno: this poll
 * failed, try again. */
int target_poll(const struct target_policy *p, struct target *t, uint64_t now_ms, struct reading *ret);

/* Before a case: updates the memory values of the reading, with memory.stat read afresh. */
int target_confirm(struct target *t, uint64_t now_ms, struct reading *r);

/* While its name is not final, tries again from time to time: the environment of a container that is being set up
 * does not name the pod yet. True: it has a new name. */
bool target_rename(struct target *t, uint64_t now_ms);

/* Determines the key again, for the last time. True if it has changed. */
bool target_settle(struct target *t);

/* Reads the kernel's count of kills in it again; the last known count if it cannot be read any more. */
uint64_t target_kills(struct target *t);

/* Its tenant into out: the namespace of its pod, else the user of its largest process. */
const char *target_tenant(struct target *t, char out[RULE_TENANT_MAX]);

/* The process of which a case takes evidence: the given one, else the largest; 0 if there is none. */
pid_t target_victim(const struct target *t);

/* Shared by guard/target.c and guard/target_notices.c. Bytes to the nearest amount of memory that a condition names;
 * UINT64_MAX without. */
uint64_t target_next_threshold(const struct rule_policy *rules, const struct memcg_sample *s);

/* The kernel sends a notice only after 128 more pages were charged on some processor, up to 100 ms late at 5 MiB/s:
 * so polling takes over this many bytes ahead of a threshold. */
uint64_t target_ahead(uint64_t limit);
