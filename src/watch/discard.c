/* SPDX-License-Identifier: Apache-2.0
 *
 * The order in which evidence is erased.
 */
#include "watch/discard.h"

#include <stdlib.h>

enum {
    TRIFLE = 64,   /* an item smaller than this part of the excess stays while there is a larger one */
    USELESS = 8,   /* if all that could be erased is less than this part of the excess, nothing is */
    SMALL_HEAD = 8 /* a first dump smaller than this part of the tenant's largest is not the one that always stays */
};

struct run { /* items of one tenant, or of one series */
    struct discard_item *at;
    size_t count;
};

/* One tenant. */
struct share {
    struct run items;
    struct discard_item *kept; /* in any case */
    uint64_t extra;            /* bytes of all other items */
};

static int by_tenant_series_time(const void *a, const void *b)
{
    const struct discard_item *x = a, *y = b;

    if (x->tenant != y->tenant)
        return x->tenant < y->tenant ? -1 : 1;
    if (x->series != y->series)
        return x->series < y->series ? -1 : 1;
    return (x->time_ns > y->time_ns) - (x->time_ns < y->time_ns);
}

/* The items from `from` on that belong to the same tenant, or to the same series. */
static struct run run_at(struct run all, size_t from, bool series)
{
    struct run r = {all.at + from, 1};

    while (from + r.count < all.count && r.at[r.count].tenant == r.at->tenant &&
           (!series || r.at[r.count].series == r.at->series))
        r.count++;
    return r;
}

static uint64_t bytes_of(struct run r)
{
    uint64_t total = 0;

    for (size_t i = 0; i < r.count; i++)
        total += r.at[i].bytes;
    return total;
}

/* The oldest first dump of a series that is not small compared with the others. */
static struct discard_item *kept_of(struct run tenant)
{
    struct discard_item *kept = NULL;
    uint64_t largest = 0;

    for (size_t i = 0; i < tenant.count; i += run_at(tenant, i, true).count)
        if (tenant.at[i].bytes > largest)
            largest = tenant.at[i].bytes;
    for (size_t i = 0; i < tenant.count; i += run_at(tenant, i, true).count)
        if (tenant.at[i].bytes >= largest / SMALL_HEAD && (!kept || tenant.at[i].time_ns < kept->time_ns))
            kept = &tenant.at[i];
    return kept ? kept : tenant.at;
}

static struct share share_of(struct run tenant)
{
    struct share s = {.items = tenant, .kept = kept_of(tenant)};

    s.extra = bytes_of(tenant) - s.kept->bytes;
    return s;
}

static bool may_go(const struct discard_item *i, uint64_t least)
{
    return !i->busy && i->bytes >= least;
}

/* The item nearest to the middle of a series, without its ends. */
static struct discard_item *middle_of(struct run series, uint64_t least)
{
    struct discard_item *item = series.at;
    size_t center = series.count / 2;

    if (series.count < 3)
        return NULL;
    for (size_t off = 0; off < series.count; off++) {
        if (center + off < series.count - 1 && may_go(item + center + off, least))
            return item + center + off;
        if (center >= off + 1 && may_go(item + center - off, least))
            return item + center - off;
    }
    return NULL;
}

static struct discard_item *newest_of(struct run series, uint64_t least)
{
    struct discard_item *last = &series.at[series.count - 1];

    return series.count > 1 && may_go(last, least) ? last : NULL;
}

/* From the series that takes the most room. */
static struct discard_item *from_series(struct run tenant, uint64_t least,
                                        struct discard_item *(*choose)(struct run, uint64_t))
{
    struct discard_item *best = NULL, *found;
    uint64_t most = 0;

    for (size_t i = 0; i < tenant.count;) {
        struct run series = run_at(tenant, i, true);
        uint64_t bytes = bytes_of(series);

        if ((!best || bytes > most) && (found = choose(series, least))) {
            best = found;
            most = bytes;
        }
        i += series.count;
    }
    return best;
}

static int by_time(const void *a, const void *b)
{
    const struct discard_item *x = a, *y = b;

    return (x->time_ns > y->time_ns) - (x->time_ns < y->time_ns);
}

/* Moves the first dumps of a tenant's series, except the one that stays, to the front, the oldest first. The order of
 * the rest is undefined. */
static struct run collect_heads(struct share *s)
{
    struct run heads = {s->items.at, 0};

