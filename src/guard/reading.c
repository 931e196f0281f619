/* SPDX-License-Identifier: Apache-2.0
 *
 * Products of two numbers of bytes don't fit in 64 bits: they are held in 128.
 */
#include "guard/reading.h"

#include <stddef.h>

__extension__ typedef __int128 wide;

struct reading_value reading_known(int64_t value)
{
    return (struct reading_value){.known = true, .value = value};
}

struct reading_value reading_unknown(const char *why)
{
    return (struct reading_value){.why = why};
}

const char *reading_why(const struct reading_value *v)
{
    return v->why ? v->why : "not read yet";
}

/* 1000 * bytes / speed; never more than a known time can be. */
static int64_t milliseconds(wide bytes, wide speed)
{
    wide ms = bytes * 1000 / speed;

    return ms < INT64_MAX ? (int64_t)ms : INT64_MAX;
}

static wide at_least_0(wide value)
{
    return value > 0 ? value : 0;
}

struct reading_value reading_oom_in(const struct reading *r)
{
    wide room, all, native, heap, left = 0;

    if (!r->room.known)
        return r->room;
    if (!r->growth.known)
        return r->growth;
    room = at_least_0(r->room.value);
    all = native = r->growth.value;
    if (r->heap_left.known && r->growth_native.known) {
        left = at_least_0(r->heap_left.value);
        native = r->growth_native.value;
    }
    heap = at_least_0(all - native);
    if (all <= 0)
        return reading_known(INT64_MAX);
    /* Is the heap full before the limit is reached? room / all is the time until then if not. */
    if (heap * room <= left * all)
        return reading_known(milliseconds(room, all));
    return reading_known(native > 0 ? milliseconds(at_least_0(room - left), native) : INT64_MAX);
}

struct reading_value reading_memory_share(const struct reading *r)
{
    wide share;

    if (!r->limit.known)
        return r->limit;
    if (!r->used.known)
        return r->used;
    if (r->limit.value <= 0)
        return reading_unknown("the limit is 0");
    share = (wide)r->used.value * READING_WHOLE / r->limit.value;
    return reading_known(share < INT64_MAX ? (int64_t)share : INT64_MAX);
}

struct reading_value reading_dump_ms(uint64_t bytes, uint64_t bytes_per_s)
{
    int64_t ms;

    if (bytes_per_s == 0)
        return reading_unknown("the speed of a dump is not known");
    ms = milliseconds((wide)bytes * 3, (wide)bytes_per_s * 2);
    return reading_known(ms < INT64_MAX - 500 ? ms + 500 : INT64_MAX - 1);
}
