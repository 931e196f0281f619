/* SPDX-License-Identifier: Apache-2.0
 *
 * By bytes, then by name, so that the order is always the same.
 */
#include "inspect/class_order.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    const struct heap_type_info *type;
    uint32_t number;
};

static int most_first(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int r;

    if (x->type->bytes != y->type->bytes)
        return x->type->bytes > y->type->bytes ? -1 : 1;
    r = strcmp(x->type->name, y->type->name);
    return r ? r : x->number < y->number ? -1 : x->number > y->number;
}

uint32_t *class_order(const struct heap *h)
{
    struct entry *entry = calloc(h->type_count + 1, sizeof(*entry));
    uint32_t *order = calloc(h->type_count + 1, sizeof(*order));

    if (!entry || !order) {
        free(entry);
        free(order);
        return NULL;
    }
    for (uint32_t t = 0; t < h->type_count; t++)
        entry[t] = (struct entry){&h->types[t], t};
    if (h->type_count > 0)
        qsort(entry, h->type_count, sizeof(*entry), most_first);
    for (uint32_t t = 0; t < h->type_count; t++)
        order[t] = entry[t].number;
    free(entry);
    return order;
}
