/* SPDX-License-Identifier: Apache-2.0
 *
 * One pass in the order of positions, in which a dominator stands before what it dominates; then the largest are kept.
 */
#include "inspect/merged_tree.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

enum { WORKING_NODES = 1 << 20, SINGLES = 1 << 17, CHAIN_TENTHS = 9, RECENT = 256 };

struct build {
    const struct heap *h;
    const struct retained *r;
    uint64_t threshold;
    struct merged_tree all;
    struct id_map child; /* (number << 32 | type) -> number of the merged child */
    struct recent {
        uint64_t key;
        uint32_t number; /* 0: unused, as the first node is no child */
    } recent[RECENT];    /* the same for what was asked lately */
    uint32_t *place;     /* by depth in the dominator tree, of what is open: number */
    size_t place_capacity;
    uint32_t singles; /* nodes of one object */
};

void merged_tree_done(struct merged_tree *t)
{
    free(t->node);
    *t = (struct merged_tree){0};
}

static int add(struct build *b, uint32_t parent, uint32_t position, uint32_t *ret)
{
    uint32_t node = retained_node(b->r, position);
    int r = array_reserve(&b->all.node, b->all.count + 1, &b->all.capacity, sizeof(*b->all.node), WORKING_NODES);

    if (r < 0)
        return r;
    b->all.node[b->all.count] = (struct merged_node){.parent = parent,
                                                     .type = position ? heap_type_of(b->h, node) : HEAP_NONE,
                                                     .node = position ? node : HEAP_NONE,
                                                     .depth = position ? b->all.node[parent].depth + 1 : 0};
    *ret = (uint32_t)b->all.count++;
    return 0;
}

/* The next of a list, or the child of a small tree's node. */
static bool goes_on(const struct build *b, uint32_t parent, uint32_t position, uint32_t over)
{
    uint64_t bytes = retained_bytes(b->r, position), above = retained_bytes(b->r, over);

    return b->all.node[parent].type == heap_type_of(b->h, retained_node(b->r, position)) &&
           b->all.node[parent].depth > 0 &&
           (bytes < b->threshold || above - bytes < b->threshold || bytes >= above / 10 * CHAIN_TENTHS);
}

static uint32_t child_of(struct build *b, uint64_t key)
{
    struct recent *r = &b->recent[(key ^ key >> 32) % RECENT];
    uint32_t known;

    if (r->key == key && r->number > 0)
        return r->number;
    known = id_map_get(&b->child, key);
    if (known != ID_MAP_NONE)
        *r = (struct recent){key, known};
    return known;
}

/* Where what has no place of its own goes: its parent's, as rest. */
static int choose(struct build *b, uint32_t parent, uint32_t position, uint32_t *ret)
{
    uint64_t key = (uint64_t)parent << 32 | heap_type_of(b->h, retained_node(b->r, position));
    bool single = retained_bytes(b->r, position) >= b->threshold && b->singles < SINGLES;
    uint32_t known;
    int r;

    *ret = parent;
    if (b->all.node[parent].depth >= MERGED_TREE_DEPTH)
        return 0;
    if (!single && (known = child_of(b, key)) != ID_MAP_NONE) {
        *ret = known;
        return 0;
    }
    r = add(b, parent, position, ret);
    if (r == 0 && !single)
        r = id_map_put(&b->child, key, *ret);
    b->singles += single;
    return r == -E2BIG ? 0 : r;
}

static int place(struct build *b, uint32_t position, const struct retained_walk *walk)
{
    uint32_t over = retained_walk_over(walk), parent, number;
    struct merged_node *m;
    bool chain;
    int r;

    if ((r = array_reserve(&b->place, walk->depth + 1, &b->place_capacity, sizeof(*b->place), SIZE_MAX / 4)) < 0)
        return r;
    parent = b->place[walk->depth - 1];
    chain = goes_on(b, parent, position, over);
    if (chain)
        number = parent;
    else if ((r = choose(b, parent, position, &number)) < 0)
        return r;
    b->place[walk->depth] = number;
    m = &b->all.node[number];
    if (number == parent && !chain)
        return 0; /* the rest of it */
    m->count++;
    m->bytes += retained_shallow(b->r, position);
    m->retained += chain ? 0 : retained_bytes(b->r, position);
    return 0;
}

static int most_first(const void *a, const void *b, void *ctx)
{
    const struct merged_node *nodes = ctx;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    if (nodes[x].retained != nodes[y].retained)
        return nodes[x].retained > nodes[y].retained ? -1 : 1;
    return x < y ? -1 : x > y;
}

/* A parent keeps at least as much as its child and has the smaller number, so it stands before it. */
static int keep_largest(const struct build *b, struct merged_tree *ret)
{
    uint32_t *order = malloc((b->all.count + 1) * sizeof(*order)),
             *new_number = malloc((b->all.count + 1) * sizeof(*order));
    struct merged_tree t = {.node = calloc(MERGED_TREE_NODES, sizeof(*t.node))};
    int r = order && new_number && t.node ? 0 : -ENOMEM;

    for (uint32_t i = 0; i < b->all.count && r == 0; i++)
        order[i] = i;
    if (r == 0)
        qsort_r(order, b->all.count, sizeof(*order), most_first, b->all.node);
    for (size_t i = 0; i < b->all.count && t.count < MERGED_TREE_NODES && r == 0; i++) {
        struct merged_node m = b->all.node[order[i]];

        if (i > 0 && m.retained < b->threshold)
            break;
        new_number[order[i]] = (uint32_t)t.count;
        m.parent = i > 0 ? new_number[m.parent] : 0;
        t.node[t.count++] = m;
    }
    free(order);
    free(new_number);
    if (r == 0)
        *ret = t;
    else
        merged_tree_done(&t);
    return r;
}

int merged_tree_find(const struct heap *h, const struct retained *r, struct merged_tree *ret)
{
    struct retained_walk walk = {.r = r};
    struct build b = {.h = h, .r = r, .threshold = r->reachable / MERGED_TREE_THRESHOLD + 1};
    uint32_t root;
    int result;

    assert(ret && ret->count == 0);
    if ((result = array_reserve(&b.place, 1, &b.place_capacity, sizeof(*b.place), SIZE_MAX / 4)) == 0)
        result = add(&b, 0, 0, &root);
    if (result == 0) {
        b.all.node[root].retained = r->reachable;
        b.place[0] = root;
    }
    while (result == 0 && (result = retained_walk_next(&walk)) > 0)
        result = place(&b, walk.position, &walk);
    retained_walk_done(&walk);
    if (result == 0)
        result = keep_largest(&b, ret);
    merged_tree_done(&b.all);
    id_map_done(&b.child);
    free(b.place);
    return result;
}
