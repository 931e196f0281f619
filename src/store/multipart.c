/* SPDX-License-Identifier: Apache-2.0
 *
 * Sizes and numbers of parts. More parts in flight come before larger ones: that is what hides a store's latency.
 */
#include "store/multipart.h"

#include "base/text.h"

enum { PART_STEP = 64 * 1024 }; /* sizes that a reader of logs can make sense of */

static uint64_t divide_up(uint64_t a, uint64_t b)
{
    return a / b + (a % b != 0);
}

/* The smallest part size that will do, a multiple of PART_STEP where the store's limits allow. */
static uint64_t least_size(uint64_t object_max, uint64_t part_min, uint64_t part_max, unsigned parts_max)
{
    uint64_t least = parts_max ? divide_up(object_max, parts_max) : 0;
    uint64_t round;

    if (least < part_min)
        least = part_min;
    if (least == 0)
        least = 1;
    round = divide_up(least, PART_STEP);
    return round <= part_max / PART_STEP ? round * PART_STEP : least;
}

int multipart_plan(uint64_t object_max, uint64_t memory, uint64_t slack, uint64_t part_min, uint64_t part_max,
                   unsigned parts_max, unsigned wanted, struct multipart_plan *ret, struct err *e)
{
    uint64_t least = least_size(object_max, part_min, part_max, parts_max), size;
    unsigned buffers = wanted > 0 ? wanted : 1;
    char need_text[TEXT_SIZE_MAX], have_text[TEXT_SIZE_MAX];

    if (part_max <= slack || least > part_max - slack)
        return err_set(e, -FAULT_USAGE, "an object of up to %s is too large for this store: it takes %u parts of %s",
                       text_format_size(object_max, need_text), parts_max, text_format_size(part_max, have_text));

    /* One more is being filled. Divided, not multiplied: part_size may be anything. */
    while (buffers > 1 && memory / (buffers + 1ull) < least + slack)
        buffers--;
    if (memory / 2 < least + slack)
        return err_set(e, -FAULT_USAGE, "--memory is too small: parts of the object need %s, and it leaves %s for them",
                       text_format_size(least + slack > UINT64_MAX / 2 ? UINT64_MAX : 2 * (least + slack), need_text),
                       text_format_size(memory, have_text));

    size = (memory / (buffers + 1ull) - slack) / PART_STEP * PART_STEP;
    if (size > MULTIPART_GOOD_SIZE)
        size = MULTIPART_GOOD_SIZE;
    if (size > part_max - slack)
        size = part_max - slack;
    ret->part_size = size > least ? size : least;
    ret->in_flight = buffers;
    return 0;
}
