/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts from the ends of the paths up, then merges from the roots down.
 */
#include "inspect/path_tree.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "inspect/heap_objects.h"

enum { WORKING_NODES = 1 << 20 };

struct build {
    const struct heap *h;
    const struct root_search *s;
    uint32_t *count, *place; /* by node: wanted objects behind it, it included; number of its merged node */
    struct path_tree all;
    struct id_map child; /* (number << 32 | type) -> number */
};

void path_tree_done(struct path_tree *t)
{
    for (size_t i = 0; i < t->count; i++)
        free(t->node[i].field);
    free(t->node);
    *t = (struct path_tree){0};
}

static void count_paths(struct build *b, const uint64_t *wanted, uint64_t *total)
{
    for (uint32_t i = b->s->count; i-- > 0;) {
        uint32_t n = b->s->queue[i], before = b->s->from[n];

        b->count[n] += (uint32_t)(wanted[n >> 6] >> (n & 63) & 1);
        b->count[before] += b->count[n];
    }
    for (uint32_t n = 0; n < b->h->objects; n++)
        *total += wanted[n >> 6] >> (n & 63) & 1;
}

static int place(struct build *b, uint32_t n)
{
    uint32_t before = b->s->from[n], parent = before == b->h->objects ? 0 : b->place[before];
    uint32_t type = heap_type_of(b->h, n), number;
    uint64_t key = (uint64_t)parent << 32 | type;
    int r;

    b->place[n] = parent;
    if (parent != 0 && b->all.node[parent].type == type && type != b->h->class_type) /* a list */
        return 0;
    number = id_map_get(&b->child, key);
    if (number == ID_MAP_NONE || type == b->h->class_type) { /* each class for itself */
        if (b->all.node[parent].depth >= PATH_TREE_DEPTH || b->all.count >= WORKING_NODES)
            return 0;
        if ((r = array_reserve(&b->all.node, b->all.count + 1, &b->all.capacity, sizeof(*b->all.node), WORKING_NODES)) <
            0)
            return r;
        number = (uint32_t)b->all.count++;
        b->all.node[number] = (struct path_node){
            .parent = parent, .type = type, .depth = b->all.node[parent].depth + 1, .node = n, .before = before};
        if ((r = id_map_put(&b->child, key, number)) < 0)
            return r;
    }
    b->all.node[number].count += b->count[n];
    b->place[n] = number;
    return 0;
}

static int most_first(const void *a, const void *b, void *ctx)
{
    const struct path_node *nodes = ctx;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    if (nodes[x].count != nodes[y].count)
        return nodes[x].count > nodes[y].count ? -1 : 1;
    return x < y ? -1 : x > y;
}

static int keep_most(const struct build *b, struct path_tree *t)
{
    CLEANUP_FREE uint32_t *order = malloc((b->all.count + 1) * sizeof(*order));
    CLEANUP_FREE uint32_t *number = malloc((b->all.count + 1) * sizeof(*number));
    uint64_t least = b->all.node[0].count / 100 * PATH_TREE_PERCENT;

    t->node = calloc(PATH_TREE_NODES, sizeof(*t->node));
    if (!order || !number || !t->node)
        return -ENOMEM;
    for (uint32_t i = 0; i < b->all.count; i++)
        order[i] = i;
    qsort_r(order, b->all.count, sizeof(*order), most_first, b->all.node);
    for (size_t i = 0; i < b->all.count && t->count < PATH_TREE_NODES; i++) {
        struct path_node m = b->all.node[order[i]];

        if (i > 0 && (m.count < least || m.count == 0))
            break;
        number[order[i]] = (uint32_t)t->count;
        m.parent = i > 0 ? number[m.parent] : 0;
        t->node[t->count++] = m;
    }
    return 0;
}

struct fields {
    struct heap *h;
    struct path_tree *t;
};

static int on_object(void *ctx, uint32_t node, const struct heap_instance *o)
{
    struct fields *f = ctx;

    for (size_t i = 1; i < f->t->count; i++) {
        struct path_node *m = &f->t->node[i];

        if (m->before == node && !m->field)
            m->field = heap_object_field_to(f->h, heap_type_of(f->h, node), o, heap_index_id(f->h->index, m->node));
    }
    return 0;
}

static int name_fields(struct heap *h, struct path_tree *t)
{
    uint32_t node[PATH_TREE_NODES];
    struct fields f = {h, t};

    for (size_t i = 0; i < t->count; i++) {
        struct path_node *m = &t->node[i];
        uint32_t class = i > 0 && m->before < h->objects ? heap_type_of_class(h, m->before) : HEAP_NONE;

        node[i] = i > 0 ? m->before : h->objects;
        if (class != HEAP_NONE)
            m->field = heap_static_to(h, class, heap_index_id(h->index, m->node));
    }
    return heap_objects_read(h, node, t->count, &(struct heap_object_events){.ctx = &f, .instance = on_object});
}

int path_tree_find(struct heap *h, const struct root_search *s, const uint64_t *wanted, struct path_tree *ret)
{
    struct build b = {.h = h,
                      .s = s,
                      .count = calloc((size_t)h->objects + 1, sizeof(uint32_t)),
                      .place = calloc((size_t)h->objects + 1, sizeof(uint32_t))};
    struct path_tree t = {0};
    int r = b.count && b.place ? 0 : -ENOMEM;

    assert(s && wanted && ret && ret->count == 0);
    if (r == 0)
        r = array_reserve(&b.all.node, 1, &b.all.capacity, sizeof(*b.all.node), WORKING_NODES);
    if (r == 0) {
        count_paths(&b, wanted, &t.wanted);
        b.all.node[b.all.count++] = (struct path_node){
            .type = HEAP_NONE, .node = h->objects, .before = h->objects, .count = b.count[h->objects]};
    }
    for (uint32_t i = 0; i < s->count && r == 0; i++)
        if (b.count[s->queue[i]] > 0)
            r = place(&b, s->queue[i]);
    if (r == 0)
        r = keep_most(&b, &t);
    if (r == 0)
        r = name_fields(h, &t);
    path_tree_done(&b.all);
    id_map_done(&b.child);
    free(b.count);
    free(b.place);
    if (r < 0)
        path_tree_done(&t);
    else
        *ret = t;
    return r;
}
