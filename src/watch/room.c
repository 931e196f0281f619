/* SPDX-License-Identifier: Apache-2.0
 *
 * The smallest of the limits that apply.
 */
#include "watch/room.h"

#include "watch/discard.h"

static uint64_t percent(uint64_t of, unsigned percent)
{
    uint64_t bytes = of / 100 * percent + of % 100 * percent / 100;

    return bytes ? bytes : 1;
}

static void lower(struct room *room, enum room_by by, uint64_t of, unsigned share)
{
    if (of == 0 || (room->by != ROOM_UNLIMITED && percent(of, share) >= room->bytes))
        return;
    *room = (struct room){by, percent(of, share), of};
}

struct room room_of(const struct retention *r, bool own, uint64_t size, uint64_t free, uint64_t ours)
{
    struct room room = {.bytes = UINT64_MAX};

    if (!r->automatic)
        return r->bytes ? (struct room){ROOM_BYTES, r->bytes, r->bytes} : room;
    lower(&room, ROOM_LIMIT, r->volume_limit, DISCARD_ROOM_PERCENT);
    if (own)
        lower(&room, ROOM_SIZE, size, DISCARD_ROOM_PERCENT);
    else
        lower(&room, ROOM_EPHEMERAL, r->ephemeral_storage, DISCARD_ROOM_PERCENT);
    if (room.by == ROOM_UNLIMITED && size > 0)
        lower(&room, ROOM_FREE, free + ours > 0 ? free + ours : 1, ROOM_FREE_PERCENT);
    return room;
}

struct room room_keep_free(const struct retention *r, uint64_t size, uint64_t free, uint64_t ours, uint64_t *ret_spare)
{
    uint64_t keep = r->keep_free_percent ? percent(size, r->keep_free_percent) : r->keep_free, all = free + ours;

    *ret_spare = UINT64_MAX;
    if (keep == 0 || size == 0)
        return (struct room){.bytes = UINT64_MAX};
    *ret_spare = all > keep / 3 * 2 ? all - keep / 3 * 2 : 0;
    return (struct room){ROOM_KEEP_FREE, all > keep ? all - keep : 1, keep};
}

struct room room_get(const struct retention *r, int fd, const struct volume *v, uint64_t ours)
{
    uint64_t size = 0, free = 0;

    if (r->automatic)
        volume_space(fd, &size, &free);
    return room_of(r, v->own, size, free, ours);
}

const char *room_by_name(enum room_by by)
{
    static const char *const NAMES[] = {"none", "retain-bytes",        "volume-limit", "ephemeral-storage",
                                        "size", "retain-bytes-tenant", "keep-free",    "free"};

    return NAMES[by];
}
