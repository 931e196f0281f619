/* SPDX-License-Identifier: Apache-2.0
 *
 * What VisualVM's heap library would say of a heap: its rules (lib.profiler.heap: HprofHeap, NearestGCRoot, TreeObject,
 * DominatorTree of release 2.1), each named where it differs from ours, made into a graph of which our dominators are
 * asked. For tests.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "hprof/retained.h"

#define NONE UINT32_MAX

/* What it says itself, of a class or an object. */
struct row {
    uint64_t id, shallow, retained; /* of a class: of an instance; instances */
    char class[200];
};

enum { TOP = 1000 };

struct oracle {
    struct row *class;
    size_t classes;
    struct row top[TOP];
    size_t count;
};

/* The heap by the library's rules. Nodes are the heap's. */
struct model {
    struct heap *h;
    uint32_t *first, *edges; /* by node: its references, in the order of its fields */
    uint32_t *to;
    bool *weak;
    uint32_t edge_count, edge_room;
    uint64_t *size;
    bool *is_class, *is_root, *reached, *tree, *listed;
    uint32_t *from;      /* through what the search from the roots came first; NONE */
    uint32_t *referrer;  /* the only one; NONE: none */
    bool *several;       /* it has more than one */
    uint32_t *connected; /* the class that an instance leads to; NONE */
    bool *class_met;     /* by type */
    uint64_t *tree_size, *retained;
    uint32_t *over;
};

static void *zeros(size_t count, size_t size)
{
    void *p = calloc(count + 1, size);

    assert_non_null(p);
    return p;
}

static uint32_t *nones(size_t count)
{
    uint32_t *p = zeros(count, sizeof(*p));

    memset(p, 0xFF, (count + 1) * sizeof(*p));
    return p;
}

static void add_edge(struct model *m, uint32_t from, uint64_t id, bool weak)
{
    uint32_t node = id ? heap_index_find(m->h->index, id) : HEAP_NONE;

    if (node == HEAP_NONE)
        return;
    if (m->edge_count == m->edge_room) {
        m->edge_room = m->edge_room * 2 + 1000;
        m->to = realloc(m->to, m->edge_room * sizeof(*m->to));
        m->weak = realloc(m->weak, m->edge_room);
        assert_true(m->to && m->weak);
    }
    m->weak[m->edge_count] = weak;
    m->to[m->edge_count++] = node;
    m->edges[from]++;
}

/* An object that the dump has twice is the first of both. */
static bool begin(struct model *m, uint64_t id, uint32_t *node)
{
    *node = heap_index_find(m->h->index, id);
    if (*node == HEAP_NONE || m->listed[*node])
        return false;
    m->listed[*node] = true;
    m->first[*node] = m->edge_count;
    return true;
}

static bool is_referent(const struct heap *h, uint32_t declares, const unsigned char *field)
{
    struct heap_text name = heap_text_of(h, heap_id(&h->reader, field));

    return text_eq(h->types[declares].name, "java.lang.ref.Reference") && name.size == strlen("referent") &&
           memcmp(name.text, "referent", name.size) == 0;
}

static int on_instance(void *ctx, const struct heap_instance *o)
{
    struct model *m = ctx;
    const struct heap *h = m->h;
    uint32_t node, at = 0;

    if (!begin(m, o->id, &node))
        return 0;
    for (uint32_t t = heap_type_of(h, node); t != HEAP_NONE && h->types[t].known; t = h->types[t].super)
        for (unsigned i = 0; i < h->types[t].record.field_count; i++) {
            const unsigned char *field = h->types[t].record.fields + (size_t)i * (h->reader.id_size + 1);

            if (field[h->reader.id_size] == HEAP_OBJECT && at + h->reader.id_size <= o->size)
                add_edge(m, node, heap_id(&h->reader, o->data + at), is_referent(h, t, field));
            at += heap_type_size(&h->reader, field[h->reader.id_size]);
        }
    return 0;
}

static int on_array(void *ctx, const struct heap_array *a)
{
    struct model *m = ctx;
    uint32_t node;

    if (!begin(m, a->id, &node))
        return 0;
    for (uint32_t i = 0; a->type == HEAP_OBJECT && i < a->length; i++)
        add_edge(m, node, heap_id(&m->h->reader, a->data + (size_t)i * m->h->reader.id_size), false);
    return 0;
}

/* Rule: a class leads to its static fields and its loader, not to its superclass, signers and protection domain. */
static int on_class(void *ctx, const struct heap_class *c)
{
    struct model *m = ctx;
    unsigned id = m->h->reader.id_size;
    const unsigned char *p = c->statics;
    uint32_t node;

    if (!begin(m, c->id, &node))
        return 0;
    m->is_class[node] = true;
    for (unsigned i = 0; i < c->static_count; i++) {
        if (p[id] == HEAP_OBJECT)
            add_edge(m, node, heap_id(&m->h->reader, p + id + 1), false);
        p += id + 1 + heap_type_size(&m->h->reader, p[id]);
    }
    add_edge(m, node, c->loader, false);
    return 0;
}

