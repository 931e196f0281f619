/* SPDX-License-Identifier: Apache-2.0
 *
 * Keeps up the process that asks the store (agent/storecheck.h) beside a libuv loop: starts it, starts it again when it
 * has died before its time, ends it with the loop.
 */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "agent/child.h"
#include "base/backoff.h"

struct storekeeper {
    struct child child;
    uv_timer_t timer; /* for the next start, or for our patience with the end */
    struct backoff backoff;
    char *const *args;
    bool done, closing;
};

/* args: NULL-terminated; borrowed. */
void storekeeper_start(struct storekeeper *k, uv_loop_t *loop, char *const *args);

/* The loop ends once the process has. Also of one that was never started (zeroed). */
void storekeeper_close(struct storekeeper *k);
