/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. A record of an OOM kill (salvage.oom-kill/1) as a page shows it: amounts, and the processes that the
 * kernel chose from, the largest first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RECORD_NAME_MAX = 64, RECORD_TEXT_MAX = 512, RECORD_TASKS_MAX = 64, RECORD_STATS_MAX = 12 };

struct record_task {
    char name[RECORD_NAME_MAX];
    uint64_t pid, rss, swap; /* bytes */
    bool killed;
};

struct record_stat {
    char name[RECORD_NAME_MAX];
    uint64_t bytes;
};

struct oom_record {
    bool known;
    uint64_t usage, limit, failcnt; /* 0 unknown */
    uint64_t rss, rss_anon, rss_file, rss_shmem;
    char cgroup[RECORD_TEXT_MAX], note[RECORD_TEXT_MAX];
    struct record_task task[RECORD_TASKS_MAX];
    unsigned task_count;
    uint64_t tasks_total;                      /* that the kernel chose from */
    struct record_stat stat[RECORD_STATS_MAX]; /* of memory.stat: those that say what the memory is, not 0 */
    unsigned stat_count;
};

/* What is no such record leaves *ret unknown. Texts may hold anything. */
void oom_record_read(const char *json, size_t size, struct oom_record *ret);
