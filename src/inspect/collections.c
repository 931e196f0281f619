/* SPDX-License-Identifier: Apache-2.0
 *
 * One table of layouts. A class has the layout of its nearest superclass in the table; where the fields have other
 * names than expected, it is no collection.
 */
#include "inspect/collections.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"

enum kind {
    SLOTS, /* size elements in an array of references, or of bytes */
    PAIRS, /* an element takes two slots */
    RING,  /* from size (the head) to extra (the tail) */
    TEXT,  /* extra, where it is, says how many bytes a character has: 1 << coder */
    BARE,  /* no array: links */
};

/* extra: the tail, the coder, or what must be null, as the size is not all of it then. */
struct collection_layout {
    const char *class, *size, *array, *extra;
    enum kind kind;
};

static const struct collection_layout LAYOUTS[] = {
    {"java.util.HashMap", "size", "table", NULL, SLOTS},
    {"java.util.Hashtable", "count", "table", NULL, SLOTS},
    {"java.util.Properties", "count", "table", "map", SLOTS}, /* JDK 9 and newer keep a map in it */
    {"java.util.WeakHashMap", "size", "table", NULL, SLOTS},
    {"java.util.IdentityHashMap", "size", "table", NULL, PAIRS},
    {"java.util.EnumMap", "size", "vals", NULL, SLOTS},
    {"java.util.concurrent.ConcurrentHashMap", "baseCount", "table", "counterCells", SLOTS}, /* JDK 8 and newer */
    {"java.util.concurrent.ConcurrentHashMap$Segment", "count", "table", NULL, SLOTS},       /* JDK 5 to 7 */
    {"java.util.ArrayList", "size", "elementData", NULL, SLOTS},
    {"java.util.Vector", "elementCount", "elementData", NULL, SLOTS},
    {"java.util.ArrayDeque", "head", "elements", "tail", RING},
    {"java.util.PriorityQueue", "size", "queue", NULL, SLOTS},
    {"java.util.concurrent.PriorityBlockingQueue", "size", "queue", NULL, SLOTS},
    {"java.util.concurrent.ArrayBlockingQueue", "count", "items", NULL, SLOTS},
    {"java.lang.AbstractStringBuilder", "count", "value", "coder", TEXT},
    {"java.io.ByteArrayOutputStream", "count", "buf", NULL, SLOTS},
    {"java.util.TreeMap", "size", NULL, NULL, BARE},
    {"java.util.LinkedList", "size", NULL, NULL, BARE},
};

static const struct collection_layout *layout_of(const struct heap *h, uint32_t type)
{
    for (unsigned depth = 0; type < h->type_count && depth < 100; depth++) {
        for (size_t i = 0; i < ARRAY_SIZE(LAYOUTS); i++)
            if (text_eq(h->types[type].name, LAYOUTS[i].class))
                return &LAYOUTS[i];
        type = h->types[type].super;
    }
    return NULL;
}

static void find_places(const struct heap *h, uint32_t type, struct collection_places *p)
{
    const struct collection_layout *l = h->types[type].element ? NULL : layout_of(h, type);

    if (!l)
        return;
    p->size = heap_field_place(h, type, l->size);
    if (l->array)
        p->array = heap_field_place(h, type, l->array);
    if (l->extra)
        p->extra = heap_field_place(h, type, l->extra);
    if ((p->size.type == HEAP_INT || p->size.type == HEAP_LONG) && (!l->array || p->array.type == HEAP_OBJECT) &&
        (l->kind != RING || p->extra.type == HEAP_INT))
        p->layout = l;
}

int collections_begin(struct collections *c, const struct heap *h, const struct retained *r)
{
    int result;

    assert(c && h);
    *c = (struct collections){.h = h,
                              .r = r,
                              .places = calloc(h->type_count + 1, sizeof(*c->places)),
                              .stats = calloc(h->type_count + 1, sizeof(*c->stats))};
    result = c->places && c->stats ? big_array_new(&c->is_empty, heap_memory(h), heap_bits_size(h)) : -ENOMEM;
    if (result < 0) {
        collections_done(c);
        return result;
    }
    for (uint32_t t = 0; t < h->type_count; t++)
        find_places(h, t, &c->places[t]);
    return 0;
}

void collections_done(struct collections *c)
{
    free(c->places);
    free(c->stats);
    big_array_free(&c->is_empty);
    *c = (struct collections){0};
}

/* Used slots of `capacity`; -1: unknown. */
static int64_t used_slots(const struct heap *h, const struct collection_places *p, const struct heap_instance *o,
                          uint64_t capacity)
{
    int64_t size = heap_place_value(h, o, &p->size), extra = heap_place_value(h, o, &p->extra);

    switch (p->layout->kind) {
    case PAIRS:
        return 2 * size;
    case RING:
        return extra < size ? extra - size + (int64_t)capacity : extra - size;
    case TEXT:
        return extra == 1 ? 2 * size : size;
    case SLOTS:
        return p->extra.type == HEAP_OBJECT && extra != 0 ? -1 : size;
    case BARE:
        break;
    }
    return size;
}

static void on_instance(void *ctx, uint32_t node, uint32_t type, const struct heap_instance *o)
{
    struct collections *c = ctx;
    const struct heap *h = c->h;
    const struct collection_places *p = &c->places[type];
    struct collection_stats *s = &c->stats[type];
    uint64_t id = (uint64_t)heap_place_value(h, o, &p->array);
    uint32_t array = id ? heap_index_find(h->index, id) : HEAP_NONE;
    uint64_t capacity = array == HEAP_NONE ? 0 : heap_length_of(h, array);
    int64_t used = used_slots(h, p, o, capacity);

    s->count++;
    if (used == 0) {
        graph_set_bit(&c->is_empty, node);
        s->empty++;
        s->empty_bytes += heap_size(h, node) + (capacity ? heap_size(h, array) : 0);
    } else if (used > 0 && (uint64_t)used <= capacity / 2) {
        unsigned char element = h->types[heap_type_of(h, array)].element;

        s->sparse++;
        s->sparse_bytes += (capacity - (uint64_t)used) *
                           (element == HEAP_OBJECT ? h->reference_bytes : heap_type_size(&h->reader, element));
    }
}

static bool wants(void *ctx, uint32_t type)
{
    const struct collections *c = ctx;

    return c->places[type].layout != NULL;
}

struct survey_part collections_part(struct collections *c)
{
    return (struct survey_part){c, wants, on_instance, NULL};
}

static bool holds_empty_map(const struct collections *c, uint32_t node)
{
    struct heap_edges edges = heap_edges_of(c->h, node);

    while (heap_edges_next(&edges))
        if (edges.target < c->h->objects && graph_bit(&c->is_empty, edges.target))
            return true;
    return false;
}

void collections_end(struct collections *c)
{
    const struct heap *h = c->h;
    CLEANUP_FREE bool *is_set = calloc(h->type_count + 1, sizeof(*is_set));

    for (uint32_t t = 0; is_set && t < h->type_count; t++)
        is_set[t] = heap_is_a(h, t, "java.util.HashSet") || heap_is_a(h, t, "java.util.TreeSet");
    for (uint32_t n = 0; is_set && n < h->objects; n++) {
        uint32_t type = heap_type_of(h, n);

        if (!is_set[type] || !retained_is_reached(c->r, n))
            continue;
        c->stats[type].count++;
        if (holds_empty_map(c, n)) {
            c->stats[type].empty++;
            c->stats[type].empty_bytes += heap_size(h, n);
        }
    }
}
