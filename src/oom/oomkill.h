/* SPDX-License-Identifier: Apache-2.0
 *
 * One kill for want of memory: who, in which cgroup, how big, at which limit, and what else was there. Plain bytes: it
 * is copied by assignment and owns nothing. Written as JSON, oom-kill.json in a case; docs/oom-kill.md is generated
 * from the table of fields. Readers ignore fields they do not know.
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
#define OOMKILL_UNKNOWN UINT64_MAX /* a number that is not known, or a limit that is none */
#define OOMKILL_NO_SCORE INT_MIN

enum {
    OOMKILL_NAME_MAX = 16,   /* the kernel's TASK_COMM_LEN */
    OOMKILL_PATH_MAX = 1024, /* what is longer fits no record of the kernel log */
    OOMKILL_WORDS_MAX = 128,
    OOMKILL_STAT_NAME_MAX = 40,
    OOMKILL_STATS_MAX = 160, /* Linux 6.18 with cgroup v1 writes 82 */
    OOMKILL_TASKS_MAX = 512,
    OOMKILL_GROUP_MAX = 64,
    OOMKILL_HOST_MAX = 256, /* names of pods, containers, hosts */
    OOMKILL_BOOT_MAX = 37,  /* boot ids */
    OOMKILL_CASE_MAX = 24
};

/* A process as the kernel saw it. Sizes in bytes. */
struct oomkill_process {
    uint64_t pid, uid, total_vm, rss, rss_anon, rss_file, rss_shmem, pgtables, swap;
    int oom_score_adj;
    char name[OOMKILL_NAME_MAX]; /* any bytes: the process chose them */
};

/* Bytes; failcnt: how often the limit was hit. */
struct oomkill_amount {
    uint64_t usage, limit, failcnt;
};

/* The thread whose wish for memory could not be met. */
struct oomkill_invoker {
    char name[OOMKILL_NAME_MAX];
    uint64_t pid;
    char gfp[OOMKILL_WORDS_MAX]; /* what it wished for, in the kernel's words */
    int order;                   /* 2 to the power of this, in pages */
    int oom_score_adj;
};

struct oomkill_stat {
    char name[OOMKILL_STAT_NAME_MAX];
    uint64_t value;
};

struct oomkill {
    /* Words are literals; NULL unknown. */
    const char *source; /* "kernel-log" */
    const char *why;    /* "limit", "parent-limit", "machine", "cpuset", "memory-policy" */
    const char *note;   /* what there is less of than usual, and why */
    int64_t time_ns;    /* since 1970; 0 unknown. The caller's, as the log has the time since boot only. */

    struct oomkill_process process;
    char task_cgroup[OOMKILL_PATH_MAX];  /* the process's; "" unknown */
    char limit_cgroup[OOMKILL_PATH_MAX]; /* whose limit was hit; "" if none was */
    struct oomkill_amount memory, swap, memory_swap, kmem;
    uint64_t ram; /* of the machine, if that is what was used up */

    struct {
        char container_id[CONTAINERID_MAX], pod_uid[PODUID_MAX];
        /* The caller's to fill in. */
        char namespace[OOMKILL_HOST_MAX], pod[OOMKILL_HOST_MAX], container[OOMKILL_HOST_MAX], host[OOMKILL_HOST_MAX];
    } where;

    struct oomkill_invoker invoker;

    struct { /* killed with it, because of memory.oom.group */
        char cgroup[OOMKILL_PATH_MAX];
        struct oomkill_process process[OOMKILL_GROUP_MAX];
        unsigned count, total;
        unsigned again; /* lines that name a process of these a second time; the cgroup's counter has them, too */
    } group;

    bool reaped; /* the kernel took the process's memory before the process had ended */

    struct {
        char release[OOMKILL_WORDS_MAX], boot_id[OOMKILL_BOOT_MAX]; /* the caller's to fill in */
        uint64_t sequence, usec;
    } kernel;

    char case_id[OOMKILL_CASE_MAX]; /* the caller's: the case of what was taken of the process before it was killed */

    struct oomkill_stat stat[OOMKILL_STATS_MAX]; /* of limit_cgroup, at the kill */
    unsigned stat_count;
    struct oomkill_process task[OOMKILL_TASKS_MAX]; /* the biggest, in the kernel's order */
    unsigned task_count, task_total;
};

/* Nothing known. The lists' bytes stay as they are. */
void oomkill_init(struct oomkill *k);
void oomkill_process_init(struct oomkill_process *p);

/* One of its texts, of size bytes, unless it is known already. text: NULL and "" say nothing. */
void oomkill_set(char *ret, size_t size, const char *text);

/* Lines of "NAME N", as memory.stat has them, behind those that are there. What is no such line is passed over. */
void oomkill_add_stats(struct oomkill *k, const char *text);

/* Appends the JSON: in one line or indented; a new line at its end. Bytes that are not UTF-8 as U+FFFD. 0, -ENOMEM, or
 * -EMSGSIZE beyond ret's ceiling. */
int oomkill_encode(const struct oomkill *k, bool indented, struct buf *ret);

extern const struct json_field OOMKILL_FIELDS[]; /* also for the generated docs */
