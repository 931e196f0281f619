/* SPDX-License-Identifier: Apache-2.0
 *
 * One OOM kill: the process, its cgroup, its size, the limit, and the other processes. Plain bytes: copied by
 * assignment, owns nothing. Written as JSON, oom-kill.json in a case; docs/oom-kill.md is generated from the table
 * of fields. Readers ignore unknown fields.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json_fields.h"
#include "place/containerid.h"

#define OOMKILL_SCHEMA "salvage.oom-kill/1"
#define OOMKILL_UNKNOWN UINT64_MAX /* an unknown number, or no limit */
#define OOMKILL_NO_SCORE INT_MIN

enum {
    OOMKILL_NAME_MAX = 16,   /* the kernel's TASK_COMM_LEN */
    OOMKILL_PATH_MAX = 1024, /* longer paths do not fit into a record of the kernel log */
    OOMKILL_WORDS_MAX = 128,
    OOMKILL_STAT_NAME_MAX = 40,
    OOMKILL_STATS_MAX = 160, /* Linux 6.18 with cgroup v1 writes 82 */
    OOMKILL_TASKS_MAX = 512,
    OOMKILL_GROUP_MAX = 64,
    OOMKILL_HOST_MAX = 256, /* for names of pods, containers, hosts */
    OOMKILL_BOOT_MAX = 37,  /* boot ids */
    OOMKILL_CASE_MAX = 24
};

/* A process as the kernel saw it. Sizes in bytes. */
struct oomkill_process {
    uint64_t pid, uid, total_vm, rss, rss_anon, rss_file, rss_shmem, pgtables, swap;
    int oom_score_adj;
    char name[OOMKILL_NAME_MAX]; /* any bytes, chosen by the process */
};

/* Bytes; failcnt: how often the limit was hit. */
struct oomkill_amount {
    uint64_t usage, limit, failcnt;
};

/* The thread whose allocation failed. */
struct oomkill_invoker {
    char name[OOMKILL_NAME_MAX];
    uint64_t pid;
    char gfp[OOMKILL_WORDS_MAX]; /* the allocation, in the kernel's words */
    int order;                   /* its size: 2 to the power of this, in pages */
    int oom_score_adj;
};

struct oomkill_stat {
    char name[OOMKILL_STAT_NAME_MAX];
    uint64_t value;
};

struct oomkill {
    /* Static strings; NULL unknown. */
    const char *source; /* "kernel-log" */
    const char *why;    /* "limit", "parent-limit", "machine", "cpuset", "memory-policy" */
    const char *note;   /* what is missing, and why */
    int64_t time_ns;    /* since 1970; 0 unknown. Set by the caller, as the log has the time since boot only. */

    struct oomkill_process process;
    char task_cgroup[OOMKILL_PATH_MAX];  /* the cgroup of the process; "" unknown */
    char limit_cgroup[OOMKILL_PATH_MAX]; /* the cgroup whose limit was hit; "" if none was */
    struct oomkill_amount memory, swap, memory_swap, kmem;
    uint64_t ram; /* of the machine, if the machine ran out */

    struct {
        char container_id[CONTAINERID_MAX], pod_uid[PODUID_MAX];
        /* Set by the caller. */
        char namespace[OOMKILL_HOST_MAX], pod[OOMKILL_HOST_MAX], container[OOMKILL_HOST_MAX], host[OOMKILL_HOST_MAX];
    } where;

    struct oomkill_invoker invoker;

    struct { /* other processes killed because of memory.oom.group */
        char cgroup[OOMKILL_PATH_MAX];
        struct oomkill_process process[OOMKILL_GROUP_MAX];
        unsigned count, total;
        unsigned again; /* repeated lines for these processes; the cgroup's counter counts them, too */
    } group;

    bool reaped; /* the kernel reaped the memory before the process had ended */

    struct {
        char release[OOMKILL_WORDS_MAX], boot_id[OOMKILL_BOOT_MAX]; /* set by the caller */
        uint64_t sequence, usec;
    } kernel;

    char case_id[OOMKILL_CASE_MAX]; /* set by the caller: the case of the evidence taken before the kill */

    struct oomkill_stat stat[OOMKILL_STATS_MAX]; /* memory.stat of limit_cgroup, at the kill */
    unsigned stat_count;
    struct oomkill_process task[OOMKILL_TASKS_MAX]; /* the largest, in the kernel's order */
    unsigned task_count, task_total;
};

/* Sets everything to unknown. The entries of the lists stay as they are. */
void oomkill_init(struct oomkill *k);
void oomkill_process_init(struct oomkill_process *p);

/* Sets a text field of size bytes unless it is set. NULL and "" are ignored. */
void oomkill_set(char *ret, size_t size, const char *text);

/* Appends lines of "NAME N", as memory.stat has them. Other lines are ignored. */
void oomkill_add_stats(struct oomkill *k, const char *text);

/* Appends the JSON, in one line or indented, with a new line at its end. Invalid UTF-8 becomes U+FFFD. 0, -ENOMEM,
 * or -EMSGSIZE beyond ret's ceiling. */
int oomkill_encode(const struct oomkill *k, bool indented, struct buf *ret);

extern const struct json_field OOMKILL_FIELDS[]; /* also for the generated docs */
