/* SPDX-License-Identifier: Apache-2.0
 *
 * Supervises a process of ours beside a libuv loop, for work that blocks: arming JVMs, checking the store. Starts it,
 * restarts it when it has died, and ends it with the loop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/backoff.h"
#include "ship/child.h"

/* One kind of process. */
struct child_supervisor_kind {
    unsigned first_ms, most_ms; /* from its death to its next start: first_ms, then doubled up to most_ms */
    unsigned long_ms;           /* a process that ran for longer is restarted after first_ms again; 0: never */
    unsigned patience_ms;       /* from the loop's end to its SIGKILL */
    void (*log_died)(const char *reason, uint64_t retry_in_ms);
};

/* patience_ms of the notifier: it delivers what has come last. */
extern const struct child_supervisor_kind CHILD_SUPERVISOR_ARMER, CHILD_SUPERVISOR_NOTIFIER;
/* ship/storecheck.h; it sends WIRE_CHECKED before it ends after a successful check. */
extern const struct child_supervisor_kind CHILD_SUPERVISOR_STORECHECK;

struct child_supervisor {
    const struct child_supervisor_kind *kind;
    struct child child;
    uv_timer_t timer; /* for the next start, or for the SIGKILL */
    struct backoff backoff;
    char *const *args;
    uint64_t started_ms;
    bool done, closing;
    /* For WIRE_FACTS; may be set after the start. NULL: ignored. */
    void (*facts)(void *ctx, const char *text);
    void (*restarted)(void *ctx); /* the process was started again; may be set after the first start. NULL: none */
    void *ctx;
};

/* args: NULL-terminated; borrowed. */
void child_supervisor_start(struct child_supervisor *k, const struct child_supervisor_kind *kind, uv_loop_t *loop,
                            char *const *args);

/* The loop can end once the process has ended. Also valid for a zeroed struct. */
void child_supervisor_close(struct child_supervisor *k);
