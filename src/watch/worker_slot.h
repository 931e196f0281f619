/* SPDX-License-Identifier: Apache-2.0
 *
 * One of the pool's workers: its claim, its activity, and its end. The pool decides which claim it ships.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ship/child.h"

struct pool;
struct item;

enum {
    WORKER_SLOT_CHECK_MS = 5000, /* between checks of a worker's activity; more often if stuck_ms is short */
    WORKER_SLOT_END_MS = 5000    /* time to end by itself, before it is killed; the same again until it is lost */
};

struct worker_slot {
    struct pool *pool;
    struct child child;
    struct item *item; /* borrowed; NULL: idle */
    uint64_t memory;   /* bytes that a claim may use */
    uint64_t stuck_ms; /* without progress, until it is given up */
    uint64_t started_ms;
    uint64_t active_ms; /* its last use of the processor or last message; in the future: it may be silent until then */
    uint64_t check_ms, activity;
    uint64_t end_ms; /* time at which it has to have ended; 0: none */
    bool killed;
    bool sweeping;  /* it aborts abandoned uploads */
    bool finishing; /* all bytes are confirmed */
    bool returning; /* it was killed so that others can go first */
    bool lost;      /* not even SIGKILL ends it: it hangs in the kernel, and another worker replaces it */
};

/* A job begins now. */
void worker_slot_begin(struct worker_slot *s, struct item *item, uint64_t now_ms);
/* It has no claim any more. */
void worker_slot_idle(struct worker_slot *s);
/* It has sent a message, and may be silent until this time. */
void worker_slot_message(struct worker_slot *s, uint64_t until_ms);

/* Asks the worker to end; kill: kills it. worker_slot_check kills one that does not end, and declares it lost after
 * that. */
void worker_slot_end(struct worker_slot *s, bool kill, uint64_t now_ms);
/* The worker's process has ended, and the slot is free again. */
void worker_slot_closed(struct worker_slot *s);

/* Lowers *next_ms to the time of the worker's next check. */
void worker_slot_due(const struct worker_slot *s, uint64_t *next_ms);

/* Called at the time that an earlier call has set *ret_next_ms to. Returns for how long a worker with a claim has made
 * no progress; 0 if that is within its limit. */
uint64_t worker_slot_check(struct worker_slot *s, uint64_t now_ms, uint64_t *ret_next_ms);
