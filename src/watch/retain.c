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
#include "base/text.h"
#include "place/workload.h"

struct waiting {
    struct discard_item *items;
    size_t count;
};

static uint64_t hash_without_digits(const char *text, size_t size, uint64_t hash)
{
    for (size_t at = 0; at < size;) {
        size_t word = 0;

        while (at + word < size && !isdigit((unsigned char)text[at + word]))
            word++;
        hash = XXH3_64bits_withSeed(text + at, word, hash);
        at += word;
        while (at < size && isdigit((unsigned char)text[at]))
            at++;
    }
    return hash;
}

/* A folder may be called as a pod: "cart-7f9c8d6b5-x2x7q" is one of "cart". */
static uint64_t hash_folder(const char *name, size_t size, uint64_t hash)
{
    char pod[WORKLOAD_MAX], workload[WORKLOAD_MAX];

    if (size >= sizeof(pod))
        return hash_without_digits(name, size, hash);
    memcpy(pod, name, size);
    pod[size] = '\0';
    workload_of_pod(pod, workload);
    hash = hash_without_digits(workload, strlen(workload), hash);
    return XXH3_64bits_withSeed("/", 1, hash);
}

uint64_t retain_series(const struct claim *c)
{
    uint64_t hash = XXH3_64bits(c->kind->name, strlen(c->kind->name));
    const char *at = c->path;

    if (c->cause)
        hash = XXH3_64bits_withSeed(c->cause, strlen(c->cause), hash);
    if (c->pod.pod) { /* its path has the pod's UID in it */
        hash = hash_folder(c->pod.namespace, strlen(c->pod.namespace), hash);
        hash = hash_folder(c->pod.pod, strlen(c->pod.pod), hash);
        at = text_base_name(at);
    }
    for (size_t size; at[size = strcspn(at, "/")]; at += size + 1)
        hash = hash_folder(at, size, hash);
    return hash_without_digits(at, strlen(at), hash);
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

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_volume(const void *a, const void *b)
{
    const struct item *x = ((const struct discard_item *)a)->ref, *y = ((const struct discard_item *)b)->ref;

    return compare(x->volume.dev, y->volume.dev);
}

static int by_tenant(const void *a, const void *b)
{
    return compare(((const struct discard_item *)a)->tenant, ((const struct discard_item *)b)->tenant);
}

static int all_one(const void *a, const void *b)
{
    (void)a, (void)b;
    return 0;
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

/* --- limits: each is for items of one volume, of one tenant, or for all ---------------------------------------------
 */

struct limit {
    int (*order)(const void *a, const void *b); /* equal: one room */
    struct room (*room)(const struct retention *r, const struct item *of, uint64_t waiting, uint64_t *ret_spare);
};

static struct room general_room(const struct retention *r, const struct item *of, uint64_t waiting, uint64_t *ret_spare)
{
    struct room room = room_on(r, of, waiting);

    *ret_spare = room.bytes > UINT64_MAX / 2 ? UINT64_MAX : room.bytes * 2;
    return room;
}

static struct room tenant_room(const struct retention *r, const struct item *of, uint64_t waiting, uint64_t *ret_spare)
{
    (void)of, (void)waiting;
    *ret_spare = r->tenant_bytes > UINT64_MAX / 2 ? UINT64_MAX : r->tenant_bytes * 2;
    return (struct room){ROOM_TENANT, r->tenant_bytes, r->tenant_bytes};
}

static struct room free_room(const struct retention *r, const struct item *of, uint64_t waiting, uint64_t *ret_spare)
{
    uint64_t size = 0, free = 0;

    volume_space(spool_fd(of->claim->spool), &size, &free);
    return room_keep_free(r, size, free, waiting, ret_spare);
}

static struct item *find_in_room(struct waiting w, const struct limit *limit, const struct retain_query *q,
                                 uint64_t *ret_next_ms, struct retain_why *ret)
{
    struct retain_why why = {.reason = DISCARD_NONE};
    struct discard_choice c;
    uint64_t spare;

    for (size_t n = 0; n < w.count; n++)
        why.waiting += w.items[n].bytes;
    why.room = limit->room(q->retention, w.items[0].ref, why.waiting, &spare);
    if (why.waiting <= why.room.bytes)
        return NULL;
    if (why.waiting <= spare)
        spare_new(w, q, ret_next_ms);
    c = discard_choose(w.items, w.count, why.room.bytes);
    why.reason = c.reason;
    if (c.reason != DISCARD_NONE)
        *ret = why;
    return c.ref;
}

static struct item *find_beyond(struct waiting all, const struct limit *limit, const struct retain_query *q,
                                uint64_t *ret_next_ms, struct retain_why *ret)
{
    struct item *found = NULL;

    if (all.count > 1)
        qsort(all.items, all.count, sizeof(*all.items), limit->order);
    for (size_t from = 0, size; from < all.count && !found; from += size) {
        for (size = 1; from + size < all.count; size++)
            if (limit->order(&all.items[from], &all.items[from + size]) != 0)
                break;
        found = find_in_room((struct waiting){all.items + from, size}, limit, q, ret_next_ms, ret);
    }
    return found;
}

struct item *retain_find_excess(const struct retain_query *q, uint64_t *ret_next_ms, struct retain_why *ret)
{
    const struct retention *r = q->retention;
    const bool keeps_free = r->keep_free || r->keep_free_percent;
    const struct limit limits[] = {{r->automatic ? by_volume : all_one, r->automatic || r->bytes ? general_room : NULL},
                                   {by_tenant, r->tenant_bytes ? tenant_room : NULL},
                                   {by_volume, keeps_free ? free_room : NULL}};
    struct item *found = NULL;

    if (!retention_limits_room(r))
        return NULL;
    for (size_t i = 0; i < ARRAY_SIZE(limits) && !found; i++) {
        CLEANUP_FREE struct discard_item *list = NULL;
        size_t count = 0;

        if (!limits[i].room)
            continue;
        if (collect(q->items, &list, &count) < 0) {
            *ret_next_ms = q->now_ms + RETAIN_SPARE_MS;
            return NULL;
        }
        found = find_beyond((struct waiting){list, count}, &limits[i], q, ret_next_ms, ret);
        /* Others use the volume, too. */
        if (limits[i].room == free_room && count > 0 && q->now_ms + RETAIN_AGAIN_MS < *ret_next_ms)
            *ret_next_ms = q->now_ms + RETAIN_AGAIN_MS;
    }
    return found;
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
