/* SPDX-License-Identifier: Apache-2.0
 *
 * One of the pool's workers: its job, since when, whether it is active, and how it is ended. Which job, and which is
 * next, is the pool's business.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ship/child.h"

struct pool;
struct item;

enum {
    WORKER_SLOT_CHECK_MS = 5000, /* between checks of a worker's activity; more often where stuck_ms is short */
    WORKER_SLOT_END_MS = 5000    /* what it has to end by itself; then it is killed, and as long again to be gone */
};

struct worker_slot {
    struct pool *pool;
    struct child child;
    struct item *item; /* borrowed; NULL: idle */
    uint64_t memory;   /* that a job here may take, bytes */
    uint64_t stuck_ms; /* without a move, until it is given up */
    uint64_t started_ms;
    uint64_t
        active_ms; /* when it last used the processor or sent a message; in the future: it may be silent until then */
    uint64_t check_ms, activity;
    uint64_t end_ms; /* when it is to be gone by; 0: it may stay */
    bool killed;
    bool sweeping;  /* it searches for abandoned uploads */
    bool finishing; /* all bytes are in the store */
    bool returning; /* it is killed to let others through */
    bool lost;      /* not even SIGKILL ends it: it hangs in the kernel, and another takes its place */
};

/* A job begins now. */
void worker_slot_begin(struct worker_slot *s, struct item *item, uint64_t now_ms);
/* It has no job any more. */
void worker_slot_idle(struct worker_slot *s);
/* It sent a message, and may be silent until then. */
void worker_slot_message(struct worker_slot *s, uint64_t until_ms);

/* Asks the worker to end, kill: at once. What does not obey is killed by worker_slot_check, or lost. */
void worker_slot_end(struct worker_slot *s, bool kill, uint64_t now_ms);
/* The worker's process is gone, and the slot free again. */
void worker_slot_closed(struct worker_slot *s);

/* Lowers *next_ms to when a worker with a job is to be checked. */
void worker_slot_due(const struct worker_slot *s, uint64_t *next_ms);

/* To be called when the time has come that an earlier call lowered *ret_next_ms to. Returns how long a worker with a
 * job has not moved, 0 if that is less than it has. */
uint64_t worker_slot_check(struct worker_slot *s, uint64_t now_ms, uint64_t *ret_next_ms);
