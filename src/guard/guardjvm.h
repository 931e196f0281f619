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

struct guardjvm {
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

#define GUARDJVM_NONE ((struct guardjvm){.proc = PROC_NONE, .fd = -1})

void guardjvm_done(struct guardjvm *j);

/* Whether it has to be told which process may be one: none is known, or the one that was has ended. */
bool guardjvm_asks(struct guardjvm *j, uint64_t now_ms);

/* pid 0: none. One that starts up has no counters yet: asked for again. */
void guardjvm_try(struct guardjvm *j, pid_t pid, uint64_t now_ms);

/* Fills in what of the reading is a JVM's; m: the cgroup; r->own is there already, read just before. */
void guardjvm_read(struct guardjvm *j, struct memcg *m, uint64_t dump_rate, uint64_t now_ms, struct reading *r);

/* The same when nobody wants to know. */
void guardjvm_skip(struct guardjvm *j, struct reading *r);
