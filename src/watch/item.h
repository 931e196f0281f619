/* SPDX-License-Identifier: Apache-2.0
 *
 * A claim in the pool, with its delays and its worker. Private to the pool's files.
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
    uint64_t due_ms; /* monotonic, like all times here */
    uint64_t added_ms;
    uint64_t retain_ms;       /* it may occupy room until then */
    uint64_t series;          /* the series of the application's dumps (watch/retain.h) */
    struct volume volume;     /* of its spool */
    struct worker_slot *slot; /* of its worker; NULL: it waits */
    unsigned returned;        /* how often it was put back so that others could go first */
    struct retry_state retry;
    bool waiting_logged; /* its worker waits for the store */
    int follow_fd;       /* of a followed file, or of one whose folder may vanish; -1 */
    bool complete;       /* that file is complete */
    bool cancelled;      /* stop following: the file is gone, or others wait */
};

static inline bool item_is_followed(const struct item *i)
{
    return i->follow_fd >= 0 && !i->complete;
}
