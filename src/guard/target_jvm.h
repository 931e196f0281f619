/* SPDX-License-Identifier: Apache-2.0
 *
 * The JVM in a guarded cgroup, by its counters. Attaches to no JVM: a poll is a few reads of one small file.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "guard/native_growth.h"
#include "guard/reading.h"
#include "hotspot/counters.h"
#include "linux/memcg.h"

struct target_jvm {
    pid_t pid; /* 0: none is known */
    struct proc proc;
    int fd; /* of its counters */
    struct counters counters;
    pid_t none;           /* the process that was found to be no JVM */
    uint64_t again_at_ms; /* when to look for a JVM again */
    struct native_growth native;
    int64_t gc_ticks; /* time in collections */
    uint64_t gc_at_ms;
    struct reading_value gc;
};

#define TARGET_JVM_NONE ((struct target_jvm){.proc = PROC_NONE, .fd = -1})

void target_jvm_done(struct target_jvm *j);

/* Whether target_jvm_try has to be called: no JVM is known, or it has ended. */
bool target_jvm_wants_pid(struct target_jvm *j, uint64_t now_ms);

/* Looks whether this process is a JVM with counters; pid 0: there is no process. A JVM that is starting has no
 * counters yet: tried again later. */
void target_jvm_try(struct target_jvm *j, pid_t pid, uint64_t now_ms);

/* Fills in the JVM's values of the reading. m: the cgroup. r->firm has to be set, from a sample taken just before. */
void target_jvm_read(struct target_jvm *j, struct memcg *m, uint64_t dump_rate, uint64_t now_ms, struct reading *r);

/* The same where no condition needs these values: they become unknown. */
void target_jvm_skip(struct target_jvm *j, struct reading *r);
