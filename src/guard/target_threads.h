/* SPDX-License-Identifier: Apache-2.0
 *
 * How near a guard's target is to its limit of threads (pids.max). A JVM that meets it throws "unable to create native
 * thread", for which HotSpot makes no dump and runs no command: evidence has to be taken before.
 */
#pragma once

#include <sys/types.h>

#include "guard/reading.h"

/* Of one target; zeroed before the first look. */
struct target_threads {
    struct reading_value share;
    uint64_t due_ms; /* of the next look */
};

/* r->threads, by the cgroup of this process; read once a second, and more often near the limit. */
void target_threads_read(struct target_threads *g, pid_t pid, uint64_t now_ms, struct reading *r);
