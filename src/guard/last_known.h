/* SPDX-License-Identifier: Apache-2.0
 *
 * What was known of a memory cgroup and its largest process while both existed, for the record of a kill, when both
 * may be gone. Also decides which kills belong to this cgroup, and which kills the kernel has counted but not
 * logged.
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
    char *path; /* of the cgroup, relative to the mount of its hierarchy, "/kubepods/…"; NULL unknown */
    char *stat; /* memory.stat from when little memory was left; NULL: never short of memory */
    char *text; /* buffer for the memcg's stat_text, once needed */
    uint64_t stat_at_ms;
    struct memcg_sample sample, stat_sample; /* the last sample; and the one taken together with stat */
    struct {                                 /* the last case of the process; id "": none */
        char id[IDENTITY_MAX];
        int64_t time_ns;
    } taken;
    bool counted;
    uint64_t reported; /* reported kills, comparable with the kernel's count */
    uint64_t reported_at_ms;
    uint64_t due, due_ms; /* kills up to `due` are reported from the counter alone after due_ms; 0: none */
};

/* Sets path and ids of the cgroup. Once. */
void last_known_cgroup(struct last_known *l, const struct memcg *m);

/* Sets the process: its largest, or a given one. Calling it again with the same pid costs nothing. */
void last_known_process(struct last_known *l, pid_t pid);

/* Call with each sample of m, which must not outlive l. Keeps memory.stat while little memory is left. */
void last_known_memory(struct last_known *l, struct memcg *m, const struct memcg_sample *s, uint64_t now_ms);

void last_known_done(struct last_known *l);

/* Whether the kill belongs to this cgroup, by the pid with its name, the container's id, or the cgroup's path: not
 * all of them are visible in each namespace. */
bool last_known_is(const struct last_known *l, const struct oomkill *k);

/* Whether inner's cgroup is outer's, or below it. */
bool last_known_holds(const struct last_known *outer, const struct last_known *inner);

/* Adds to k what the kernel log did not have. */
void last_known_complete(const struct last_known *l, struct oomkill *k);

/* A kill that is known from the counter alone. why: there is no log, or the log does not have it. */
void last_known_kill(const struct last_known *l, const char *why, int64_t time_ns, struct oomkill *ret);

/* So many kills were found in the kernel log. */
void last_known_reported(struct last_known *l, uint64_t kills, uint64_t now_ms);

/* Call with the kernel's count at each poll; the first call sets the base. Returns how many kills the log will not
 * have any more: its lines may come up to wait_ms later. due_ms is then when to call again; 0: no need. */
uint64_t last_known_count(struct last_known *l, uint64_t kills, uint64_t wait_ms, uint64_t now_ms);
