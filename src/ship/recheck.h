/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads again what was read of a file while it was being written: each block must be unchanged. Reads on its own
 * thread, while the rest of the file is shipped. Compares the XXH3 of blocks; stores nothing else.
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
    atomic_bool ended; /* the thread has ended: result and err no longer change */
    int result;
    struct err err;
    pthread_t thread;
    bool running;
};

/* Records the next block as it was read. 0, -ENOMEM, -E2BIG. */
int recheck_add(struct recheck *c, const void *block);

/* Starts comparing; the file is complete. No block is added after this. */
void recheck_start(struct recheck *c, int fd, const char *path);

/* 1 if all blocks are unchanged (or none was added), 0 while that is not known. wait: until it is known; the calling
 * thread compares, too. -FAULT_CHANGED, -errno, -ENOMEM. */
int recheck_result(struct recheck *c, bool wait, struct err *e);

void recheck_done(struct recheck *c); /* in any state */
