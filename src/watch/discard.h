/* SPDX-License-Identifier: Apache-2.0
 *
 * Which evidence is erased when the evidence that waits takes more room than it may. Pure: numbers in, one choice out.
 *
 * A series is the evidence that one application leaves repeatedly (a crash loop). Its first dump shows how it began,
 * its newest how it is now: those in between are erased first, from the middle outwards, then the newest, the first one
 * last. Each tenant keeps its oldest first dump in any case. The rest of the room is shared, and the tenant with the
 * most evidence beyond that dump loses some: a tenant within its share loses nothing to another. A first dump that is
 * larger than the room by itself stays, and leaves less room for the others.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct discard_item {
    uint64_t tenant, series; /* of the series */
    int64_t time_ns;         /* of the evidence: orders a series */
    uint64_t bytes;          /* on the disk */
    bool busy;               /* is being shipped: counts, but can't be erased now */
    void *ref;               /* the caller's */
};

enum discard_reason { DISCARD_NONE, DISCARD_MIDDLE, DISCARD_NEWEST, DISCARD_FIRST };

struct discard_choice {
    enum discard_reason reason;
    void *ref; /* of the item to erase; NULL with DISCARD_NONE */
};

enum { DISCARD_ROOM_PERCENT = 40 }; /* bytes of the volume that may be used */

/* The item to erase next if all items together exceed the room (bytes). Sorts the items. Called again until it returns
 * DISCARD_NONE: all fits, or nothing can be erased now. */
struct discard_choice discard_choose(struct discard_item *items, size_t count, uint64_t room);

const char *discard_reason_name(enum discard_reason reason); /* "middle"; NULL for DISCARD_NONE */
