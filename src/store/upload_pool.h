/* SPDX-License-Identifier: Apache-2.0
 *
 * A few threads that each take one part after the other: straight-line, blocking work, as many parts at once as there
 * are threads. Bounded: handing over waits while all are busy. Knows nothing of what is done with a part, nor of
 * failure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct part; /* store/sink.h */
struct upload_pool;

struct upload_pool_ops {
    /* Called on a thread of the pool for every part that was handed over, also after upload_pool_stop. *connection:
     * what that thread keeps from part to part; NULL at first. */
    void (*work)(void *ctx, void **connection, struct part *p);
    void (*close)(void *connection); /* is not NULL */
};

enum { UPLOAD_POOL_MAX = 64 };

/* Threads start as they are needed, with small stacks and all signals blocked. 0 or -ENOMEM. */
int upload_pool_new(unsigned count, const struct upload_pool_ops *ops, void *ctx, struct upload_pool **ret);
void upload_pool_free(struct upload_pool *pool); /* stops, and waits for what is under way */

/* Hands a part over. Blocks while all threads are busy. -ECANCELED once stopped, -EAGAIN … if there is no thread and
 * none can be started: the part is then still the caller's. */
int upload_pool_put(struct upload_pool *pool, struct part *p);

/* Until nothing is under way. */
void upload_pool_drain(struct upload_pool *pool);

/* From now on nothing is accepted, and no wait lasts (upload_pool_wait). What was handed over still goes to work(). */
void upload_pool_stop(struct upload_pool *pool);
bool upload_pool_stopped(struct upload_pool *pool);

/* Sleeps; 0, or -ECANCELED as soon as the pool is stopped. On any thread. */
int upload_pool_wait(struct upload_pool *pool, uint64_t delay_ms);
