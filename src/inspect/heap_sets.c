/* SPDX-License-Identifier: Apache-2.0
 *
 * One walk through the dominator tree. An object counts for a set if no other one of the set is open, which means above
 * it.
 */
#include "inspect/heap_sets.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "inspect/set_members.h"

/* Of an object below which the walk is. */
struct opened {
    uint32_t type, loader;       /* type: HEAP_NONE: it is a leaf, and opens nothing */
    const struct set_mark *mark; /* NULL: none */
};

struct walk {
    const struct heap *h;
    const struct retained *r;
    const struct set_marks *marks;
    struct heap_sets *s;
    struct set_members members;
    struct big_array is_marked, is_loader; /* a bit for each node */
    uint32_t *open_type, *open_loader, *open_package, *open_mark;
    struct retained_walk tree;
    struct opened *opened; /* by depth */
    size_t opened_capacity;
};

void heap_sets_done(struct heap_sets *s)
{
    for (size_t i = 0; i < s->package_count; i++)
        free(s->package[i].name);
    free(s->type);
    free(s->garbage);
    free(s->loader_of);
    free(s->package_of);
    free(s->loader);
    free(s->package);
    free(s->marked);
    *s = (struct heap_sets){0};
}

/* A class and a class loader's object belong to the loader, too. */
static uint32_t loader_of(const struct walk *w, uint32_t node, uint32_t type)
{
    uint32_t own;

    if (type == w->h->class_type && (own = id_map_get(&w->members.type_of_class, node)) != ID_MAP_NONE)
        return w->s->loader_of[own];
    if (graph_bit(&w->is_loader, node))
        return id_map_get(&w->members.loader_of_node, node);
    return w->s->loader_of[type];
}

static void add_to_set(struct set_size *set, const uint32_t *open, uint64_t shallow, uint64_t retained)
{
    set->count++;
    set->bytes += shallow;
    if (*open == 0)
        set->retained += retained;
}

static void add_to_package(struct walk *w, uint32_t package, uint64_t shallow, uint64_t retained)
{
    w->s->package[package].size.count++;
    w->s->package[package].size.bytes += shallow;
    for (; package != HEAP_NONE && w->open_package[package] == 0; package = w->s->package[package].parent)
        w->s->package[package].size.retained += retained;
}

/* A package is open while one below it is. */
static void open_package(struct walk *w, uint32_t package)
{
    while (package != HEAP_NONE && w->open_package[package]++ == 0)
        package = w->s->package[package].parent;
}

static void close_package(struct walk *w, uint32_t package)
{
    while (package != HEAP_NONE && --w->open_package[package] == 0)
        package = w->s->package[package].parent;
}

/* The first mark of a node; NULL. */
static const struct set_mark *first_mark(const struct walk *w, uint32_t node)
{
    size_t low = 0, high = w->marks->count;

    if (high == 0 || !graph_bit(&w->is_marked, node))
        return NULL;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (w->marks->mark[middle].node < node)
            low = middle + 1;
        else
            high = middle;
    }
    return w->marks->mark + low;
}

/* Of the next set: a node may be in a set twice, as a local of two frames. */
static const struct set_mark *next_mark(const struct walk *w, const struct set_mark *m)
{
    const struct set_mark *next = m + 1, *end = w->marks->mark + w->marks->count;

    while (next < end && next->node == m->node && next->set == m->set)
        next++;
    return next < end && next->node == m->node ? next : NULL;
}

static void add_to_sets(struct walk *w, uint32_t position, const struct opened *o)
{
    uint64_t shallow = retained_shallow(w->r, position), retained = retained_bytes(w->r, position);

    add_to_set(&w->s->type[o->type], &w->open_type[o->type], shallow, retained);
    if (o->loader != HEAP_NONE)
        add_to_set(&w->s->loader[o->loader].size, &w->open_loader[o->loader], shallow, retained);
    if (w->s->package_of[o->type] != HEAP_NONE)
        add_to_package(w, w->s->package_of[o->type], shallow, retained);
    for (const struct set_mark *m = o->mark; m; m = next_mark(w, m))
        add_to_set(&w->s->marked[m->set], &w->open_mark[m->set], shallow, retained);
}

static void open_sets(struct walk *w, const struct opened *o)
{
    w->open_type[o->type]++;
    if (o->loader != HEAP_NONE)
        w->open_loader[o->loader]++;
    if (w->s->package_of[o->type] != HEAP_NONE)
        open_package(w, w->s->package_of[o->type]);
    for (const struct set_mark *m = o->mark; m; m = next_mark(w, m))
        w->open_mark[m->set]++;
}

static void on_leave(void *ctx, uint32_t position)
{
    struct walk *w = ctx;
    const struct opened *o = &w->opened[w->tree.depth];

    (void)position;
    if (o->type == HEAP_NONE)
        return;
    w->open_type[o->type]--;
    if (o->loader != HEAP_NONE)
        w->open_loader[o->loader]--;
    if (w->s->package_of[o->type] != HEAP_NONE)
        close_package(w, w->s->package_of[o->type]);
    for (const struct set_mark *m = o->mark; m; m = next_mark(w, m))
        w->open_mark[m->set]--;
}

