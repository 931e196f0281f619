/* SPDX-License-Identifier: Apache-2.0
 *
 * Moves a core from the kernel's pipe or socket into a pipe of ours, on a thread, so that its reader sees an end where
 * the core is cut: at a size or a time. The pages are moved (splice(2)), not copied. The kernel's end is closed as soon
 * as nothing more is read: then the process that died is released.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/thread.h"

struct core_pump {
    int in;            /* taken: the kernel's end */
    int copy;          /* a pipe that gets the same, -1: none; taken. If its reader fails, the rest goes on */
    uint64_t size_max; /* bytes; UINT64_MAX: none */
    uint64_t until_ms; /* monotonic */

    int out; /* for the reader; taken by the caller */
    int into;
    pthread_t thread;
    atomic_uint_least64_t moved;
    atomic_int cut; /* enum pump_cut */
};

enum pump_cut { PUMP_WHOLE, PUMP_SIZE, PUMP_TIME, PUMP_BROKEN };

/* in, copy, size_max and until_ms are set. After a failure in and copy are closed. */
int core_pump_start(struct core_pump *p, struct err *e);

/* After the reader has closed `out`: waits for the thread. */
void core_pump_join(struct core_pump *p);

/* Why the core is not whole; NULL: it is, as far as the pump knows. After the end of `out`. Static. */
const char *core_pump_partial(const struct core_pump *p);
