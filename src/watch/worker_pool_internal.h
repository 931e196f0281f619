/* SPDX-License-Identifier: Apache-2.0
 *
 * The pool's state; shared by the worker_pool_*.c files and their unit test only.
 */
#pragma once

#include "base/retry.h"
#include "ship/fair.h"
#include "watch/item.h"
#include "watch/worker_pool.h"
#include "watch/worker_slot.h"

enum { POOL_SLOTS_MAX = 8 /* including lost ones */ };

struct pool {
    struct pool_config config;
    struct pool_events events;
    uv_loop_t *loop;
    uv_timer_t timer, close_timer;
    struct worker_slot slots[POOL_SLOTS_MAX];
    unsigned workers; /* at one time, by --memory */
    struct fair fair;
    char *facts; /* pool_set_facts; opaque */
    bool closing;
    bool unverified_logged;
    uint64_t next_sweep_ms;

    struct item *items;
    unsigned count, failed, discarded;
    uint64_t store_ok_until_ms; /* the store counts as working until then */
    uint64_t retain_due_ms;     /* next time the room is compared with the waiting claims; 0: now */

    uint64_t hold_until_ms; /* the store fails: no claim is started before this */
    struct retry_state hold;
};

uint64_t pool_now(const struct pool *p); /* ms, monotonic */

/* worker_pool.c. Removes a claim from the pool: calls `ended` and frees the item. */
void pool_end_item(struct pool *p, struct item *i, enum pool_outcome outcome);

/* worker_pool_schedule.c */
void pool_share_memory(struct pool *p);
/* Starts, puts back, kills and gives up whatever is due, and sets the timer for the next time. */
void pool_schedule(struct pool *p);
/* The next claim; NULL: none can start now. Lowers *ret_next_ms to the time when one can. */
struct item *pool_next_item(struct pool *p, uint64_t now, uint64_t *ret_next_ms);
/* A worker for a waiting claim; NULL while the others have only just begun theirs. Lowers *ret_next_ms. */
struct worker_slot *pool_free_slot(struct pool *p, uint64_t now, uint64_t *ret_next_ms);
/* Sends the item to the worker. If that fails at once, the item may have been freed. */
void pool_start_item(struct pool *p, struct worker_slot *s, struct item *i);
/* The worker aborts the upload of a file that is not complete, and ends. */
void pool_cancel(struct item *i);

/* worker_pool_messages.c: a worker's callbacks (ship/child.h); ctx is its slot. */
void pool_on_message(void *ctx, const struct wire *w);
void pool_on_worker_ended(void *ctx, const char *reason);
void pool_on_worker_closed(void *ctx);
bool pool_all_closed(const struct pool *p);

/* worker_pool_retry.c */
struct pool_failure {
    int code; /* negative */
    const char *reason;
    uint64_t retry_after_ms; /* that the store has asked for; 0: none */
};
/* The item is dropped or given up (freed in both cases), or waits. */
void pool_attempt_failed(struct pool *p, struct item *i, const struct pool_failure *f);

/* worker_pool_retention.c */
void pool_apply_retention(struct pool *p, uint64_t now, uint64_t *ret_next_ms);
void pool_count_room(struct pool *p, struct item *i); /* the evidence is in the spool now */
void pool_trim_kept(
    const struct pool *p,
    const struct spool *s); /* kept copies of stored files are erased before evidence that is not stored */
