/* SPDX-License-Identifier: Apache-2.0
 *
 * How long evidence that could not be shipped may take up room, and how much: the one place where evidence is given up
 * without being in a store, and only because somebody asked for it. Without limits nothing ever is.
 */
#pragma once

#include <stdint.h>

struct retention {
    uint64_t age_ms; /* 0: no limit */
    uint64_t bytes;  /* 0: no limit */
};

enum { RETENTION_TRY_MS = 10 * 60 * 1000 };

/* When (monotonic) a claim that was found at found_ns is too old; UINT64_MAX: never. now_ns is the wall clock's, which
 * may have jumped, and the machine may have been off for a week: so that a start tries to ship first, no claim is too
 * old before RETENTION_TRY_MS (or age_ms, if that is less) from now_ms on. */
uint64_t retention_due(const struct retention *r, int64_t found_ns, int64_t now_ns, uint64_t now_ms);

/* Erases copies of what was shipped (STATE/kept, agent/claim.h), the oldest first, until none is too old and they fit,
 * together with what waits to be shipped. Returns how many were erased; -errno. */
int retention_trim_kept(const struct retention *r, int statefd, uint64_t waiting_bytes, int64_t now_ns);
