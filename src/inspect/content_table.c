/* SPDX-License-Identifier: Apache-2.0
 *
 * Open addressing, at most 7/8 full.
 */
#include "inspect/content_table.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

int content_table_init(struct content_table *t, uint64_t expected)
{
    uint64_t slots = 1024;

    assert(t);
    while (slots < CONTENT_TABLE_SLOTS_MAX && slots - slots / 4 < expected)
        slots *= 2;
    *t = (struct content_table){.slot = calloc(slots, sizeof(*t->slot)), .mask = slots - 1, .most = slots - slots / 8};
    return t->slot ? 0 : -ENOMEM;
}

void content_table_done(struct content_table *t)
{
    free(t->slot);
    *t = (struct content_table){0};
}

uint32_t content_table_add(struct content_table *t, uint64_t digest)
{
    uint32_t mark = (uint32_t)(digest >> 32);
    uint64_t at = digest & t->mask;

    assert(t->slot);
    mark += mark == 0;
    while (t->slot[at].mark != 0 && t->slot[at].mark != mark)
        at = (at + 1) & t->mask;
    if (t->slot[at].mark == 0) {
        if (t->used >= t->most) {
            t->full = true;
            return 0;
        }
        t->used++;
        t->slot[at].mark = mark;
    }
    t->slot[at].count += t->slot[at].count < UINT32_MAX;
    return t->slot[at].count;
}
