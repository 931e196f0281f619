/* SPDX-License-Identifier: Apache-2.0
 *
 * For how long evidence that could not be shipped may occupy room, and how much room: the only place where evidence is
 * erased without being in a store. watch/discard.h chooses what is erased first, watch/room.h computes the room.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/opt.h"

struct retention {
    uint64_t age_ms;                          /* 0: no limit */
    uint64_t bytes;                           /* 0: no limit */
    bool automatic;                           /* if bytes is 0: a part of each volume (watch/room.h) */
    uint64_t tenant_bytes;                    /* of one tenant on all volumes; 0: no limit */
    uint64_t keep_free;                       /* bytes that stay free on each volume; 0: not said */
    unsigned keep_free_percent;               /* the same, of the volume's size */
    uint64_t volume_limit, ephemeral_storage; /* the limit by which the kubelet evicts; 0: unknown */
};

/* Rows for a command's table of options; `o`: the type of its options, `r`: the struct retention in it. */
#define RETENTION_LIMITS(o, r)                                                                                         \
    {OPT_SIZE,                                                                                                         \
     0,                                                                                                                \
     "volume-limit",                                                                                                   \
     "SIZE",                                                                                                           \
     NULL,                                                                                                             \
     offsetof(o, r.volume_limit),                                                                                      \
     "what each volume may hold, where that can't be seen: the sizeLimit of an emptyDir, beyond which the kubelet "    \
     "evicts the pod. For --retain-bytes auto"},                                                                       \
    {                                                                                                                  \
        OPT_SIZE, 0, "ephemeral-storage", "SIZE", NULL, offsetof(o, r.ephemeral_storage),                              \
            "the same of the pod's limit of ephemeral storage (limits.ephemeral-storage by the downward API), for "    \
            "volumes that are a part of the node's disk; the smaller one counts"                                       \
    }

/* Parses "auto", "none" or a size into r. -FAULT_USAGE. */
int retention_set_bytes(struct retention *r, const char *text, struct err *e);

/* Parses "17%", a size or "none" into r. -FAULT_USAGE. */
int retention_set_keep_free(struct retention *r, const char *text, struct err *e);

/* Whether evidence may be erased for lack of room. */
bool retention_limits_room(const struct retention *r);

enum { RETENTION_TRY_MS = 10 * 60 * 1000 };

/* The time (monotonic) from which a claim found at found_ns is too old; UINT64_MAX: never. now_ns is the wall clock's,
 * which may have jumped, and the machine may have been off for a week: so no claim is too old before RETENTION_TRY_MS
 * (or age_ms, if that is less) from now_ms on, and a start tries to ship first. */
uint64_t retention_due(const struct retention *r, int64_t found_ns, int64_t now_ns, uint64_t now_ms);

/* Erases copies of shipped files (STATE/kept, ship/spool.h), the oldest first, until none is too old and they fit
 * together with the waiting claims. Returns how many were erased; -errno. */
int retention_trim_kept(const struct retention *r, int statefd, uint64_t waiting_bytes, int64_t now_ns);
