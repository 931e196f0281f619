/* SPDX-License-Identifier: Apache-2.0
 *
 * Sizes and numbers of parts. More parts in flight come before larger ones: that is what hides a store's latency.
 */
#include "store/multipart.h"

#include "base/text.h"

enum { PART_STEP = 64 * 1024 }; /* round sizes are easier to read in logs */

static uint64_t divide_up(uint64_t a, uint64_t b)
{
    return a / b + (a % b != 0);
}

/* The smallest part size that will do, a multiple of PART_STEP where the store's limits allow. */
static uint64_t least_size(const struct multipart_need *n)
{
    uint64_t least = n->parts_max ? divide_up(n->object_max, n->parts_max) : 0;
    uint64_t round;

    if (least < n->part_min)
        least = n->part_min;
    if (least == 0)
        least = 1;
    round = divide_up(least, PART_STEP);
    return round <= n->part_max / PART_STEP ? round * PART_STEP : least;
}

int multipart_plan(const struct multipart_need *n, struct multipart_plan *ret, struct err *e)
{
    uint64_t least = least_size(n), size, fit;
    unsigned buffers = n->wanted > 0 ? n->wanted : 1;
    char need_text[TEXT_SIZE_MAX], have_text[TEXT_SIZE_MAX];

    if (n->part_max <= n->slack || least > n->part_max - n->slack)
        return err_set(e, -FAULT_USAGE, "an object of up to %s is too large for this store: it takes %u parts of %s",
                       text_format_size(n->object_max, need_text), n->parts_max,
                       text_format_size(n->part_max, have_text));

    fit = n->memory / (least + n->slack); /* parts: one of them is being filled */
    if (fit < 2)
        return err_set(
            e, -FAULT_USAGE, "--memory is too small: parts of the object need %s, and it leaves %s for them",
            text_format_size(least + n->slack > UINT64_MAX / 2 ? UINT64_MAX : 2 * (least + n->slack), need_text),
            text_format_size(n->memory, have_text));
    if (buffers > fit - 1)
        buffers = (unsigned)(fit - 1);

    size = (n->memory / (buffers + 1ull) - n->slack) / PART_STEP * PART_STEP;
    if (size > MULTIPART_GOOD_SIZE)
        size = MULTIPART_GOOD_SIZE;
    if (size > n->part_max - n->slack)
        size = n->part_max - n->slack;
    ret->part_size = size > least ? size : least;
    ret->in_flight = buffers;
    return 0;
}
