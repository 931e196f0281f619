/* SPDX-License-Identifier: Apache-2.0
 *
 * Keeps up the process that arms JVMs beside a loop: asking a JVM blocks, and the loop never does. Starts it, starts it
 * again when it has died, ends it with the loop.
 */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "agent/child.h"
#include "base/backoff.h"

struct armkeeper {
    struct child child;
    uv_timer_t timer;
    struct backoff backoff;
    char *const *args;
    uint64_t started_ms;
    bool closing;
};

/* args: NULL-terminated; borrowed. */
void armkeeper_start(struct armkeeper *k, uv_loop_t *loop, char *const *args);

/* The loop ends once the process has. Also of one that was never started (zeroed). */
void armkeeper_close(struct armkeeper *k);
