/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Each worker takes chunks of the dump and has a writer of its own. Of an object that is in the dump
 * twice the first record counts: then there is one worker, which reads in order.
 */
#include "hprof/heap_link.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/parallel.h"

enum { TAKEN = 8 }; /* chunks at once */

struct worker {
    struct heap *h;
    struct edge_writer writer;
    struct heap_type_info *type; /* of the object that was read last */
    uint64_t class_id;           /* its class's */
    uint32_t number;             /* the type's */
    uint32_t last;               /* target */
};

struct link {
    struct heap *h;
    struct worker worker[HEAP_THREADS_MOST];
    unsigned count, next_worker;
    size_t next;            /* chunk */
    struct big_array once;  /* a bit for each node: there is a reference to it */
    struct big_array begun; /* a bit for each node: its record was read; without data: all are there once */
    int result;
};

/* True if the bit was set before. */
static bool set_shared_bit(const struct big_array *bits, uint32_t node)
{
    uint64_t *word = (uint64_t *)bits->data + (node >> 6), bit = UINT64_C(1) << (node & 63);

    if (__atomic_load_n(word, __ATOMIC_RELAXED) & bit)
        return true;
    return (__atomic_fetch_or(word, bit, __ATOMIC_RELAXED) & bit) != 0;
}

struct pass { /* what the events get */
    struct link *l;
    struct worker *w;
};

static int add_target(struct pass *p, uint32_t target)
{
    struct worker *w = p->w;

    if (target == HEAP_NONE || target == w->last)
        return 0;
    w->last = target;
    if (target == w->writer.node)
        return 0;
    if (set_shared_bit(&p->l->once, target))
        set_shared_bit(&p->l->h->graph.several, target);
    return edge_writer_edge(&w->writer, target);
}

static int add_reference(struct pass *p, uint64_t id)
{
    return id ? add_target(p, heap_index_find(p->l->h->index, id)) : 0;
}

/* False: this object was read before. */
static bool begin(struct pass *p, uint32_t node, uint32_t type)
{
    struct heap *h = p->l->h;

    if (p->l->begun.data) {
        if (graph_bit(&p->l->begun, node))
            return false;
        graph_set_bit(&p->l->begun, node);
    }
    graph_set_type(&h->graph, node, type);
    edge_writer_begin(&p->w->writer, node);
    p->w->last = HEAP_NONE;
    return true;
}

static uint32_t type_of(struct worker *w, uint64_t class_id)
{
    if (!w->type || w->class_id != class_id) {
        w->class_id = class_id;
        w->number = id_map_get(&w->h->type_of_id, class_id);
        w->type = &w->h->types[w->number]; /* heap_collect has added all */
    }
    return w->number;
}

/* To its superclass, loader, holders, and of its static fields. */
static int add_class(struct pass *p, const struct heap_class *c)
{
    const struct heap_reader *reader = &p->l->h->reader;
    unsigned id = reader->id_size;
    const unsigned char *s = c->statics;
    int r;

    if ((r = add_reference(p, c->super)) < 0 || (r = add_reference(p, c->loader)) < 0 ||
        (r = add_reference(p, heap_id(reader, c->holders))) < 0 ||
        (r = add_reference(p, heap_id(reader, c->holders + id))) < 0)
        return r;
    for (unsigned i = 0; i < c->static_count; i++) {
        unsigned type = s[id];

        if (type == HEAP_OBJECT && (r = add_reference(p, heap_id(reader, s + id + 1))) < 0)
            return r;
        s += id + 1 + heap_type_size(reader, type);
    }
    return 0;
}

static int on_class(void *ctx, const struct heap_class *c)
{
    struct pass *p = ctx;
    struct heap *h = p->l->h;
    uint32_t node = heap_index_find(h->index, c->id), own = type_of(p->w, c->id);
    uint32_t type = h->class_type == HEAP_NONE ? own : h->class_type;
    int r = 0;

    if (!begin(p, node, type))
        return 0;
    if (h->types[type].element)
        r = edge_writer_number(&p->w->writer, 0);
    return r < 0 || (r = add_class(p, c)) < 0 ? r : edge_writer_end(&p->w->writer);
}

/* The first edge of a weak reference is its referent's: to itself if there is none. */
static int add_referent(struct pass *p, const struct heap_type_info *t, const struct heap_instance *o)
{
    const struct heap_reader *reader = &p->l->h->reader;
    uint32_t target = HEAP_NONE;
    int r;

    if (t->referent + reader->id_size <= o->size)
        target = heap_index_find(p->l->h->index, heap_id(reader, o->data + t->referent));
    if (target == HEAP_NONE || target == p->w->writer.node)
        return edge_writer_edge(&p->w->writer, p->w->writer.node);
    if ((r = add_target(p, target)) == 0)
        p->w->last = HEAP_NONE; /* a field may refer to the same, and is not weak */
    return r;
}

static int on_instance(void *ctx, const struct heap_instance *o)
{
    struct pass *p = ctx;
    struct heap *h = p->l->h;
    uint32_t node = heap_index_find(h->index, o->id), type = type_of(p->w, o->class_id);
    const struct heap_type_info *t = p->w->type;
    unsigned id = h->reader.id_size;
    int r = 0;

    if (!begin(p, node, type))
        return 0;
    if (t->element)
        r = edge_writer_number(&p->w->writer, 0);
    if (r == 0 && t->referent != UINT32_MAX)
        r = add_referent(p, t, o);
    for (uint32_t i = 0; r == 0 && i < t->reference_count && t->references[i] + id <= o->size; i++)
        r = add_reference(p, heap_id(&h->reader, o->data + t->references[i]));
    return r < 0 ? r : edge_writer_end(&p->w->writer);
}

