/* SPDX-License-Identifier: Apache-2.0
 *
 * Most objects are of no interest: their class says so, before they are looked up.
 */
#include "inspect/heap_survey.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"

struct survey {
    const struct heap *h;
    const struct retained *r;
    const struct survey_part *part;
    unsigned count;
    unsigned char *wanted; /* by type: bit i for part i */
    struct big_array seen; /* a bit for each node: a dump may have an object twice */
};

/* The node of an object that is reachable and was not met before; HEAP_NONE. */
static uint32_t meet(struct survey *s, uint64_t id)
{
    uint32_t node = heap_index_find(s->h->index, id);

    if (node == HEAP_NONE || !retained_is_reached(s->r, node) || graph_bit(&s->seen, node))
        return HEAP_NONE;
    graph_set_bit(&s->seen, node);
    return node;
}

static int on_instance(void *ctx, const struct heap_instance *o)
{
    struct survey *s = ctx;
    uint32_t type = id_map_get(&s->h->type_of_id, o->class_id), node;

    if (type == ID_MAP_NONE || !s->wanted[type] || (node = meet(s, o->id)) == HEAP_NONE)
        return 0;
    for (unsigned i = 0; i < s->count; i++)
        if (s->wanted[type] >> i & 1)
            s->part[i].instance(s->part[i].ctx, node, type, o);
    return 0;
}

static int on_array(void *ctx, const struct heap_array *a)
{
    struct survey *s = ctx;
    uint32_t node;

    if (a->type == HEAP_OBJECT || !a->data || (node = meet(s, a->id)) == HEAP_NONE)
        return 0;
    for (unsigned i = 0; i < s->count; i++)
        if (s->part[i].array)
            s->part[i].array(s->part[i].ctx, node, s->h->primitive[a->type], a);
    return 0;
}

int heap_survey(const struct heap *h, const struct retained *r, const struct survey_part *part, unsigned count)
{
    CLEANUP_FREE unsigned char *wanted = calloc(h->type_count + 1, 1);
    struct survey s = {.h = h, .r = r, .part = part, .count = count, .wanted = wanted};
    int result;

    assert(h && r && part && count <= SURVEY_PARTS_MAX);
    if (!wanted)
        return -ENOMEM;
    if ((result = big_array_new(&s.seen, heap_memory(h), heap_bits_size(h))) < 0)
        return result;
    for (uint32_t t = 0; t < h->type_count; t++)
        for (unsigned i = 0; i < count; i++)
            if (!h->types[t].element && part[i].wants(part[i].ctx, t))
                wanted[t] |= (unsigned char)(1U << i);
    result = heap_walk(h, &(struct heap_events){.ctx = &s, .instance = on_instance, .array = on_array});
    big_array_free(&s.seen);
    return result;
}
