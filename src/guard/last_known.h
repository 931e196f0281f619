/* SPDX-License-Identifier: Apache-2.0
 *
 * What was known of a memory cgroup and of its largest process while both were there: for the record of a kill, after
 * which neither may be. Also tells which kills are of this cgroup, and which of those that the kernel has counted its
 * log does not have.
 */
#pragma once

#include "linux/memcg.h"
#include "oom/oomkill.h"
#include "place/identity.h"
#include "place/whoami.h"

struct last_known {
    pid_t pid; /* 0: no process is known */
    char name[OOMKILL_NAME_MAX];
    struct whoami who; /* host NULL: unknown */
    char container_id[CONTAINERID_MAX], pod_uid[PODUID_MAX];
    char *path; /* of the cgroup, below where its hierarchy is mounted, "/kubepods/…"; NULL unknown */
    char *stat; /* memory.stat while little was left; NULL: was never short of memory */
    char *text; /* the memcg's stat_text, once needed */
    uint64_t stat_at_ms;
    struct memcg_sample sample, stat_sample; /* the last one; and that of the same moment as stat */
    struct {                                 /* evidence of the process that was taken; id "": none */
        char id[IDENTITY_MAX];
        int64_t time_ns;
    } taken;
    bool counted;
    uint64_t reported; /* kills that were reported, as a number of the kernel's count */
    uint64_t reported_at_ms;
    uint64_t due, due_ms; /* Kills up to `due` are reported from the counter alone after due_ms; 0: none */
};

/* The cgroup itself, once. */
void last_known_cgroup(struct last_known *l, const struct memcg *m);

/* Its largest process, or another one that matters more; the same again costs nothing. */
void last_known_process(struct last_known *l, pid_t pid);

/* With each sample of m, which must not outlive l. Keeps memory.stat while little is left. */
void last_known_memory(struct last_known *l, struct memcg *m, const struct memcg_sample *s, uint64_t now_ms);

void last_known_done(struct last_known *l);

/* Whether the kill is of this cgroup, by the pid with its name, the container's id, or the cgroup's path: one of them
 * is seen from everywhere. */
bool last_known_is(const struct last_known *l, const struct oomkill *k);

/* Whether inner's cgroup is outer's, or below it. */
bool last_known_holds(const struct last_known *outer, const struct last_known *inner);

/* Adds what the kernel log did not have. */
void last_known_complete(const struct last_known *l, struct oomkill *k);

/* A kill that is known by the counter alone. why: no log could be read, or it had nothing of it. */
void last_known_kill(const struct last_known *l, const char *why, int64_t time_ns, struct oomkill *ret);

/* The kernel log had so many. */
void last_known_reported(struct last_known *l, uint64_t kills, uint64_t now_ms);

/* The kernel's count as it is now, with each look (the first is where counting begins). Returns how many of them
 * the log will not have any more: its lines may come up to wait_ms later. due_ms is then when to look again; 0: no
 * need.
 */
uint64_t last_known_count(struct last_known *l, uint64_t kills, uint64_t wait_ms, uint64_t now_ms);
