/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. What a thread does, by its state and its frames: a state alone says little, since HotSpot calls a
 * thread that waits for a socket RUNNABLE and one that waits for work WAITING.
 */
#pragma once

#include "threads/thread_dump.h"

enum thread_activity {
    THREAD_RUNS,
    THREAD_IN_IO,
    THREAD_IS_BLOCKED, /* wants a lock */
    THREAD_WAITS,      /* for another thread */
    THREAD_SLEEPS,
    THREAD_IDLE,  /* waits for work: of its pool, a selector, a socket that accepts */
    THREAD_OTHER, /* of the JVM itself, carries a virtual thread, or has ended */
    THREAD_ACTIVITIES
};

enum thread_activity thread_activity_of(const struct thread_dumps *all, const struct thread_dump *d,
                                        const struct dumped_thread *t);

/* "running", "in I/O", "blocked", ... */
const char *thread_activity_name(enum thread_activity a);

/* The first frame that is not of the JDK, or the top one; NULL if it has none. Of a carrier: of its virtual thread. */
const char *thread_where(const struct thread_dumps *all, const struct thread_dump *d, const struct dumped_thread *t);
