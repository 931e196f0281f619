/* SPDX-License-Identifier: Apache-2.0
 *
 * Which of the pool's claims have waited for too long or take too much room. Counts what salvage itself put on a
 * volume, in allocated blocks: claims in the spool with all that lies beside them, and kept copies. A file that is
 * read where it lies is the application's.
 */
#pragma once

#include "watch/discard.h"
#include "watch/item.h"
#include "watch/retention.h"
#include "watch/room.h"

/* A claim that has just come is spared for so long while the store takes what it is given, as long as all together is
 * no more than twice the room. */
enum { RETAIN_SPARE_MS = 5000 };

struct retain_why {
    struct room room;
    enum discard_reason reason;
    uint64_t waiting; /* bytes, before */
};

/* Dumps of one application look alike but for numbers: the hash of kind, folder and name without their digits. */
uint64_t retain_series(const struct claim *c);

/* NULL: none yet; lowers *ret_next_ms to when one is. */
struct item *retain_find_expired(struct item *items, uint64_t now_ms, uint64_t *ret_next_ms);

struct retain_query {
    struct item *items;
    const struct retention *retention;
    uint64_t store_ok_until_ms; /* until when the store counts as working */
    uint64_t now_ms;
};

/* The claim that is given up next for want of room, and why; NULL: none now. Lowers *ret_next_ms to when it has to be
 * asked again. */
struct item *retain_find_excess(const struct retain_query *q, uint64_t *ret_next_ms, struct retain_why *ret);

/* The room on one claim's volume. */
struct room retain_room(const struct retention *r, const struct item *items, const struct item *i);

/* Erases kept copies that have no room beside what waits. How many; -errno. */
int retain_trim_kept(const struct retention *r, const struct item *items, const struct spool *s);
