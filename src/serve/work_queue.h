/* SPDX-License-Identifier: Apache-2.0
 *
 * Work that waits: namespaces in turn, each in the order of its requests, with a ceiling for one and for all. A piece
 * of work waits once. Not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct work {
    char *id;  /* of a case, or what else names the work; its first part is the namespace. Owned */
    char *key; /* of the object. Owned */
    bool by_person;
    uint64_t since_ms; /* when it was added, by the monotonic clock; set by the queue */
};

void work_done(struct work *w);

struct work_tenant;

/* All zero but the ceilings: empty. */
struct work_queue {
    size_t of_one, most;        /* how much of one namespace may wait, and in all */
    struct work_tenant *tenant; /* whose turn it is comes first */
    size_t count, capacity;     /* of tenants */
    size_t in_all;
};

void work_queue_done(struct work_queue *q);

/* 0; -EALREADY: it waits already; -EBUSY: no more may wait, of this namespace or in all; -ENOMEM. */
int work_queue_add(struct work_queue *q, const char *id, const char *key, bool by_person);

/* The next piece of work, the caller's; false: there is none. */
bool work_queue_take(struct work_queue *q, struct work *ret);

/* How much is taken before it; -1: it does not wait. */
int work_queue_ahead(const struct work_queue *q, const char *id);
