/* SPDX-License-Identifier: Apache-2.0
 *
 * A heap by count, a table by hash; contents are compared by their XXH3 alone.
 */
#include "hprof/repeats.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { SLOTS = 4 * REPEATS_MAX };

static void swap(struct repeats *r, uint32_t a, uint32_t b)
{
    uint32_t x = r->heap[a], y = r->heap[b];

    r->heap[a] = y;
    r->heap[b] = x;
    r->place[y] = a;
    r->place[x] = b;
}

static uint64_t count_at(const struct repeats *r, uint32_t place)
{
    return r->item[r->heap[place]].count;
}

static void sift_down(struct repeats *r, uint32_t at)
{
    for (;;) {
        uint32_t least = at, left = 2 * at + 1, right = left + 1;

        if (left < r->count && count_at(r, left) < count_at(r, least))
            least = left;
        if (right < r->count && count_at(r, right) < count_at(r, least))
            least = right;
        if (least == at)
            return;
        swap(r, at, least);
        at = least;
    }
}

static uint32_t find_slot(const struct repeats *r, uint64_t hash)
{
    uint32_t slot = (uint32_t)hash & (SLOTS - 1);

    while (r->slots[slot] && r->item[r->slots[slot] - 1].hash != hash)
        slot = (slot + 1) & (SLOTS - 1);
    return slot;
}

/* Linear probing: those behind move up. */
static void remove_slot(struct repeats *r, uint32_t slot)
{
    uint32_t next = slot;

    for (;;) {
        uint32_t home;

        r->slots[slot] = 0;
        do {
            next = (next + 1) & (SLOTS - 1);
            if (!r->slots[next])
                return;
            home = (uint32_t)r->item[r->slots[next] - 1].hash & (SLOTS - 1);
        } while (slot <= next ? slot < home && home <= next : slot < home || home <= next);
        r->slots[slot] = r->slots[next];
        slot = next;
    }
}

static uint32_t take_item(struct repeats *r)
{
    uint32_t item;

    if (r->count < REPEATS_MAX) {
        item = r->count++;
        r->heap[item] = r->place[item] = item;
        return item;
    }
    item = r->heap[0];
    remove_slot(r, find_slot(r, r->item[item].hash));
    return item;
}

static void sift_up(struct repeats *r, uint32_t at)
{
    for (; at > 0 && count_at(r, at) < count_at(r, (at - 1) / 2); at = (at - 1) / 2)
        swap(r, at, (at - 1) / 2);
}

static void replace(struct repeats *r, uint64_t hash, unsigned type, const void *data, uint32_t size)
{
    uint32_t item = take_item(r);
    struct repeat *one = &r->item[item];
    uint64_t before = one->count;

    *one =
        (struct repeat){.hash = hash, .count = before + 1, .error = before, .size = size, .type = (unsigned char)type};
    memcpy(one->sample, data, size < REPEATS_SAMPLE ? size : REPEATS_SAMPLE);
    r->slots[find_slot(r, hash)] = (uint16_t)(item + 1);
    sift_up(r, r->place[item]);
    sift_down(r, r->place[item]);
}

void repeats_add(struct repeats *r, unsigned type, const void *data, uint32_t size)
{
    uint64_t hash = XXH3_64bits_withSeed(data, size, type);
    uint32_t slot = find_slot(r, hash);

    if (!r->slots[slot]) {
        replace(r, hash, type, data, size);
        return;
    }
    r->item[r->slots[slot] - 1].count++;
    sift_down(r, r->place[r->slots[slot] - 1]);
}

static uint64_t bytes_of(const struct repeat *one)
{
    return (one->count - one->error) * one->size;
}

size_t repeats_top(const struct repeats *r, const struct repeat **ret, size_t most)
{
    size_t count = 0;

    assert(ret && most > 0);
    for (uint32_t i = 0; i < r->count; i++) {
        const struct repeat *one = &r->item[i];
        size_t at = count;

        if (one->count - one->error < 2)
            continue;
        while (at > 0 && bytes_of(ret[at - 1]) < bytes_of(one))
            at--;
        if (at == most)
            continue;
        count += count < most;
        for (size_t behind = count - 1; behind > at; behind--)
            ret[behind] = ret[behind - 1];
        ret[at] = one;
    }
    return count;
}
