/* SPDX-License-Identifier: Apache-2.0
 *
 * Thread -> String -> array of characters: all Strings and arrays that a Thread refers to are read, as its edges don't
 * say which of them is the field "name". That field has this name in every JDK; it is a String, or in JDK 8 and older a
 * char[].
 */
#include "inspect/heap_thread_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "inspect/heap_objects.h"

enum { NAME_MAX_CHARACTERS = 200, NAME_MAX_BYTES = 2 * NAME_MAX_CHARACTERS, PIECES_MAX = 1 << 24 };

/* A Thread, a String, or an array. */
struct piece {
    uint32_t to; /* of a Thread its name, of a String its array: a node; HEAP_NONE */
    unsigned coder;
    struct heap_array array; /* its beginning */
    unsigned char *data;     /* the array's; owned */
};

struct names {
    struct heap *h;
    uint32_t string_type;
    struct heap_place value, coder;
    struct id_map number; /* of a node: its piece */
    uint32_t *node;
    struct piece *piece;
    size_t count, node_capacity, piece_capacity;
};

static void names_done(struct names *n)
{
    for (size_t i = 0; i < n->count; i++)
        free(n->piece[i].data);
    id_map_done(&n->number);
    free(n->node);
    free(n->piece);
}

static int add(struct names *n, uint32_t node)
{
    int r;

    if (node == HEAP_NONE || id_map_get(&n->number, node) != ID_MAP_NONE)
        return 0;
    if ((r = array_reserve(&n->node, n->count + 1, &n->node_capacity, sizeof(*n->node), PIECES_MAX)) < 0 ||
        (r = array_reserve(&n->piece, n->count + 1, &n->piece_capacity, sizeof(*n->piece), PIECES_MAX)) < 0)
        return r == -E2BIG ? 0 : r;
    n->node[n->count] = node;
    n->piece[n->count] = (struct piece){.to = HEAP_NONE};
    return id_map_put(&n->number, node, (uint32_t)n->count++);
}

/* Arrays of characters, and if wanted Strings with theirs. */
static int add_targets(struct names *n, uint32_t node, bool strings)
{
    struct heap_edges edges = heap_edges_of(n->h, node);
    int r = 0;

    while (r == 0 && heap_edges_next(&edges)) {
        uint32_t type = edges.target < n->h->objects ? heap_type_of(n->h, edges.target) : HEAP_NONE;
        unsigned char element = type == HEAP_NONE ? 0 : n->h->types[type].element;

        if (element == HEAP_CHAR || element == HEAP_BYTE)
            r = add(n, edges.target);
        else if (strings && type == n->string_type && (r = add(n, edges.target)) == 0)
            r = add_targets(n, edges.target, false);
    }
    return r;
}

static int add_thread(struct names *n, uint32_t node)
{
    int r = add(n, node);

    return r < 0 || node >= n->h->objects ? r : add_targets(n, node, true);
}

static uint32_t node_of(const struct names *n, uint64_t id)
{
    return id ? heap_index_find(n->h->index, id) : HEAP_NONE;
}

static int on_instance(void *ctx, uint32_t node, const struct heap_instance *o)
{
    struct names *n = ctx;
    struct piece *p = &n->piece[id_map_get(&n->number, node)];
    uint32_t type = heap_type_of(n->h, node);

    if (type != n->string_type) {
        p->to = node_of(n, heap_object_field(n->h, type, o, "name"));
        return 0;
    }
    p->to = node_of(n, (uint64_t)heap_place_value(n->h, o, &n->value));
    p->coder = (unsigned)heap_place_value(n->h, o, &n->coder);
    return 0;
}

static int on_array(void *ctx, uint32_t node, const struct heap_array *a)
{
    struct names *n = ctx;
    struct piece *p = &n->piece[id_map_get(&n->number, node)];
    unsigned size = heap_type_size(&n->h->reader, a->type);

    if (!a->data || size == 0)
        return 0;
    p->array = *a;
    if (p->array.length > NAME_MAX_BYTES / size)
        p->array.length = NAME_MAX_BYTES / size;
    if (!(p->data = malloc((size_t)p->array.length * size + 1)))
        return -ENOMEM;
    memcpy(p->data, a->data, (size_t)p->array.length * size);
    p->array.data = p->data;
    return 0;
}

static const struct piece *piece_of(const struct names *n, uint32_t node)
{
    uint32_t number = node == HEAP_NONE ? ID_MAP_NONE : id_map_get(&n->number, node);

    return number == ID_MAP_NONE ? NULL : &n->piece[number];
}

/* NULL: it has none that can be read. */
static char *name_of(const struct names *n, uint32_t thread)
{
    const struct piece *p = piece_of(n, thread);
    unsigned coder = 0;

    p = p ? piece_of(n, p->to) : NULL;
    if (p && p->to != HEAP_NONE) {
        coder = p->coder;
        p = piece_of(n, p->to);
    }
    return p ? heap_characters(&p->array, coder, NAME_MAX_CHARACTERS) : NULL;
}

static int read_all(struct names *n)
{
    const struct heap_object_events events = {.ctx = n, .instance = on_instance, .array = on_array};

    return heap_objects_read(n->h, n->node, n->count, &events);
}

int heap_thread_names_read(struct heap *h, struct heap_threads *t)
{
    struct names n = {.h = h, .string_type = heap_type_named(h, "java.lang.String")};
    int r = 0;

    n.value = heap_field_place(h, n.string_type, "value");
    n.coder = heap_field_place(h, n.string_type, "coder");
    for (size_t i = 0; i < t->count && r == 0; i++)
        r = add_thread(&n, t->thread[i].node);
    if (r == 0 && n.count > 0)
        r = read_all(&n);
    for (size_t i = 0; i < t->count && r == 0; i++)
        t->thread[i].name = name_of(&n, t->thread[i].node);
    names_done(&n);
    return r;
}
