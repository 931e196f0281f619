/* SPDX-License-Identifier: Apache-2.0
 *
 * A component as a process: started, started again with back-off when it dies, ended by SIGTERM and, after its grace,
 * by SIGKILL. Ends with us (linux/launch.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/backoff.h"
#include "base/counters.h"
#include "node/components.h"

struct component {
    struct component_spec spec; /* as it shall run; owned */
    pid_t pid;                  /* 0: it does not run */
    struct backoff backoff;
    uint64_t started_ms, due_ms; /* due: its next start or its SIGKILL; UINT64_MAX: neither */
    uint64_t stamp;              /* of the credentials that it was started with */
    struct counters_source counters;
    bool ending; /* asked to end */
    bool killed;
    bool wanted; /* false: forgotten once it has ended */
};

/* Takes the spec over, and starts it. */
void component_init(struct component *c, struct component_spec *spec);

/* With another spec: what runs is ended, and the new one started afterwards. */
void component_change(struct component *c, struct component_spec *spec, uint64_t grace_ms);

/* The same if its credentials have changed. */
void component_check_credentials(struct component *c, uint64_t grace_ms);

/* The configuration has changed, not its command line. */
void component_reload(const struct component *c);

/* Asks it to end for good. */
void component_end(struct component *c, uint64_t grace_ms);

/* It ended; status: as from waitpid(2). */
void component_reaped(struct component *c, int status);

/* Called when due_ms has come. */
void component_on_time(struct component *c, uint64_t now_ms);

bool component_is_over(const struct component *c); /* not wanted, and ended */
void component_done(struct component *c);
