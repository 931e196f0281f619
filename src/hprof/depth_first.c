/* SPDX-License-Identifier: Apache-2.0
 *
 * Iterative: a list of 20 million elements is as deep. A node leaves the stack before its last child is entered, so
 * that such a list needs none.
 */
#include "hprof/depth_first.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hprof/pendants.h"

enum { UNSEEN, REACHED, PENDANT }; /* marks of nodes */
enum { RETURN_AHEAD = 8 };         /* entries of the stack */

struct entry {
    struct edge_cursor cursor;
    uint32_t position;
    uint32_t pending; /* a target that was read ahead; GRAPH_NONE */
};

struct search {
    const struct graph *g;
    struct dominators *d;
    struct depth_first *f;
    struct big_memory *memory;
    uint32_t *position;        /* by node: d->over's */
    struct edge_buckets edges; /* that are not the tree's, by their target's node, as its position is far away */
    struct big_array stack;
    size_t depth;
    uint32_t *shared_of; /* by type: the number in f->shared, and 1; 0: none */
};

static int note_shared(struct search *s, struct shared_target *t, uint32_t position)
{
    uint32_t difference = position - t->last;
    unsigned char *p;
    int r;

    if (!t->sources.data)
        r = big_array_new(&t->sources, s->memory, 1);
    else
        r = t->size + 8 > t->sources.size ? big_array_grow(&t->sources, t->sources.size + t->sources.size / 2) : 0;
    if (r < 0)
        return r;
    p = (unsigned char *)t->sources.data;
    for (; difference >= 0x80; difference >>= 7)
        p[t->size++] = (unsigned char)(difference | 0x80);
    p[t->size++] = (unsigned char)difference;
    t->last = position;
    return 0;
}

static int push(struct search *s, uint32_t node, uint32_t parent)
{
    struct entry *e;
    uint32_t position = s->f->count++;
    int r;

    if ((s->depth + 1) * sizeof(*e) > s->stack.size &&
        (r = big_array_grow(&s->stack, s->stack.size + s->stack.size / 2)) < 0)
        return r;
    edge_lists_add_mark(&s->g->lists, node, REACHED);
    s->position[node] = position;
    ((uint32_t *)s->f->parent.data)[position] = parent;
    e = (struct entry *)s->stack.data + s->depth++;
    *e = (struct entry){.cursor = graph_edges_of(s->g, node), .position = position, .pending = GRAPH_NONE};
    return 0;
}

/* A node, and at once the one to which all of its type lead, if it is new, and so on. */
static int enter(struct search *s, uint32_t node, uint32_t parent)
{
    for (;;) {
        uint32_t type = graph_type_of(s->g, node), also = s->g->types[type].also;
        int r = push(s, node, parent);

        if (r < 0 || also == GRAPH_NONE || also == node)
            return r;
        parent = s->position[node];
        if (edge_lists_mark(&s->g->lists, also) != UNSEEN)
            return note_shared(s, &s->f->shared[s->shared_of[type] - 1], parent);
        node = also;
    }
}

/* True: the target is new; else the edge is written down. */
static bool meet(struct search *s, const struct entry *e, uint32_t target, int *ret)
{
    unsigned state = edge_lists_mark(&s->g->lists, target);

    if (state == REACHED)
        *ret = edge_buckets_put(&s->edges, target, e->position);
    return state == UNSEEN;
}

/* The next target of the entry that is new; GRAPH_NONE. */
static int next_new(struct search *s, struct entry *e, uint32_t *ret)
{
    uint32_t target = e->pending;
    int r = 0;

    *ret = GRAPH_NONE;
    e->pending = GRAPH_NONE;
    if (target != GRAPH_NONE && meet(s, e, target, &r))
        *ret = target;
    while (*ret == GRAPH_NONE && r == 0 && edge_cursor_more(&e->cursor)) {
        target = edge_cursor_next(&e->cursor);
        if (meet(s, e, target, &r)) {
            graph_prefetch(s->g, target);
            *ret = target;
        }
    }
    return r;
}

/* The entries to which the search will come back soon were left long ago. */
static void leave(struct search *s)
{
    s->depth--;
    if (s->depth > RETURN_AHEAD)
        __builtin_prefetch(((const struct entry *)s->stack.data)[s->depth - RETURN_AHEAD].cursor.at);
}

static int run(struct search *s)
{
    int r = 0;

    while (s->depth > 0 && r == 0) {
        struct entry *e = (struct entry *)s->stack.data + s->depth - 1;
        uint32_t target, ahead, position = e->position;

        if ((r = next_new(s, e, &target)) < 0)
            break;
        if (target == GRAPH_NONE) {
            leave(s);
            continue;
        }
        if ((r = next_new(s, e, &ahead)) < 0)
            break;
        e->pending = ahead;
        if (ahead == GRAPH_NONE)
            leave(s);
        r = enter(s, target, position);
    }
    return r;
}

