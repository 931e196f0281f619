/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Three passes over the dump: ids and classes; types and numbers of edges; edges.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/fault.h"
#include "base/mem.h"
#include "hprof/heap.h"

/* Pages of the index take at most as many bytes as the dump, and 16 MiB. */
enum { ALIGNED_SHIFT = 3, PAGES_LEAST = 4096, PAGE_BYTES = 4300 };

static int on_text(void *ctx, uint64_t id, const char *text, size_t size)
{
    struct heap *h = ctx;
    int r;

    if ((r = array_reserve(&h->texts, h->text_count + 1, &h->text_capacity, sizeof(*h->texts), HEAP_TEXTS_MAX)) < 0 ||
        (r = id_map_put(&h->text_of_id, id, (uint32_t)h->text_count)) < 0)
        return r;
    h->texts[h->text_count++] = (struct heap_text){text, (uint32_t)size};
    return 0;
}

static int on_load_class(void *ctx, uint32_t serial, uint64_t id, uint64_t name)
{
    struct heap *h = ctx;
    uint32_t type = heap_type_for(h, id);

    if (type == HEAP_NONE)
        return -ENOMEM;
    h->types[type].name_id = name;
    return id_map_put(&h->type_of_serial, serial, type);
}

static int on_frame(void *ctx, const struct heap_frame *frame)
{
    struct heap *h = ctx;
    int r;

    if ((r = array_reserve(&h->frames, h->frame_count + 1, &h->frame_capacity, sizeof(*h->frames), HEAP_FRAMES_MAX)) <
            0 ||
        (r = id_map_put(&h->frame_of_id, frame->id, (uint32_t)h->frame_count)) < 0)
        return r;
    h->frames[h->frame_count++] = *frame;
    return 0;
}

static int on_trace(void *ctx, const struct heap_trace *trace)
{
    struct heap *h = ctx;
    int r;

    if ((r = array_reserve(&h->traces, h->trace_count + 1, &h->trace_capacity, sizeof(*h->traces), HEAP_FRAMES_MAX)) <
            0 ||
        (r = id_map_put(&h->trace_of_serial, trace->serial, (uint32_t)h->trace_count)) < 0)
        return r;
    h->traces[h->trace_count++] = *trace;
    return 0;
}

static int on_root(void *ctx, const struct heap_root_record *root)
{
    struct heap *h = ctx;
    int r = array_reserve(&h->roots, h->root_count + 1, &h->root_capacity, sizeof(*h->roots), HEAP_ROOTS_MAX);

    if (r < 0)
        return r;
    h->roots[h->root_count++] = (struct heap_root_info){HEAP_NONE, *root};
    return 0;
}

static int add_id(struct heap *h, uint64_t id)
{
    int r = heap_index_add(h->index, id);

    return r < 0 ? r : 0; /* an object that is there twice is one object */
}

static int on_class_id(void *ctx, const struct heap_class *c)
{
    struct heap *h = ctx;
    uint32_t type = heap_type_for(h, c->id);

    if (type == HEAP_NONE)
        return -ENOMEM;
    h->types[type].record = *c;
    h->types[type].known = true;
    return add_id(h, c->id);
}

static int on_instance_id(void *ctx, const struct heap_instance *o)
{
    return add_id(ctx, o->id);
}

static int on_array_id(void *ctx, const struct heap_array *a)
{
    return add_id(ctx, a->id);
}

/* Types and degrees. A reference counts though it may lead nowhere: it then leads to its own object. */
static int set_type(struct heap *h, uint32_t node, uint32_t type)
{
    if (node == HEAP_NONE || type == HEAP_NONE)
        return node == HEAP_NONE ? 0 : -ENOMEM;
    h->type[node] = type;
    h->types[type].count++;
    h->first[node + 1] += h->types[type].known && !h->types[type].is_root;
    return 0;
}