static void note_referrer(struct model *m, uint32_t node, uint32_t referrer)
{
    if (m->referrer[node] == NONE)
        m->referrer[node] = referrer;
    else if (m->referrer[node] != referrer)
        m->several[node] = true;
}

/* Every reference of an object counts for the dominators, a weak one, too, and what garbage refers to. */
static void note_referrers(struct model *m)
{
    for (uint32_t n = 0; n < m->h->objects; n++)
        for (uint32_t e = m->first[n]; e < m->first[n] + m->edges[n]; e++)
            note_referrer(m, m->to[e], n);
}

static bool meet(struct model *m, uint32_t *queue, uint32_t *count, uint32_t from, uint32_t node)
{
    if (m->is_root[node] || m->reached[node])
        return false;
    m->reached[node] = true;
    m->from[node] = m->several[node] ? from : m->referrer[node];
    queue[(*count)++] = node;
    return true;
}

/* Rule: a class that is no root is reached from the first of its instances that the search meets, and from no other. */
static bool meet_class(struct model *m, uint32_t *queue, uint32_t *count, uint32_t node)
{
    uint32_t type = heap_type_of(m->h, node), class = m->is_class[node] ? HEAP_NONE : m->h->types[type].node;
    bool refers = false;

    if (m->class_met[type] || class == HEAP_NONE || m->h->types[type].element)
        return false;
    m->class_met[type] = true;
    if (m->is_root[class] || m->reached[class])
        return false;
    for (uint32_t e = m->first[node]; e < m->first[node] + m->edges[node]; e++)
        refers = refers || m->to[e] == class;
    if (!refers) {
        note_referrer(m, class, node);
        m->connected[node] = class;
    }
    return meet(m, queue, count, node, class);
}

/* Rule: what only weak references lead to is not reached. Leaves are the first trees. */
static void search(struct model *m)
{
    static const unsigned char ORDER[] = {HEAP_ROOT_UNKNOWN,      HEAP_ROOT_JNI_GLOBAL,   HEAP_ROOT_JNI_LOCAL,
                                          HEAP_ROOT_JAVA_FRAME,   HEAP_ROOT_NATIVE_STACK, HEAP_ROOT_STICKY_CLASS,
                                          HEAP_ROOT_THREAD_BLOCK, HEAP_ROOT_MONITOR,      HEAP_ROOT_THREAD};
    CLEANUP_FREE uint32_t *queue = zeros((size_t)m->h->objects, sizeof(*queue));
    uint32_t count = 0;

    for (size_t i = 0; i < m->h->root_count; i++)
        if (m->h->roots[i].node != HEAP_NONE)
            m->is_root[m->h->roots[i].node] = true;
    for (size_t k = 0; k < sizeof(ORDER); k++)
        for (size_t i = 0; i < m->h->root_count; i++)
            if (m->h->roots[i].record.kind == ORDER[k] && m->h->roots[i].node != HEAP_NONE &&
                !m->reached[m->h->roots[i].node]) {
                m->reached[m->h->roots[i].node] = true;
                queue[count++] = m->h->roots[i].node;
            }
    for (uint32_t at = 0; at < count; at++) {
        uint32_t n = queue[at], type = heap_type_of(m->h, n);
        bool has_values = false;

        for (uint32_t e = m->first[n]; e < m->first[n] + m->edges[n]; e++)
            if (!m->weak[e]) {
                meet(m, queue, &count, n, m->to[e]);
                has_values = true;
            }
        has_values = meet_class(m, queue, &count, n) || has_values;
        if (!has_values || (m->h->types[type].element && m->h->types[type].element != HEAP_OBJECT)) {
            m->tree[n] = true;
            m->tree_size[n] = m->size[n];
        }
    }
}

/* A tree: each object below it has one referrer. False: it is none. */
static bool find_tree(struct model *m, uint32_t n)
{
    uint64_t size = m->size[n];

    for (uint32_t e = m->first[n]; e < m->first[n] + m->edges[n]; e++) {
        uint32_t to = m->to[e];
        bool again = false;

        if (m->several[to] || !m->tree[to])
            return false;
        for (uint32_t other = m->first[n]; other < e; other++)
            again = again || m->to[other] == to;
        size += again ? 0 : m->tree_size[to];
    }
    m->tree[n] = true;
    m->tree_size[n] = size;
    return true;
}

static void find_trees(struct model *m)
{
    for (uint32_t leaf = 0; leaf < m->h->objects; leaf++) {
        uint32_t n = leaf;

        while (m->tree[n] && m->reached[n] && !m->is_root[n] && !m->several[n] && m->from[n] != NONE &&
               !m->tree[m->from[n]] && find_tree(m, m->from[n]))
            n = m->from[n];
    }
}

