/* SPDX-License-Identifier: Apache-2.0
 *
 * Two passes over the records, on one thread, as each address is a distance from the one before.
 */
#include "hprof/heap_phd.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/java_name.h"
#include "base/mem.h"
#include "base/text.h"

enum { ALIGNED_SHIFT = 3, UNIT_SHIFT = 2, PAGES_LEAST = 65536, PAGE_BYTES = 64, NAME_MAX_BYTES = 65536 + 512 };

/* Addresses are multiples of 4: this is no class's. */
enum { ARRAY_OF = 1 };

struct loading {
    struct heap *h;
    struct phd_reader reader;
    struct edge_writer writer;
    struct big_array referred, begun; /* bits of nodes */
    uint32_t last;                    /* target */
};

/* --- the first pass: addresses and classes --- */

static uint32_t array_type(struct heap *h, uint64_t element)
{
    uint32_t type = heap_type_for(h, element) == HEAP_NONE ? HEAP_NONE : heap_type_for(h, element + ARRAY_OF);

    if (type != HEAP_NONE)
        h->types[type].element = HEAP_OBJECT;
    return type;
}

static int add_class(struct heap *h, const struct phd_object *o)
{
    uint32_t number = heap_type_for(h, o->address);
    CLEANUP_FREE char *name = malloc(NAME_MAX_BYTES);
    struct heap_type_info *t;

    if (number == HEAP_NONE || !name)
        return -ENOMEM;
    t = &h->types[number];
    if (t->known) /* of two records the first counts, as with objects */
        return 0;
    t->known = true;
    t->is_root = true;
    t->record = (struct heap_class){.id = o->address, .super = o->super, .instance_size = o->instance_size};
    t->name = o->name_size > 0 ? strdup(java_name(o->name, o->name_size, name, NAME_MAX_BYTES)) : NULL;
    return t->name || o->name_size == 0 ? 0 : -ENOMEM;
}

static int collect_object(void *ctx, const struct phd_object *o)
{
    struct heap *h = ((struct loading *)ctx)->h;
    int r = heap_index_add(h->index, o->address);

    if (r < 0)
        return r;
    switch (o->kind) {
    case PHD_OBJECT:
        return heap_type_for(h, o->class) == HEAP_NONE ? -ENOMEM : 0;
    case PHD_OBJECT_ARRAY:
        return array_type(h, o->class) == HEAP_NONE ? -ENOMEM : 0;
    case PHD_CLASS_OBJECT:
        return add_class(h, o);
    case PHD_PRIMITIVE_ARRAY:
        break;
    }
    return 0;
}

static void forget_types(struct heap *h)
{
    for (size_t i = 0; i < h->type_count; i++)
        free(h->types[i].name);
    h->type_count = 0;
    id_map_done(&h->type_of_id);
}

static int collect(struct loading *l, unsigned shift)
{
    struct heap *h = l->h;
    int r = heap_index_new(shift, PAGES_LEAST + h->reader.size / PAGE_BYTES, &h->index);

    return r < 0 ? r : phd_reader_walk(&l->reader, collect_object, l);
}

static int find_objects(struct loading *l)
{
    struct heap *h = l->h;
    int r = collect(l, ALIGNED_SHIFT);

    if (r == -EINVAL) {
        heap_index_free(TAKE_PTR(h->index));
        forget_types(h);
        r = collect(l, UNIT_SHIFT);
    }
    h->reader.cut = l->reader.cut;
    if (r < 0 || (r = heap_index_seal(h->index)) < 0)
        return r;
    h->objects = heap_index_count(h->index);
    return 0;
}

/* --- types --- */

static int name_array(struct heap *h, struct heap_type_info *t)
{
    uint64_t element = t->record.id - ARRAY_OF;
    uint32_t number = id_map_get(&h->type_of_id, element);
    const char *name = number == ID_MAP_NONE ? NULL : h->types[number].name;

    if (name ? asprintf(&t->name, "%s[]", name) < 0
             : asprintf(&t->name, "class at 0x%llx[]", (unsigned long long)element) < 0)
        t->name = NULL;
    return t->name ? 0 : -ENOMEM;
}

static int find_types(struct heap *h)
{
    int r;

    for (size_t i = 0; i < h->type_count; i++)
        if ((h->types[i].record.id & ARRAY_OF) && (r = name_array(h, &h->types[i])) < 0)
            return r;
    if ((r = heap_resolve_types(h)) < 0)
        return r;
    for (size_t i = 0; i < h->type_count; i++) {
        struct heap_type_info *t = &h->types[i];

        if (t->known && text_eq(t->name, "java.lang.Class"))
            h->class_type = (uint32_t)i;
        else if (t->known && text_ends(t->name, "[]"))
            t->element = HEAP_OBJECT;
        if (t->known)
            t->node = heap_index_find(h->index, t->record.id);
    }
    return 0;
}

