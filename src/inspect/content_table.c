/* SPDX-License-Identifier: Apache-2.0
 *
 * Open addressing, at most 7/8 full. Nearly all contents are met once, so that a count has a byte.
 */
#include "inspect/content_table.h"

#include <assert.h>
#include <errno.h>

enum { SLOTS_MIN = 1024, BYTE_MAX = 255 };

int content_table_init(struct content_table *t, struct big_memory *memory, uint64_t expected)
{
    uint64_t slots = expected + expected / 3 + SLOTS_MIN;
    int r;

    assert(t && memory);
    if (slots > CONTENT_TABLE_SLOTS_MAX)
        slots = CONTENT_TABLE_SLOTS_MAX;
    *t = (struct content_table){.slots = slots, .most = slots - slots / 8};
    if ((r = big_array_new(&t->mark, memory, slots * sizeof(uint32_t))) < 0 ||
        (r = big_array_new(&t->again, memory, slots)) < 0)
        content_table_done(t);
    return r;
}

void content_table_done(struct content_table *t)
{
    big_array_free(&t->mark);
    big_array_free(&t->again);
    id_map_done(&t->often);
    *t = (struct content_table){0};
}

/* The content of this slot, once more. */
static uint32_t count_again(struct content_table *t, uint64_t slot)
{
    unsigned char *again = (unsigned char *)t->again.data + slot;
    uint32_t more;

    if (*again < BYTE_MAX)
        return ++*again + 1U;
    more = id_map_get(&t->often, slot);
    more = more == ID_MAP_NONE ? 1 : more + 1;
    if (id_map_put(&t->often, slot, more) < 0) {
        t->full = true;
        return 0;
    }
    return 1U + BYTE_MAX + more;
}

uint32_t content_table_add(struct content_table *t, uint64_t digest)
{
    uint32_t mark = (uint32_t)(digest >> 32), *marks = t->mark.data;
    uint64_t at = content_table_slot(t, digest);

    assert(marks);
    mark += mark == 0;
    while (marks[at] != 0 && marks[at] != mark)
        at = at + 1 < t->slots ? at + 1 : 0;
    if (marks[at] == mark)
        return count_again(t, at);
    if (t->used >= t->most) {
        t->full = true;
        return 0;
    }
    t->used++;
    marks[at] = mark;
    return 1;
}