    for (size_t i = 0; i < s->items.count;) {
        struct run series = run_at(s->items, i, true);
        struct discard_item head = series.at[0];

        i += series.count;
        if (series.at == s->kept)
            continue;
        series.at[0] = heads.at[heads.count];
        heads.at[heads.count++] = head;
    }
    if (heads.count > 1)
        qsort(heads.at, heads.count, sizeof(*heads.at), by_time);
    return heads;
}

/* When only first dumps are left, they are treated as one series that begins with the one that stays. */
static struct discard_item *from_heads(struct share *s, uint64_t least, enum discard_reason *ret_reason)
{
    struct run heads = collect_heads(s);
    struct discard_item *head = heads.at;
    size_t last = heads.count - 1;

    for (size_t off = 0; heads.count > 1 && off < last; off++) {
        size_t center = (last - 1) / 2;

        *ret_reason = DISCARD_MIDDLE;
        if (center + off < last && may_go(head + center + off, least))
            return head + center + off;
        if (off <= center && may_go(head + center - off, least))
            return head + center - off;
    }
    *ret_reason = DISCARD_NEWEST;
    return heads.count > 0 && may_go(head + last, least) ? head + last : NULL;
}

static struct discard_choice from_tenant(struct share *s, uint64_t least)
{
    enum discard_reason reason = DISCARD_MIDDLE;
    struct discard_item *i = from_series(s->items, least, middle_of);

    if (!i) {
        reason = DISCARD_NEWEST;
        i = from_series(s->items, least, newest_of);
    }
    if (!i)
        i = from_heads(s, least, &reason);
    return i ? (struct discard_choice){reason, i->ref} : (struct discard_choice){DISCARD_NONE, NULL};
}

/* Each tenant has only one left: the largest is erased. */
static struct discard_choice from_kept(struct run all, const struct discard_item *exempt)
{
    struct discard_item *largest = NULL;
    size_t tenants = 0;

    for (size_t i = 0; i < all.count;) {
        struct run tenant = run_at(all, i, false);
        struct discard_item *kept = kept_of(tenant);

        i += tenant.count;
        if (kept == exempt)
            continue;
        tenants++;
        if (!largest || kept->bytes > largest->bytes ||
            (kept->bytes == largest->bytes && kept->time_ns > largest->time_ns))
            largest = kept;
    }
    if (!largest || largest->busy || tenants + (exempt != NULL) < 2)
        return (struct discard_choice){DISCARD_NONE, NULL};
    return (struct discard_choice){DISCARD_FIRST, largest->ref};
}

/* The oldest dump, of those that always stay, that is larger than the room by itself; NULL: none. */
static struct discard_item *exempt_of(struct run all, uint64_t room)
{
    struct discard_item *exempt = NULL;

    for (size_t i = 0; i < all.count;) {
        struct run tenant = run_at(all, i, false);
        struct discard_item *kept = kept_of(tenant);

        if (kept->bytes > room && (!exempt || kept->time_ns < exempt->time_ns))
            exempt = kept;
        i += tenant.count;
    }
    return exempt;
}

static struct share most_extra(struct run all, uint64_t *ret_extra)
{
    struct share most = {0};

    *ret_extra = 0;
    for (size_t i = 0; i < all.count;) {
        struct share s = share_of(run_at(all, i, false));

        *ret_extra += s.extra;
        if (!most.kept || s.extra > most.extra)
            most = s;
        i += s.items.count;
    }
    return most;
}

struct discard_choice discard_choose(struct discard_item *items, size_t count, uint64_t room)
{
    struct run all = {items, count};
    uint64_t total = bytes_of(all), extra, excess;
    struct discard_item *exempt;
    struct discard_choice found;
    struct share most;

    if (count == 0 || total <= room)
        return (struct discard_choice){DISCARD_NONE, NULL};
    qsort(items, count, sizeof(*items), by_tenant_series_time);
    if ((exempt = exempt_of(all, room))) {
        uint64_t less = exempt->bytes / 100 * DISCARD_ROOM_PERCENT;

        total -= exempt->bytes;
        room -= less < room ? less : room;
    }
    if (total <= room)
        return (struct discard_choice){DISCARD_NONE, NULL};
    excess = total - room;
    most = most_extra(all, &extra);
    if (most.extra == 0 || extra < excess / USELESS)
        return from_kept(all, exempt);
    found = from_tenant(&most, excess / TRIFLE);
    if (found.reason != DISCARD_NONE)
        return found;
    qsort(items, count, sizeof(*items), by_tenant_series_time);
    most = most_extra(all, &extra);
    return from_tenant(&most, 0);
}

const char *discard_reason_name(enum discard_reason reason)
{
    static const char *const NAMES[] = {NULL, "middle", "newest", "first"};

    return NAMES[reason];
}
