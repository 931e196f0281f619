/* SPDX-License-Identifier: Apache-2.0
 *
 * Keeps a process of ours running beside a libuv loop, for work that blocks: arming JVMs, checking the store. Starts
 * it, starts it again when it has died, and ends it with the loop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/backoff.h"
#include "ship/child.h"

/* One kind of process. */
struct child_supervisor_kind {
    unsigned first_ms, most_ms; /* between its death and the next start: doubled from one to the other */
    unsigned long_ms;           /* one that has run for longer begins again with first_ms; 0: none does */
    unsigned patience_ms;       /* from our end to its SIGKILL */
    void (*log_died)(const char *reason, uint64_t retry_in_ms);
};

extern const struct child_supervisor_kind CHILD_SUPERVISOR_ARMER;
/* ship/storecheck.h; it sends WIRE_CHECKED before it ends because all is well. */
extern const struct child_supervisor_kind CHILD_SUPERVISOR_STORECHECK;

struct child_supervisor {
    const struct child_supervisor_kind *kind;
    struct child child;
    uv_timer_t timer; /* for the next start, or for our patience with the end */
    struct backoff backoff;
    char *const *args;
    uint64_t started_ms;
    bool done, closing;
};

/* args: NULL-terminated; borrowed. */
void child_supervisor_start(struct child_supervisor *k, const struct child_supervisor_kind *kind, uv_loop_t *loop,
                            char *const *args);

/* The loop ends once the process has. Also of one that was never started (zeroed). */
void child_supervisor_close(struct child_supervisor *k);