static int on_array(void *ctx, const struct heap_array *a)
{
    struct pass *p = ctx;
    struct heap *h = p->l->h;
    uint32_t node = heap_index_find(h->index, a->id);
    unsigned id = h->reader.id_size;
    int r = 0;

    if (!begin(p, node, a->type == HEAP_OBJECT ? type_of(p->w, a->class_id) : h->primitive[a->type]))
        return 0;
    if (a->length > 0)
        r = edge_writer_number(&p->w->writer, a->length);
    for (uint32_t i = 0; r == 0 && a->type == HEAP_OBJECT && a->data && i < a->length; i++)
        r = add_reference(p, heap_id(&h->reader, a->data + (size_t)i * id));
    return r < 0 ? r : edge_writer_end(&p->w->writer);
}

static int read_chunk(struct pass *p, const struct heap_chunk *chunk)
{
    const struct heap_events events = {.ctx = p, .class = on_class, .instance = on_instance, .array = on_array};
    struct heap_part part = {.from = chunk->from, .to = chunk->to, .end = chunk->end};
    int r = heap_reader_walk_part(&p->l->h->reader, &part, &events);

    heap_release(p->l->h, chunk->from, (size_t)(chunk->to - chunk->from));
    return r;
}

static void work(void *ctx)
{
    struct link *l = ctx;
    unsigned i = __atomic_fetch_add(&l->next_worker, 1, __ATOMIC_RELAXED);
    struct pass p = {l, &l->worker[i]};
    size_t at;

    while ((at = __atomic_fetch_add(&l->next, TAKEN, __ATOMIC_RELAXED)) < l->h->chunk_count)
        for (size_t k = at; k < at + TAKEN && k < l->h->chunk_count; k++) {
            int r = __atomic_load_n(&l->result, __ATOMIC_RELAXED);

            if (r == 0 && (r = read_chunk(&p, &l->h->chunks[k])) < 0)
                __atomic_store_n(&l->result, r, __ATOMIC_RELAXED);
        }
}

/* Nodes of GC roots, and classes that a root keeps. Any of these is referred to from outside: it counts as several. */
static int find_roots(struct heap *h)
{
    size_t count = 0;

    if (!(h->root_nodes = calloc(h->root_count + 1, sizeof(*h->root_nodes))))
        return -ENOMEM;
    for (size_t i = 0; i < h->root_count; i++) {
        struct heap_root_info *root = &h->roots[i];
        uint32_t type = id_map_get(&h->type_of_id, root->record.id);

        root->node = heap_index_find(h->index, root->record.id);
        if (root->node != HEAP_NONE) {
            h->root_nodes[count++] = root->node;
            graph_set_bit(&h->graph.several, root->node);
        }
        if (type != ID_MAP_NONE)
            h->types[type].is_root = true;
    }
    h->graph.roots = h->root_nodes;
    h->graph.root_count = count;
    return 0;
}

/* A class that is no GC root lives as long as its instances. */
static int make_graph_types(struct heap *h)
{
    if (!(h->graph_types = calloc(h->type_count + 1, sizeof(*h->graph_types))))
        return -ENOMEM;
    for (size_t i = 0; i < h->type_count; i++) {
        struct heap_type_info *t = &h->types[i];

        if (t->known)
            t->node = heap_index_find(h->index, t->record.id);
        h->graph_types[i] =
            (struct graph_type){.also = t->known && !t->is_root ? t->node : GRAPH_NONE, .number = t->element != 0};
        if (h->graph_types[i].also != GRAPH_NONE)
            graph_set_bit(&h->graph.several, t->node);
    }
    h->graph.types = h->graph_types;
    h->graph.type_count = h->type_count;
    return 0;
}

static int allocate(struct link *l)
{
    struct heap *h = l->h;
    struct graph *g = &h->graph;
    size_t n = h->objects, bits = (n / 64 + 1) * sizeof(uint64_t);
    int r;

    g->nodes = h->objects;
    g->wide = h->type_count > UINT16_MAX;
    if ((r = edge_lists_new(&g->lists, &h->memory, g->nodes)) < 0 ||
        (r = big_array_new(&g->type, &h->memory, (n + 1) * (g->wide ? sizeof(uint32_t) : sizeof(uint16_t)))) < 0 ||
        (r = big_array_new(&g->several, &h->memory, bits)) < 0 || (r = big_array_new(&l->once, &h->memory, bits)) < 0 ||
        (h->doubles && (r = big_array_new(&l->begun, &h->memory, bits)) < 0) || (r = find_roots(h)) < 0)
        return r;
    return make_graph_types(h);
}

static int link_all(struct link *l)
{
    struct edge_writer writer[HEAP_THREADS_MOST];
    int r;

    for (unsigned i = 0; i < l->count; i++)
        l->worker[i] = (struct worker){.h = l->h, .writer = {.lists = &l->h->graph.lists, .number = i}};
    parallel_run(l->count, work, l);
    for (unsigned i = 0; i < l->count; i++)
        writer[i] = l->worker[i].writer;
    r = l->result < 0 ? l->result : edge_lists_seal(&l->h->graph.lists, writer, l->count);
    for (unsigned i = 0; i < l->count; i++)
        edge_writer_done(&writer[i]);
    return r;
}

int heap_link(struct heap *h)
{
    struct link *l = calloc(1, sizeof(*l));
    int r;

    assert(h && h->index && h->threads > 0);
    if (!l)
        return -ENOMEM;
    l->h = h;
    l->count = h->doubles ? 1 : h->threads;
    if ((r = allocate(l)) == 0)
        r = link_all(l);
    big_array_free(&l->once);
    big_array_free(&l->begun);
    free(l);
    return r;
}
