/* SPDX-License-Identifier: Apache-2.0
 *
 * How near a target is to its limit of threads (pids.max). A JVM that reaches it throws "unable to create native
 * thread", for which HotSpot makes no dump and runs no command: the evidence has to be taken before.
 */
#pragma once

#include <sys/types.h>

#include "guard/reading.h"

/* One per target, zeroed at first. */
struct target_threads {
    struct reading_value share;
    uint64_t due_ms; /* of the next poll */
};

/* Sets r->threads from the cgroup of this process; polled once a second, more often near the limit. */
void target_threads_read(struct target_threads *g, pid_t pid, uint64_t now_ms, struct reading *r);