/* Calls fn for each reference of a class: to its superclass, loader, holders, and of its static fields. */
static void each_class_reference(struct heap *h, const struct heap_class *c,
                                 void (*fn)(struct heap *h, uint32_t node, uint64_t id), uint32_t node)
{
    unsigned id = h->reader.id_size;
    const unsigned char *p = c->statics;

    fn(h, node, c->super);
    fn(h, node, c->loader);
    fn(h, node, heap_id(&h->reader, c->holders));
    fn(h, node, heap_id(&h->reader, c->holders + id));
    for (unsigned i = 0; i < c->static_count; i++) {
        unsigned type = p[id];

        if (type == HEAP_OBJECT)
            fn(h, node, heap_id(&h->reader, p + id + 1));
        p += id + 1 + heap_type_size(&h->reader, type);
    }
}

static void count_reference(struct heap *h, uint32_t node, uint64_t id)
{
    h->first[node + 1] += id != 0;
}

/* first[node] is the place of the next edge while edges are added: make_edges sets it back. */
static void add_reference(struct heap *h, uint32_t node, uint64_t id)
{
    uint32_t target;

    if (id == 0)
        return;
    target = heap_index_find(h->index, id);
    h->to[h->first[node]++] = target == HEAP_NONE ? node : target;
}

static int on_class_degree(void *ctx, const struct heap_class *c)
{
    struct heap *h = ctx;
    uint32_t node = heap_index_find(h->index, c->id), type = id_map_get(&h->type_of_id, c->id);

    if (node == HEAP_NONE || h->type[node] != HEAP_NONE)
        return 0;
    h->types[type].node = node;
    each_class_reference(h, c, count_reference, node);
    return set_type(h, node, h->class_type == HEAP_NONE ? type : h->class_type);
}

static int on_instance_degree(void *ctx, const struct heap_instance *o)
{
    struct heap *h = ctx;
    uint32_t node = heap_index_find(h->index, o->id), type = heap_type_for(h, o->class_id);
    const struct heap_type_info *t;

    if (node == HEAP_NONE || type == HEAP_NONE || h->type[node] != HEAP_NONE)
        return type == HEAP_NONE ? -ENOMEM : 0;
    t = &h->types[type];
    h->first[node + 1] += t->referent != UINT32_MAX;
    for (uint32_t i = 0; i < t->reference_count && t->references[i] + h->reader.id_size <= o->size; i++)
        h->first[node + 1] += heap_id(&h->reader, o->data + t->references[i]) != 0;
    return set_type(h, node, type);
}

static uint32_t type_of_array(struct heap *h, const struct heap_array *a)
{
    return a->type == HEAP_OBJECT ? heap_type_for(h, a->class_id) : h->primitive[a->type];
}

static int on_array_degree(void *ctx, const struct heap_array *a)
{
    struct heap *h = ctx;
    uint32_t node = heap_index_find(h->index, a->id), type = type_of_array(h, a), count = 0;

    if (node == HEAP_NONE || type == HEAP_NONE || h->type[node] != HEAP_NONE)
        return type == HEAP_NONE ? -ENOMEM : 0;
    h->length[node] = a->length;
    if (!h->types[type].element)
        h->types[type].element = a->type; /* a class of which there is no record */
    for (uint32_t i = 0; a->type == HEAP_OBJECT && i < a->length; i++)
        count += heap_id(&h->reader, a->data + (size_t)i * h->reader.id_size) != 0;
    h->first[node + 1] += count;
    return set_type(h, node, type);
}

/* An object that is in the dump twice has the edges of its first record. */
static bool begin_edges(struct heap *h, uint32_t node)
{
    uint64_t bit = UINT64_C(1) << (node & 63);

    if (node == HEAP_NONE || h->seen[node >> 6] & bit)
        return false;
    h->seen[node >> 6] |= bit;
    return true;
}

