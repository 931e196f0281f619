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
#include "hprof/edge_batch.h"

enum { TAKEN = 8 }; /* chunks at once */

struct worker {
    struct heap *h;
    struct edge_writer writer;
    struct heap_type_info *type; /* of the object that was read last */
    uint64_t class_id;           /* its class's */
    uint32_t number;             /* the type's */
    struct edge_batch batch;
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

struct pass { /* what the events get */
    struct link *l;
    struct worker *w;
};

static int add_reference(struct pass *p, const unsigned char *id)
{
    return edge_batch_reference(&p->w->batch, heap_id(&p->l->h->reader, id));
}

/* False: this object was read before, or the batch failed. */
static bool begin(struct pass *p, uint32_t node, uint32_t type, int *ret)
{
    struct heap *h = p->l->h;

    *ret = 0;
    if (p->l->begun.data) {
        if (graph_bit(&p->l->begun, node))
            return false;
        graph_set_bit(&p->l->begun, node);
    }
    graph_set_type(&h->graph, node, type);
    *ret = edge_batch_begin(&p->w->batch, node);
    return *ret == 0;
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

    if ((r = edge_batch_reference(&p->w->batch, c->super)) < 0 ||
        (r = edge_batch_reference(&p->w->batch, c->loader)) < 0 || (r = add_reference(p, c->holders)) < 0 ||
        (r = add_reference(p, c->holders + id)) < 0)
        return r;
    for (unsigned i = 0; i < c->static_count; i++) {
        unsigned type = s[id];

        if (type == HEAP_OBJECT && (r = add_reference(p, s + id + 1)) < 0)
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
    int r;

    if (!begin(p, node, type, &r))
        return r;
    if (h->types[type].element)
        r = edge_batch_number(&p->w->batch, 0);
    return r < 0 ? r : add_class(p, c);
}

static int add_referent(struct pass *p, const struct heap_type_info *t, const struct heap_instance *o)
{
    const struct heap_reader *reader = &p->l->h->reader;
    bool whole = t->referent + reader->id_size <= o->size;

    return edge_batch_referent(&p->w->batch, whole ? heap_id(reader, o->data + t->referent) : 0);
}

static int on_instance(void *ctx, const struct heap_instance *o)
{
    struct pass *p = ctx;
    struct heap *h = p->l->h;
    uint32_t node = heap_index_find(h->index, o->id), type = type_of(p->w, o->class_id);
    const struct heap_type_info *t = p->w->type;
    unsigned id = h->reader.id_size;
    int r;

    if (!begin(p, node, type, &r))
        return r;
    if (t->element)
        r = edge_batch_number(&p->w->batch, 0);
    if (r == 0 && t->referent != UINT32_MAX)
        r = add_referent(p, t, o);
    for (uint32_t i = 0; r == 0 && i < t->reference_count && t->references[i] + id <= o->size; i++)
        r = add_reference(p, o->data + t->references[i]);
    return r;
}

static int on_array(void *ctx, const struct heap_array *a)
{
    struct pass *p = ctx;
    struct heap *h = p->l->h;
    uint32_t node = heap_index_find(h->index, a->id);
    unsigned id = h->reader.id_size;
    int r;

    if (!begin(p, node, a->type == HEAP_OBJECT ? type_of(p->w, a->class_id) : h->primitive[a->type], &r))
        return r;
    if (a->length > 0)
        r = edge_batch_number(&p->w->batch, a->length);
    for (uint32_t i = 0; r == 0 && a->type == HEAP_OBJECT && a->data && i < a->length; i++)
        r = add_reference(p, a->data + (size_t)i * id);
    return r;
}

static int read_chunk(struct pass *p, const struct heap_chunk *chunk)
{
    const struct heap_events events = {.ctx = p, .class = on_class, .instance = on_instance, .array = on_array};
    struct heap_part part = {.from = chunk->from, .to = chunk->to, .end = chunk->end};
    int r = heap_reader_walk_part(&p->l->h->reader, &part, &events);

    heap_release(p->l->h, chunk->from, (size_t)(chunk->to - chunk->from));
    return r;
}

static void set_result(struct link *l, int result)
{
    __atomic_store_n(&l->result, result, __ATOMIC_RELAXED);
}

static void work(void *ctx)
{
    struct link *l = ctx;
    unsigned i = __atomic_fetch_add(&l->next_worker, 1, __ATOMIC_RELAXED);
    struct pass p = {l, &l->worker[i]};
    size_t at;
    int r;

    while ((at = __atomic_fetch_add(&l->next, TAKEN, __ATOMIC_RELAXED)) < l->h->chunk_count)
        for (size_t k = at; k < at + TAKEN && k < l->h->chunk_count; k++) {
            r = __atomic_load_n(&l->result, __ATOMIC_RELAXED);
            if (r == 0 && (r = read_chunk(&p, &l->h->chunks[k])) < 0)
                set_result(l, r);
        }
    if ((r = edge_batch_flush(&p.w->batch)) < 0)
        set_result(l, r);
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
    size_t n = h->objects, bits = heap_bits_size(h);
    int r;

    g->nodes = h->objects;
    g->threads = h->threads;
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

    for (unsigned i = 0; i < l->count; i++) {
        struct worker *w = &l->worker[i];

        w->h = l->h;
        w->writer = (struct edge_writer){.lists = &l->h->graph.lists, .number = i};
        w->batch = (struct edge_batch){
            .index = l->h->index, .once = &l->once, .several = &l->h->graph.several, .writer = &w->writer};
    }
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
