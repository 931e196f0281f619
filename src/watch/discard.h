/* SPDX-License-Identifier: Apache-2.0
 *
 * Which evidence is given up when what waits to be shipped takes more room than it may. Pure: numbers in, one
 * choice out.
 *
 * A series is what one application leaves again and again (a crash loop). Its first dump shows how it began, its newest
 * how it is now: the ones in between go first, from the middle outwards, then the newest, the first last. What a tenant
 * keeps in any case is its oldest first dump; what each has beyond that shares the rest of the room, and the tenant
 * with the most beyond it gives up: a tenant that has no more than its share loses nothing to another. A first dump
 * that is larger than the room by itself stays, and leaves less room to the others.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct discard_item {
    uint64_t tenant, series; /* the series is of that tenant */
    int64_t time_ns;         /* of the evidence: the order within a series */
    uint64_t bytes;          /* on the disk */
    bool busy;               /* is being shipped: counts, but cannot be given up now */
    void *ref;               /* the caller's */
};

enum discard_reason { DISCARD_NONE, DISCARD_MIDDLE, DISCARD_NEWEST, DISCARD_FIRST };

struct discard_choice {
    enum discard_reason reason;
    void *ref; /* of what is given up; NULL with DISCARD_NONE */
};

enum { DISCARD_ROOM_PERCENT = 40 }; /* of the volume: what the room is taken to be */

/* The one that goes next, if all together is more than room (bytes). Sorts the items. DISCARD_NONE: it fits, or nothing
 * can go now. To be called again until then. */
struct discard_choice discard_choose(struct discard_item *items, size_t count, uint64_t room);

const char *discard_reason_name(enum discard_reason reason); /* "middle"; NULL for DISCARD_NONE */
