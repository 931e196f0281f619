/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Who waits for whom in a thread dump: deadlocks, and queues of threads behind the one lock at the root
 * of each.
 */
#pragma once

#include "threads/thread_dump.h"

/* Each waits for a lock that the next one holds, the last for one of the first. */
struct thread_deadlock {
    uint32_t *thread;
    uint32_t count;
    uint32_t behind; /* other threads that wait, directly or not, for one of these */
};

/* Threads that wait for one lock, or for a lock of a thread that does. */
struct thread_queue {
    uint32_t lock;
    uint32_t owner; /* a thread that waits for no owned lock; THREAD_NONE: it isn't in the dump */
    uint32_t direct, all;
    uint32_t first; /* the first direct one */
};

struct thread_waits {
    uint32_t *blocker; /* of each thread: the owner of the lock that it waits for; THREAD_NONE */
    struct thread_deadlock *deadlock;
    size_t deadlock_count;
    struct thread_queue *queue; /* longest first; of equal ones that of the first thread */
    size_t queue_count;
};

/* 0 or -ENOMEM. */
int thread_waits_find(const struct thread_dump *d, struct thread_waits *ret);
void thread_waits_done(struct thread_waits *w);

/* Whether a class that threads park for is a lock, with one owner: ReentrantLock, not a latch or a condition. */
bool thread_waits_is_lock(const char *class_name);
