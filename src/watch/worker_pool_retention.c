/* SPDX-License-Identifier: Apache-2.0
 *
 * Claims that the pool gives up because of their age or for lack of room, and their log lines.
 */
#include <string.h>

#include "base/log.h"
#include "ship/spool.h"
#include "watch/retain.h"
#include "watch/worker_pool_internal.h"

void pool_trim_kept(const struct pool *p, const struct spool *s)
{
    int erased = s ? retain_trim_kept(&p->config.retention, p->items, s) : 0;

    if (erased < 0)
        log_event(EVENT_STATE_LOST, LOG_STR("path", "kept"), LOG_STR("error", strerror(-erased)));
    else if (erased > 0)
        log_event(EVENT_KEPT_ERASED, LOG_UINT("count", (uint64_t)erased));
}

static void discard(struct pool *p, struct item *i, const struct retain_why *why)
{
    const char *path = i->claim->path;
    int r = spool_discard(i->claim->spool, i->claim);

    p->discarded++;
    if (why->room.by == ROOM_UNLIMITED)
        log_event(EVENT_DISCARDED, LOG_STR("path", path), LOG_UINT("bytes", i->claim->size), LOG_STR("limit", "age"),
                  LOG_UINT("count", p->discarded), LOG_STR("error", r < 0 ? strerror(-r) : NULL));
    else
        log_event(EVENT_DISCARDED, LOG_STR("path", path), LOG_UINT("bytes", i->claim->size),
                  LOG_STR("limit", room_by_name(why->room.by)), LOG_STR("reason", discard_reason_name(why->reason)),
                  LOG_UINT("waiting", why->waiting), LOG_UINT("room", why->room.bytes), LOG_UINT("of", why->room.of),
                  LOG_UINT("count", p->discarded), LOG_STR("error", r < 0 ? strerror(-r) : NULL));
    pool_end_item(p, i, POOL_FAILED);
}

void pool_apply_retention(struct pool *p, uint64_t now, uint64_t *ret_next_ms)
{
    struct retain_why why;
    struct item *i;

    while (!p->closing && (i = retain_find_expired(p->items, now, ret_next_ms)))
        discard(p, i, &(struct retain_why){.room.by = ROOM_UNLIMITED});
    while (!p->closing && p->retain_due_ms <= now) {
        const struct retain_query q = {p->items, &p->config.retention, p->store_ok_until_ms, now};

        p->retain_due_ms = UINT64_MAX;
        if ((i = retain_find_excess(&q, &p->retain_due_ms, &why)))
            discard(p, i, &why);
    }
    if (p->retain_due_ms < *ret_next_ms)
        *ret_next_ms = p->retain_due_ms;
}

/* A file in place that is larger than all the room stays, as it belongs to the application. The pod may be evicted
 * because of it. */
static void log_larger_than_room(struct pool *p, const struct item *i)
{
    const struct room room = retain_room(&p->config.retention, p->items, i);

    if (room.by != ROOM_UNLIMITED && i->claim->disk > room.bytes)
        log_event(EVENT_LARGER_THAN_ROOM, LOG_STR("path", i->claim->path), LOG_UINT("bytes", i->claim->disk),
                  LOG_UINT("room", room.bytes), LOG_STR("limit", room_by_name(room.by)), LOG_UINT("of", room.of));
}

void pool_count_room(struct pool *p, struct item *i)
{
    p->retain_due_ms = 0;
    if (!i->claim->spool || i->claim->in_place)
        return;
    i->claim->disk = spool_disk(i->claim->spool, i->claim);
    log_larger_than_room(p, i);
    pool_trim_kept(p, i->claim->spool);
}