/* From the root, whose position is 0. */
static int search_all(struct search *s)
{
    const struct graph *g = s->g;
    int r = 0;

    s->position[g->nodes] = 0;
    s->f->count = 1;
    for (size_t i = 0; i < g->root_count && r == 0; i++) {
        unsigned state = edge_lists_mark(&s->g->lists, g->roots[i]);

        if (state == REACHED)
            r = edge_buckets_put(&s->edges, g->roots[i], 0);
        else if (state == UNSEEN && (r = enter(s, g->roots[i], 0)) == 0)
            r = run(s);
    }
    return r;
}

static int by_node(const void *a, const void *b)
{
    const struct shared_target *x = a, *y = b;

    return x->node < y->node ? -1 : x->node > y->node;
}

static int by_position(const void *a, const void *b)
{
    const struct shared_target *x = a, *y = b;

    return x->position < y->position ? -1 : x->position > y->position;
}

/* One for each node that is some type's. */
static int find_shared(struct search *s)
{
    const struct graph *g = s->g;
    struct shared_target *all = calloc(g->type_count + 1, sizeof(*all));
    size_t count = 0, kept = 0;

    s->f->shared = all;
    s->shared_of = calloc(g->type_count + 1, sizeof(*s->shared_of));
    if (!all || !s->shared_of)
        return -ENOMEM;
    for (size_t t = 0; t < g->type_count; t++)
        if (g->types[t].also != GRAPH_NONE)
            all[count++].node = g->types[t].also;
    if (count > 0)
        qsort(all, count, sizeof(*all), by_node);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || all[i].node != all[kept - 1].node)
            all[kept++] = all[i];
    s->f->shared_count = kept;
    for (size_t t = 0; t < g->type_count; t++) {
        const struct shared_target key = {.node = g->types[t].also}, *found;

        if (key.node == GRAPH_NONE)
            continue;
        found = bsearch(&key, all, kept, sizeof(*all), by_node);
        s->shared_of[t] = (uint32_t)(found - all) + 1;
    }
    return 0;
}

static void sort_shared(struct search *s)
{
    for (size_t i = 0; i < s->f->shared_count; i++)
        s->f->shared[i].position = s->position[s->f->shared[i].node];
    if (s->f->shared_count > 0)
        qsort(s->f->shared, s->f->shared_count, sizeof(*s->f->shared), by_position);
    while (s->f->shared_count > 0 && s->f->shared[s->f->shared_count - 1].position == DOMINATORS_NONE)
        s->f->shared_count--;
}

static void mark_pendants(struct search *s)
{
    for (size_t i = 0; i < 3; i++) {
        const uint64_t *pendant = s->d->pendant[i].data;

        for (size_t word = 0; word < (size_t)s->g->nodes / 64 + 1; word++)
            for (uint64_t left = pendant[word]; left; left &= left - 1)
                edge_lists_add_mark(&s->g->lists, (uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(left), PENDANT);
    }
}

static int prepare(struct search *s)
{
    size_t nodes = (size_t)s->g->nodes + 1;
    int r;

    if ((r = big_array_new(&s->d->over, s->memory, nodes * sizeof(uint32_t))) < 0 ||
        (r = big_array_new(&s->f->parent, s->memory, nodes * sizeof(uint32_t))) < 0 ||
        (r = big_array_new(&s->stack, s->memory, 1)) < 0 ||
        (r = edge_buckets_new(&s->edges, s->memory, s->g->nodes)) < 0)
        return r;
    s->position = s->d->over.data;
    memset(s->position, 0xFF, nodes * sizeof(uint32_t));
    mark_pendants(s);
    return find_shared(s);
}

void depth_first_done(struct depth_first *f)
{
    for (size_t i = 0; f->shared && i < f->shared_count; i++)
        big_array_free(&f->shared[i].sources);
    free(f->shared);
    big_array_free(&f->parent);
    edge_buckets_done(&f->edges);
    *f = (struct depth_first){0};
}

int depth_first(const struct graph *g, struct dominators *d, struct depth_first *ret)
{
    struct search s = {.g = g, .d = d, .f = ret, .memory = g->lists.size.memory};
    int r;

    assert(g && d && ret);
    if ((r = prepare(&s)) == 0 && (r = search_all(&s)) == 0)
        sort_shared(&s);
    edge_lists_clear_marks(&g->lists);
    big_array_free(&s.stack);
    if (r == 0 && (r = edge_buckets_new(&ret->edges, s.memory, ret->count)) == 0)
        r = edge_buckets_rename(&s.edges, s.position, &ret->edges);
    edge_buckets_done(&s.edges);
    free(s.shared_of);
    return r;
}
