/* SPDX-License-Identifier: Apache-2.0
 *
 * Several dumps of one process compared: which threads never moved, and what CPU each used between them. Threads are
 * the same by id and name.
 */
#pragma once

#include "threads/thread_activity.h"

struct thread_comparison {
    size_t dumps;
    double ms;                     /* from the first to the last; -1 unknown */
    bool *same_stack;              /* of each thread of the last dump: in all dumps, with the same frames */
    double *cpu_ms;                /* of each: used since the first dump; since its start if it is newer; -1 unknown */
    double *span_ms;               /* of each: the time in which it did; -1 unknown */
    uint32_t same, started, ended; /* threads, without the JVM's own */
};

/* With one dump, cpu_ms and span_ms are since the threads' start, and no thread has same_stack. 0 or -ENOMEM. */
int thread_comparison_make(const struct thread_dumps *all, struct thread_comparison *ret);
void thread_comparison_done(struct thread_comparison *c);