/* Rule: a reference from garbage, or from what only weak references lead to, makes the roots an object's dominator. */
static void pack(struct model *m, struct graph *ret, uint32_t *roots)
{
    static struct graph_type type = {GRAPH_NONE, false};
    uint32_t nodes = m->h->objects;
    struct edge_writer w = {.lists = &ret->lists};
    bool *from_roots = zeros(nodes, 1);
    size_t count = 0;

    *ret = (struct graph){.nodes = nodes, .types = &type, .type_count = 1, .roots = roots};
    assert_int_equal(edge_lists_new(&ret->lists, &m->h->memory, nodes), 0);
    assert_int_equal(big_array_new(&ret->type, &m->h->memory, (size_t)nodes * 2), 0);
    for (uint32_t n = 0; n < nodes; n++) {
        edge_writer_begin(&w, n);
        for (uint32_t e = m->first[n]; e < m->first[n] + m->edges[n]; e++) {
            uint32_t to = m->to[e];

            if (!m->reached[to] || m->is_root[to])
                continue;
            if (m->reached[n])
                assert_int_equal(edge_writer_edge(&w, to), 0);
            else
                from_roots[to] = true;
        }
        if (m->connected[n] != NONE)
            assert_int_equal(edge_writer_edge(&w, m->connected[n]), 0);
        assert_int_equal(edge_writer_end(&w), 0);
    }
    assert_int_equal(edge_lists_seal(&ret->lists, &w, 1), 0);
    edge_writer_done(&w);
    for (uint32_t n = 0; n < nodes; n++)
        if (m->reached[n] && (m->is_root[n] || from_roots[n]))
            roots[count++] = n;
    ret->root_count = count;
    free(from_roots);
}

static void find_dominators(struct model *m)
{
    uint32_t *roots = zeros(m->h->objects, sizeof(*roots));
    struct graph g;
    struct dominators d;

    pack(m, &g, roots);
    assert_int_equal(dominators_find(&g, &d), 0);
    memcpy(m->over, d.over.data, ((size_t)m->h->objects + 1) * sizeof(*m->over));
    dominators_done(&d);
    edge_lists_done(&g.lists);
    big_array_free(&g.type);
    free(roots);
}

/* Rule: a class itself has no bytes, but as a tree, and what a tree holds is not added to what is over a class that is
 * one. */
static void add_up(struct model *m)
{
    uint32_t root = m->h->objects;

    for (uint32_t n = 0; n < root; n++)
        m->retained[n] = m->tree[n] ? m->tree_size[n] : 0;
    for (uint32_t n = 0; n < root; n++) {
        if (m->is_class[n] || !m->reached[n])
            continue;
        if (!m->tree[n])
            m->retained[n] += m->size[n];
        for (uint32_t o = m->over[n]; o < root && !m->tree[o]; o = m->over[o])
            m->retained[o] += m->tree[n] ? m->tree_size[n] : m->size[n];
    }
}

/* Sizes as the library says them: of classes' instances, and of arrays by the size of a reference. */
static void set_sizes(struct model *m, const struct oracle *o)
{
    const struct heap *h = m->h;
    uint64_t *of_type = zeros(h->type_count, sizeof(*of_type)), of_class = 0;

    for (size_t i = 0; i < o->classes; i++) {
        uint32_t type = id_map_get(&h->type_of_id, o->class[i].id);

        if (type != ID_MAP_NONE)
            of_type[type] = o->class[i].shallow;
    }
    for (size_t i = 0; i < o->count; i++)
        if (text_eq(o->top[i].class, "java.lang.Class"))
            of_class = o->top[i].shallow;
    for (uint32_t n = 0; n < h->objects; n++) {
        uint32_t type = heap_type_of(h, n);

        m->size[n] = m->is_class[n] ? of_class : h->types[type].element ? heap_size(h, n) : of_type[type];
    }
    free(of_type);
}

static void model_make(struct model *m, struct heap *h, const struct oracle *o)
{
    size_t n = h->objects;

    *m = (struct model){.h = h,
                        .first = zeros(n, 4),
                        .edges = zeros(n, 4),
                        .size = zeros(n, 8),
                        .is_class = zeros(n, 1),
                        .is_root = zeros(n, 1),
                        .reached = zeros(n, 1),
                        .tree = zeros(n, 1),
                        .listed = zeros(n, 1),
                        .from = nones(n),
                        .referrer = nones(n),
                        .several = zeros(n, 1),
                        .connected = nones(n),
                        .class_met = zeros(h->type_count, 1),
                        .tree_size = zeros(n, 8),
                        .retained = zeros(n, 8),
                        .over = zeros(n, 4)};
    assert_int_equal(
        heap_walk(h, &(struct heap_events){.ctx = m, .class = on_class, .instance = on_instance, .array = on_array}),
        0);
    set_sizes(m, o);
    note_referrers(m);
    search(m);
    find_trees(m);
    find_dominators(m);
    add_up(m);
}

static void model_done(struct model *m)
{
    void *all[] = {m->first,   m->edges,     m->to,        m->weak,      m->size,     m->is_class,
                   m->is_root, m->reached,   m->tree,      m->listed,    m->from,     m->referrer,
                   m->several, m->connected, m->class_met, m->tree_size, m->retained, m->over};

    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        free(all[i]);
}