/* A class that is no GC root lives as long as its instances. */
static void add_class_edge(struct heap *h, uint32_t node)
{
    const struct heap_type_info *t = &h->types[h->type[node]];

    if (t->known && !t->is_root)
        h->to[h->first[node]++] = t->node == HEAP_NONE ? node : t->node;
}

static int on_class_edges(void *ctx, const struct heap_class *c)
{
    struct heap *h = ctx;
    uint32_t node = heap_index_find(h->index, c->id);

    if (!begin_edges(h, node))
        return 0;
    each_class_reference(h, c, add_reference, node);
    add_class_edge(h, node);
    return 0;
}

static void add_referent(struct heap *h, uint32_t node, const unsigned char *id)
{
    uint32_t target = id ? heap_index_find(h->index, heap_id(&h->reader, id)) : HEAP_NONE;

    h->to[h->first[node]++] = target == HEAP_NONE ? node : target;
}

static int on_instance_edges(void *ctx, const struct heap_instance *o)
{
    struct heap *h = ctx;
    uint32_t node = heap_index_find(h->index, o->id);
    const struct heap_type_info *t;

    if (!begin_edges(h, node))
        return 0;
    t = &h->types[h->type[node]];
    if (t->referent != UINT32_MAX)
        add_referent(h, node, t->referent + h->reader.id_size <= o->size ? o->data + t->referent : NULL);
    for (uint32_t i = 0; i < t->reference_count && t->references[i] + h->reader.id_size <= o->size; i++)
        add_reference(h, node, heap_id(&h->reader, o->data + t->references[i]));
    add_class_edge(h, node);
    return 0;
}

static int on_array_edges(void *ctx, const struct heap_array *a)
{
    struct heap *h = ctx;
    uint32_t node = heap_index_find(h->index, a->id);

    if (!begin_edges(h, node))
        return 0;
    for (uint32_t i = 0; a->type == HEAP_OBJECT && a->data && i < a->length; i++)
        add_reference(h, node, heap_id(&h->reader, a->data + (size_t)i * h->reader.id_size));
    add_class_edge(h, node);
    return 0;
}

static int read_ids(struct heap *h, unsigned shift)
{
    static const struct heap_events EVENTS = {.text = on_text,
                                              .load_class = on_load_class,
                                              .frame = on_frame,
                                              .trace = on_trace,
                                              .root = on_root,
                                              .class = on_class_id,
                                              .instance = on_instance_id,
                                              .array = on_array_id};
    struct heap_events events = EVENTS;
    int r;

    if ((r = heap_index_new(shift, PAGES_LEAST + h->reader.size / PAGE_BYTES, &h->index)) < 0)
        return r;
    events.ctx = h;
    if ((r = heap_reader_walk(&h->reader, &events)) < 0 || (r = heap_index_seal(h->index)) < 0)
        return r;
    h->objects = heap_index_count(h->index);
    return 0;
}

/* What the first pass has collected, before it begins anew. */
static void forget(struct heap *h)
{
    heap_index_free(h->index);
    h->index = NULL;
    h->text_count = h->type_count = h->frame_count = h->trace_count = h->root_count = 0;
    id_map_done(&h->text_of_id);
    id_map_done(&h->type_of_id);
    id_map_done(&h->type_of_serial);
    id_map_done(&h->frame_of_id);
    id_map_done(&h->trace_of_serial);
}

static void find_roots(struct heap *h)
{
    for (size_t i = 0; i < h->root_count; i++) {
        struct heap_root_info *root = &h->roots[i];
        uint32_t type = id_map_get(&h->type_of_id, root->record.id);

        root->node = heap_index_find(h->index, root->record.id);
        h->first[h->objects + 1] += root->node != HEAP_NONE;
        if (type != ID_MAP_NONE)
            h->types[type].is_root = true;
    }
}

