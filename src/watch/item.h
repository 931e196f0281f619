/* SPDX-License-Identifier: Apache-2.0
 *
 * A claim with the pool: its delays, and the worker that is at it. Private to the pool and what decides for it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/retry.h"
#include "linux/volume.h"
#include "ship/claim.h"

struct worker_slot;

struct item {
    struct claim *claim;
    struct item *next;
    uint64_t due_ms; /* monotonic, as all here */
    uint64_t added_ms;
    uint64_t retain_ms;       /* until when it may take up room */
    uint64_t series;          /* of the same application's dumps (watch/retain.h) */
    struct volume volume;     /* that its spool lies on */
    struct worker_slot *slot; /* of the worker that is at it; NULL: it waits */
    unsigned returned;        /* how often it was put back to let others through */
    struct retry_state retry;
    bool waiting_logged; /* its worker waits for the store */
    int follow_fd;       /* of a followed file, -1 */
    bool complete;       /* the followed file is */
    bool cancelled;      /* the followed file is gone, or others wait */
};

static inline bool item_is_followed(const struct item *i)
{
    return i->follow_fd >= 0 && !i->complete;
}
