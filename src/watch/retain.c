/* SPDX-License-Identifier: Apache-2.0
 *
 * The pool's claims, volume by volume.
 */
#include "watch/retain.h"
#include "ship/spool.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "base/clock.h"
#include "base/mem.h"

struct waiting {
    struct discard_item *items;
    size_t count;
};

uint64_t retain_series(const struct claim *c)
{
    uint64_t hash = XXH3_64bits(c->kind->name, strlen(c->kind->name));

    for (const char *at = c->path; *at;) {
        size_t text = strcspn(at, "0123456789");

        hash = XXH3_64bits_withSeed(at, text, hash);
        at += text;
        at += strspn(at, "0123456789");
    }
    return hash;
}

static bool takes_room(const struct item *i)
{
    return i->claim->spool && !i->claim->in_place;
}

struct item *retain_find_expired(struct item *items, uint64_t now_ms, uint64_t *ret_next_ms)
{
    for (struct item *i = items; i; i = i->next) {
        if (i->slot || !takes_room(i) || item_is_followed(i))
            continue;
        if (i->retain_ms <= now_ms)
            return i;
        if (i->retain_ms < *ret_next_ms)
            *ret_next_ms = i->retain_ms;
    }
    return NULL;
}

/* An explicit limit applies to all volumes together. */
static bool same_room(const struct retention *r, uint64_t a, uint64_t b)
{
    return !r->automatic || a == b;
}

static uint64_t bytes_on(const struct retention *r, const struct item *items, uint64_t dev)
{
    uint64_t total = 0;

    for (const struct item *i = items; i; i = i->next)
        total += takes_room(i) && same_room(r, i->volume.dev, dev) ? i->claim->disk : 0;
    return total;
}

static int by_volume(const void *a, const void *b)
{
    const struct item *x = ((const struct discard_item *)a)->ref, *y = ((const struct discard_item *)b)->ref;

    return (x->volume.dev > y->volume.dev) - (x->volume.dev < y->volume.dev);
}

static int collect(struct item *items, struct discard_item **ret, size_t *ret_count)
{
    struct discard_item *list;
    size_t count = 0;

    for (const struct item *i = items; i; i = i->next)
        count += takes_room(i);
    if (count > 0 && !(list = calloc(count, sizeof(*list))))
        return -ENOMEM;
    *ret_count = count;
    if (count == 0)
        return 0;
    *ret = list;
    for (struct item *i = items; i; i = i->next)
        if (takes_room(i))
            *list++ = (struct discard_item){
                i->claim->key.tenant, i->series, i->claim->time_ns, i->claim->disk, i->slot || item_is_followed(i), i};
    return 0;
}

static struct room room_on(const struct retention *r, const struct item *i, uint64_t ours)
{
    return room_get(r, spool_fd(i->claim->spool), &i->volume, ours);
}

static void spare_new(struct waiting w, const struct retain_query *q, uint64_t *ret_next_ms)
{
    for (size_t n = 0; n < w.count; n++) {
        const struct item *i = w.items[n].ref;
        uint64_t until = i->added_ms + RETAIN_SPARE_MS;

        if (until > q->store_ok_until_ms)
            until = q->store_ok_until_ms;
        if (until <= q->now_ms)
            continue;
        w.items[n].busy = true;
        if (until < *ret_next_ms)
            *ret_next_ms = until;
    }
}

/* On one volume. */
static struct item *find_excess(struct waiting w, const struct retain_query *q, uint64_t *ret_next_ms,
                                struct retain_why *ret)
{
    struct retain_why why = {.reason = DISCARD_NONE};
    struct discard_choice c;

    for (size_t n = 0; n < w.count; n++)
        why.waiting += w.items[n].bytes;
    why.room = room_on(q->retention, w.items[0].ref, why.waiting);
    if (why.waiting <= why.room.bytes)
        return NULL;
    if (why.waiting / 2 <= why.room.bytes)
        spare_new(w, q, ret_next_ms);
    c = discard_choose(w.items, w.count, why.room.bytes);
    why.reason = c.reason;
    if (c.reason != DISCARD_NONE)
        *ret = why;
    return c.ref;
}

struct item *retain_find_excess(const struct retain_query *q, uint64_t *ret_next_ms, struct retain_why *ret)
{
    CLEANUP_FREE struct discard_item *list = NULL;
    const struct retention *r = q->retention;
    size_t count = 0;

    if (!r->automatic && !r->bytes)
        return NULL;
    if (collect(q->items, &list, &count) < 0) {
        *ret_next_ms = q->now_ms + RETAIN_SPARE_MS;
        return NULL;
    }
    if (count > 1)
        qsort(list, count, sizeof(*list), by_volume);
    for (size_t from = 0, size; from < count; from += size) {
        const struct item *first = list[from].ref;
        struct item *found;

        for (size = 1; from + size < count; size++)
            if (!same_room(r, first->volume.dev, ((const struct item *)list[from + size].ref)->volume.dev))
                break;
        if ((found = find_excess((struct waiting){list + from, size}, q, ret_next_ms, ret)))
            return found;
    }
    return NULL;
}

struct room retain_room(const struct retention *r, const struct item *items, const struct item *i)
{
    return room_on(r, i, bytes_on(r, items, i->volume.dev));
}

int retain_trim_kept(const struct retention *r, const struct item *items, const struct spool *s)
{
    struct retention now = *r;
    struct volume v = {0};
    uint64_t ours;

    if ((!r->automatic && !r->bytes && !r->age_ms) || faccessat(spool_fd(s), "kept", F_OK, 0) < 0)
        return 0;
    if (volume_get(spool_fd(s), &v) < 0)
        return 0;
    ours = bytes_on(r, items, v.dev);
    if (r->automatic || r->bytes)
        now.bytes = room_get(r, spool_fd(s), &v, ours).bytes;
    return retention_trim_kept(&now, spool_fd(s), ours, clock_wall_ns());
}
