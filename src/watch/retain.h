/* SPDX-License-Identifier: Apache-2.0
 *
 * Which of the pool's claims have waited too long or take too much room. Counts what salvage has put on a volume, in
 * allocated blocks: claims in the spool with all files beside them, and kept copies. A file that is read in place
 * belongs to the application.
 */
#pragma once

#include "watch/discard.h"
#include "watch/item.h"
#include "watch/retention.h"
#include "watch/room.h"

/* A new claim is not erased for this long while the store works, as long as all claims together take at most twice the
 * room. */
enum {
    RETAIN_SPARE_MS = 5000,
    RETAIN_AGAIN_MS = 5000 /* with --keep-free, as long as something waits; the kubelet looks every 10 s */
};

struct retain_why {
    struct room room;
    enum discard_reason reason;
    uint64_t waiting; /* bytes, before */
};

/* The series of an application's dumps: the hash of kind, cause, folder and name without digits. Pods of one workload
 * are one application, though each has a folder with the pod's name. */
uint64_t retain_series(const struct claim *c);

/* NULL: none; lowers *ret_next_ms to the time when one is. */
struct item *retain_find_expired(struct item *items, uint64_t now_ms, uint64_t *ret_next_ms);

struct retain_query {
    struct item *items;
    const struct retention *retention;
    uint64_t store_ok_until_ms; /* the store counts as working until then */
    uint64_t now_ms;
};

/* The claim to erase next for lack of room, and why; NULL: none now. Lowers *ret_next_ms to the time of the next call.
 */
struct item *retain_find_excess(const struct retain_query *q, uint64_t *ret_next_ms, struct retain_why *ret);

/* The room on the volume of a claim. */
struct room retain_room(const struct retention *r, const struct item *items, const struct item *i);

/* Erases kept copies for which the waiting claims leave no room. Their number; -errno. */
int retain_trim_kept(const struct retention *r, const struct item *items, const struct spool *s);