/* --- the second pass: the graph --- */

static uint32_t type_of(const struct heap *h, const struct phd_object *o)
{
    switch (o->kind) {
    case PHD_OBJECT:
        return id_map_get(&h->type_of_id, o->class);
    case PHD_OBJECT_ARRAY:
        return id_map_get(&h->type_of_id, o->class + ARRAY_OF);
    case PHD_PRIMITIVE_ARRAY:
        return h->primitive[o->type];
    case PHD_CLASS_OBJECT:
        break;
    }
    return h->class_type == HEAP_NONE ? id_map_get(&h->type_of_id, o->address) : h->class_type;
}

static int add_target(struct loading *l, uint64_t address)
{
    uint32_t target = address ? heap_index_find(l->h->index, address) : HEAP_NONE;

    if (target == HEAP_NONE || target == l->last || target == l->writer.node)
        return 0;
    l->last = target;
    if (graph_bit(&l->referred, target))
        graph_set_bit(&l->h->graph.several, target);
    graph_set_bit(&l->referred, target);
    return edge_writer_edge(&l->writer, target);
}

static int link_object(void *ctx, const struct phd_object *o)
{
    struct loading *l = ctx;
    struct heap *h = l->h;
    uint32_t node = heap_index_find(h->index, o->address), type = type_of(h, o);
    int r = 0;

    if (graph_bit(&l->begun, node)) /* of an object that is in the dump twice the first record counts */
        return 0;
    graph_set_bit(&l->begun, node);
    graph_set_type(&h->graph, node, type);
    edge_writer_begin(&l->writer, node);
    l->last = HEAP_NONE;
    if (h->types[type].element && (o->length > 0 || o->reference_count > 0))
        r = edge_writer_number(&l->writer, o->length <= UINT32_MAX ? o->length : UINT32_MAX);
    if (r == 0 && o->kind == PHD_CLASS_OBJECT)
        r = add_target(l, o->super);
    for (uint32_t i = 0; r == 0 && i < o->reference_count; i++)
        r = add_target(l, phd_reference(o, i));
    return r < 0 ? r : edge_writer_end(&l->writer);
}

static int allocate(struct loading *l)
{
    struct heap *h = l->h;
    struct graph *g = &h->graph;
    size_t bits = heap_bits_size(h);
    int r;

    g->nodes = h->objects;
    g->threads = h->threads;
    g->wide = h->type_count > UINT16_MAX;
    if (!(h->graph_types = calloc(h->type_count + 1, sizeof(*h->graph_types))))
        return -ENOMEM;
    for (size_t i = 0; i < h->type_count; i++)
        h->graph_types[i] = (struct graph_type){.also = GRAPH_NONE, .number = h->types[i].element != 0};
    g->types = h->graph_types;
    g->type_count = h->type_count;
    if ((r = edge_lists_new(&g->lists, &h->memory, g->nodes)) < 0 ||
        (r = big_array_new(&g->type, &h->memory,
                           ((size_t)h->objects + 1) * (g->wide ? sizeof(uint32_t) : sizeof(uint16_t)))) < 0 ||
        (r = big_array_new(&g->several, &h->memory, bits)) < 0 ||
        (r = big_array_new(&l->referred, &h->memory, bits)) < 0)
        return r;
    return big_array_new(&l->begun, &h->memory, bits);
}

static int link_all(struct loading *l)
{
    struct heap *h = l->h;
    int r = allocate(l);

    l->writer = (struct edge_writer){.lists = &h->graph.lists};
    if (r == 0)
        r = phd_reader_walk(&l->reader, link_object, l);
    if (r == 0)
        r = edge_lists_seal(&h->graph.lists, &l->writer, 1);
    edge_writer_done(&l->writer);
    big_array_free(&l->begun);
    return r;
}

int heap_phd_load(struct heap *h, const void *data, size_t size)
{
    struct loading l = {.h = h};
    int r = phd_reader_init(&l.reader, data, size);

    assert(h && !h->index);
    if (r < 0)
        return r;
    h->phd = true;
    h->reader = (struct heap_reader){.data = data, .size = size, .id_size = l.reader.header.wide ? 8 : 4};
    if ((r = find_objects(&l)) == 0 && (r = find_types(h)) == 0 && (r = link_all(&l)) == 0)
        r = heap_phd_find_roots(h, &l.referred);
    big_array_free(&l.referred);
    if (r == 0)
        heap_phd_measure(h);
    return r;
}