static int allocate_objects(struct heap *h)
{
    size_t n = h->objects;

    h->type = malloc((n + 1) * sizeof(*h->type));
    h->length = calloc(n + 1, sizeof(*h->length));
    h->first = calloc(n + 2, sizeof(*h->first));
    h->seen = calloc(n / 64 + 1, sizeof(*h->seen));
    if (!h->type || !h->length || !h->first || !h->seen)
        return -ENOMEM;
    memset(h->type, 0xFF, (n + 1) * sizeof(*h->type));
    return 0;
}

static int read_degrees(struct heap *h)
{
    const struct heap_events events = {
        .ctx = h, .class = on_class_degree, .instance = on_instance_degree, .array = on_array_degree};
    uint64_t total = 0;
    int r;

    find_roots(h);
    if ((r = heap_reader_walk(&h->reader, &events)) < 0)
        return r;
    for (uint32_t n = 0; n <= h->objects; n++) {
        total += h->first[n + 1];
        if (total > UINT32_MAX)
            return -E2BIG;
        h->first[n + 1] = (uint32_t)total;
    }
    return 0;
}

static int make_edges(struct heap *h)
{
    const struct heap_events events = {
        .ctx = h, .class = on_class_edges, .instance = on_instance_edges, .array = on_array_edges};
    int r;

    if (!(h->to = malloc(((size_t)h->first[h->objects + 1] + 1) * sizeof(*h->to))))
        return -ENOMEM;
    if ((r = heap_reader_walk(&h->reader, &events)) < 0)
        return r;
    for (size_t i = 0; i < h->root_count; i++)
        if (h->roots[i].node != HEAP_NONE)
            h->to[h->first[h->objects]++] = h->roots[i].node;
    for (uint32_t n = h->objects; n > 0; n--)
        h->first[n] = h->first[n - 1];
    h->first[0] = 0;
    h->graph = (struct graph){h->objects + 1, h->first, h->to};
    return 0;
}

static int load(struct heap *h)
{
    int r = read_ids(h, ALIGNED_SHIFT);

    if (r == -EINVAL) { /* ids that are no addresses of aligned objects: the hprof agent's */
        forget(h);
        r = read_ids(h, 0);
    }
    if (r < 0 || (r = heap_resolve_types(h)) < 0 || (r = allocate_objects(h)) < 0 || (r = read_degrees(h)) < 0 ||
        (r = make_edges(h)) < 0)
        return r;
    free(h->seen);
    h->seen = NULL;
    if ((r = heap_name_types(h)) < 0) /* of objects whose class has no record */
        return r;
    heap_measure(h);
    return 0;
}

void heap_free(struct heap *h)
{
    if (!h)
        return;
    for (size_t i = 0; i < h->type_count; i++) {
        free(h->types[i].name);
        free(h->types[i].references);
    }
    forget(h);
    free(h->types);
    free(h->texts);
    free(h->frames);
    free(h->traces);
    free(h->roots);
    free(h->type);
    free(h->length);
    free(h->first);
    free(h->to);
    free(h->seen);
    free(h);
}

DEFINE_CLEANUP(struct heap *, heap_free)

int heap_load(const void *data, size_t size, struct heap **ret, struct err *e)
{
    CLEANUP(heap_free_ptr) struct heap *h = calloc(1, sizeof(*h));
    int r;

    assert(ret);
    if (!h)
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = heap_reader_init(&h->reader, data, size)) < 0)
        return err_set(e, -FAULT_FORMAT, "it is no heap dump of HotSpot's format");
    if ((r = load(h)) == -E2BIG)
        return err_set(e, r, "the dump has more objects or references than 2^32");
    if (r == -EOVERFLOW)
        return err_set(e, -FAULT_FORMAT, "the addresses of its objects lie too far apart for a heap of its size");
    if (r < 0)
        return err_set(e, r, "%s", r == -ENOMEM ? "out of memory for the heap's graph" : strerror(-r));
    *ret = TAKE_PTR(h);
    return 0;
}
