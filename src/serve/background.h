/* SPDX-License-Identifier: Apache-2.0
 *
 * Work of a server beside its requests: one piece at a time on a thread, namespaces in turn (work_queue.h). How each
 * piece ended is remembered, the last RECORDS of them. Thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "serve/work_queue.h"

struct background;

struct background_config {
    /* On the thread. 0, or negative: it failed. Asks background_stops from time to time. */
    int (*work)(void *ctx, const struct work *w, struct err *e);
    void *ctx;
    size_t of_one, most; /* how much of one namespace may wait, and in all */
};

/* Work may be added at once, and is done from background_begin on. */
int background_new(const struct background_config *config, struct background **ret, struct err *e);
int background_begin(struct background *b, struct err *e);
void background_stop(struct background *b); /* waits for the thread; drops what waits. NULL is fine */
void background_free(struct background *b); /* after background_stop */

/* Whether the work has to break off. */
bool background_stops(struct background *b);

/* After the attempt of this number, from 0: whether to try again, because it was the store that failed, in a way that
 * passes. Waits before, longer each time: what comes next would meet the same. */
bool background_tries_again(struct background *b, unsigned attempt, int result);

/* A sandboxed process had no seccomp: said once. */
void background_unfiltered(void);

enum work_phase {
    WORK_NONE, /* not known */
    WORK_QUEUED,
    WORK_RUNNING,
    WORK_FAILED,
    WORK_DONE
};

struct work_state {
    enum work_phase phase;
    unsigned ahead;   /* QUEUED: how many come before it, with the one that runs */
    uint64_t seconds; /* RUNNING: since its start; DONE, FAILED: how long it took */
    char why[256];    /* FAILED: a sentence without a full stop; foreign text */
};

void background_state(struct background *b, const char *id, struct work_state *ret);

/* 0, also if it waits or runs already; -FAULT_REFUSED: it failed before, and no person asks; -FAULT_BUSY: too many
 * wait, or the server is stopping; -ENOMEM. */
int background_add(struct background *b, const struct work *w, struct err *e);

/* How it ended is forgotten. */
void background_forget(struct background *b, const char *id);

struct background_counts {
    uint64_t queued, running, done, failed, refused; /* the last three since the start */
    double seconds;                                  /* of all pieces together */
};
void background_count(struct background *b, struct background_counts *ret);
