/* SPDX-License-Identifier: Apache-2.0
 *
 * How long evidence that could not be shipped may take up room, and how much: the one place where evidence is given up
 * without being in a store. watch/discard.h decides what is given up first, watch/room.h how much room there is.
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
    bool automatic;                           /* bytes is 0: a part of each volume (watch/room.h) */
    uint64_t volume_limit, ephemeral_storage; /* that the kubelet evicts by; 0: not known */
};

/* The rows of the limits that have to be given, for a command's table; `o` is the type of its options, `r` the struct
 * retention in it. */
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

/* "auto", "none" or a size into r. -FAULT_USAGE. */
int retention_set_bytes(struct retention *r, const char *text, struct err *e);

enum { RETENTION_TRY_MS = 10 * 60 * 1000 };

/* When (monotonic) a claim that was found at found_ns is too old; UINT64_MAX: never. now_ns is the wall clock's, which
 * may have jumped, and the machine may have been off for a week: so that a start tries to ship first, no claim is too
 * old before RETENTION_TRY_MS (or age_ms, if that is less) from now_ms on. */
uint64_t retention_due(const struct retention *r, int64_t found_ns, int64_t now_ns, uint64_t now_ms);

/* Erases copies of what was shipped (STATE/kept, ship/claim.h), the oldest first, until none is too old and they fit,
 * together with what waits to be shipped. Returns how many were erased; -errno. */
int retention_trim_kept(const struct retention *r, int statefd, uint64_t waiting_bytes, int64_t now_ns);
