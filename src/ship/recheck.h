/* SPDX-License-Identifier: Apache-2.0
 *
 * The second reading of what was read of a file while it was being written: each block must still be what it was. Reads
 * on a thread of its own, so that the rest of the file is shipped meanwhile. Compares XXH3 of blocks; keeps nothing
 * else.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct recheck {
    size_t block_size;
    uint64_t *hash; /* of each block from the file's beginning; owned */
    size_t count, capacity;

    int fd;           /* borrowed */
    const char *path; /* borrowed */
    atomic_size_t next;
    atomic_bool ended; /* the thread has: result and err stay as they are */
    int result;
    struct err err;
    pthread_t thread;
    bool running;
};

/* The next block as it was read. 0, -ENOMEM, -E2BIG. */
int recheck_add(struct recheck *c, const void *block);

/* Begins once the file is complete. Nothing is added any more. */
void recheck_start(struct recheck *c, int fd, const char *path);

/* 1 if all blocks are what they were (or none was added), 0 while that is not known; with wait it is waited for, and
 * the calling thread helps. -FAULT_CHANGED, -errno, -ENOMEM. */
int recheck_result(struct recheck *c, bool wait, struct err *e);

void recheck_done(struct recheck *c); /* in any state */