/* Most objects are leaves, for which nothing has to be open. */
static int enter(struct walk *w, uint32_t position)
{
    uint32_t node = retained_node(w->r, position), type = heap_type_of(w->h, node);
    struct opened *o;
    int r;

    if ((r = array_reserve(&w->opened, w->tree.depth, &w->opened_capacity, sizeof(*w->opened), SIZE_MAX / 16)) < 0)
        return r;
    o = &w->opened[w->tree.depth - 1];
    *o = (struct opened){type, loader_of(w, node, type), first_mark(w, node)};
    add_to_sets(w, position, o);
    if (retained_end(w->r, position) > position + 1)
        open_sets(w, o);
    else
        o->type = HEAP_NONE;
    return 0;
}

static int walk_tree(struct walk *w)
{
    int r;

    w->tree = (struct retained_walk){.r = w->r, .leave = on_leave, .ctx = w};
    while ((r = retained_walk_next(&w->tree)) > 0)
        if ((r = enter(w, w->tree.position)) < 0)
            break;
    retained_walk_done(&w->tree);
    return r;
}

/* What needs the numbers of loaders and packages. */
static int allocate_open(struct walk *w)
{
    size_t bits = heap_bits_size(w->h);
    int r;

    w->open_type = calloc(w->h->type_count + 1, sizeof(uint32_t));
    w->open_loader = calloc(w->s->loader_count + 1, sizeof(uint32_t));
    w->open_package = calloc(w->s->package_count + 1, sizeof(uint32_t));
    w->open_mark = calloc((size_t)w->marks->sets + 1, sizeof(uint32_t));
    if (!w->open_type || !w->open_loader || !w->open_package || !w->open_mark)
        return -ENOMEM;
    if ((r = big_array_new(&w->is_marked, heap_memory(w->h), bits)) < 0 ||
        (r = big_array_new(&w->is_loader, heap_memory(w->h), bits)) < 0)
        return r;
    for (size_t i = 0; i < w->marks->count; i++)
        graph_set_bit(&w->is_marked, w->marks->mark[i].node);
    for (size_t i = 0; i < w->s->loader_count; i++)
        if (w->s->loader[i].node != HEAP_NONE)
            graph_set_bit(&w->is_loader, w->s->loader[i].node);
    return 0;
}

static int allocate_sets(struct heap_sets *s, size_t types, size_t marked)
{
    s->type = calloc(types + 1, sizeof(*s->type));
    s->garbage = calloc(types + 1, sizeof(*s->garbage));
    s->loader_of = calloc(types + 1, sizeof(*s->loader_of));
    s->package_of = calloc(types + 1, sizeof(*s->package_of));
    s->marked = calloc(marked + 1, sizeof(*s->marked));
    return s->type && s->garbage && s->loader_of && s->package_of && s->marked ? 0 : -ENOMEM;
}

static void add_garbage(struct walk *w)
{
    for (uint32_t n = 0; n < w->h->objects; n++)
        if (!retained_is_reached(w->r, n)) {
            w->s->garbage[heap_type_of(w->h, n)].count++;
            w->s->garbage[heap_type_of(w->h, n)].bytes += heap_size(w->h, n);
        }
}

/* Count and bytes of a package are those of the packages below it, too. */
static void add_up_packages(struct heap_sets *s)
{
    for (size_t i = 0; i < s->package_count; i++)
        s->package[i].has_objects = s->package[i].size.count > 0;
    for (size_t i = s->package_count; i-- > 0;)
        if (s->package[i].parent != HEAP_NONE) {
            s->package[s->package[i].parent].size.count += s->package[i].size.count;
            s->package[s->package[i].parent].size.bytes += s->package[i].size.bytes;
        }
}

static void walk_done(struct walk *w)
{
    set_members_done(&w->members);
    big_array_free(&w->is_marked);
    big_array_free(&w->is_loader);
    free(w->opened);
    free(w->open_type);
    free(w->open_loader);
    free(w->open_package);
    free(w->open_mark);
}

int heap_sets_find(const struct heap *h, const struct retained *r, const struct set_marks *marks, struct heap_sets *ret)
{
    struct heap_sets s = {0};
    struct walk w = {.h = h, .r = r, .marks = marks, .s = &s, .members = {.h = h, .s = &s}};
    int result = allocate_sets(&s, h->type_count, marks->sets);

    assert(h && r && ret);
    if (result == 0)
        result = set_members_find(&w.members);
    if (result == 0)
        result = allocate_open(&w);
    if (result == 0) {
        result = walk_tree(&w);
        add_garbage(&w);
        add_up_packages(&s);
        *ret = s;
    } else {
        heap_sets_done(&s);
    }
    walk_done(&w);
    return result;
}

struct row {
    uint64_t retained, bytes;
    uint32_t number;
};

static int most_first(const void *a, const void *b)
{
    const struct row *x = a, *y = b;

    if (x->retained != y->retained)
        return x->retained > y->retained ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

uint32_t *set_order(const struct set_size *first, size_t stride, size_t count)
{
    struct row *row = calloc(count + 1, sizeof(*row));
    uint32_t *order = calloc(count + 1, sizeof(*order));

    if (!row || !order) {
        free(row);
        free(order);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        const struct set_size *set = (const void *)((const char *)first + i * stride);

        row[i] = (struct row){set->retained, set->bytes, (uint32_t)i};
    }
    qsort(row, count, sizeof(*row), most_first);
    for (size_t i = 0; i < count; i++)
        order[i] = row[i].number;
    free(row);
    return order;
}

const char *heap_loader_name(const struct heap *h, const struct heap_loader *l)
{
    if (l->node == HEAP_NONE)
        return "(the JVM's own)";
    return h->types[heap_type_of(h, l->node)].name;
}
