/* SPDX-License-Identifier: Apache-2.0
 *
 * The JVM in a guarded cgroup, by its counters. Asks no JVM: a look is some reads of one small file.
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
    pid_t none;           /* the process that was found to be none */
    uint64_t again_at_ms; /* to look for one */
    struct native_growth native;
    int64_t gc_ticks; /* time in collections */
    uint64_t gc_at_ms;
    struct reading_value gc;
};

#define TARGET_JVM_NONE ((struct target_jvm){.proc = PROC_NONE, .fd = -1})

void target_jvm_done(struct target_jvm *j);

/* Whether it has to be told which process may be one: none is known, or the one that was has ended. */
bool target_jvm_wants_pid(struct target_jvm *j, uint64_t now_ms);

/* pid 0: none. One that starts up has no counters yet: asked for again. */
void target_jvm_try(struct target_jvm *j, pid_t pid, uint64_t now_ms);

/* Fills in what of the reading is a JVM's; m: the cgroup; r->own is there already, read just before. */
void target_jvm_read(struct target_jvm *j, struct memcg *m, uint64_t dump_rate, uint64_t now_ms, struct reading *r);

/* The same when nobody wants to know. */
void target_jvm_skip(struct target_jvm *j, struct reading *r);
