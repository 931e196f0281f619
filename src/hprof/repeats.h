/* SPDX-License-Identifier: Apache-2.0
 *
 * Contents that occur most among many, in fixed memory: Space-Saving (Metwally et al., 2005). A count is at most
 * `error` too high; a content that makes up more than 1/REPEATS_MAX of all is always there.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { REPEATS_MAX = 512, REPEATS_SAMPLE = 48 };

struct repeat {
    uint64_t hash;
    uint64_t count, error;
    uint32_t size;
    unsigned char type;
    unsigned char sample[REPEATS_SAMPLE]; /* its first bytes */
};

struct repeats {
    uint32_t count;
    uint32_t heap[REPEATS_MAX]; /* numbers of items, one with the least count on top */
    uint32_t place[REPEATS_MAX];
    uint16_t slots[4 * REPEATS_MAX]; /* number + 1 of an item, by hash; open addressing */
    struct repeat item[REPEATS_MAX];
};

/* Adds one occurrence. type: of the array, part of the content. */
void repeats_add(struct repeats *r, unsigned type, const void *data, uint32_t size);

/* The one with most bytes for sure, (count - error) * size, first. At most `most`; returns how many. */
size_t repeats_top(const struct repeats *r, const struct repeat **ret, size_t most);
