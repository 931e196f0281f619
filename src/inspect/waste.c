/* SPDX-License-Identifier: Apache-2.0
 *
 * A digest for each array and number. Lookups wait in a short queue, until the processor has fetched their slots.
 */
#include "inspect/waste.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/mem.h"
#include "base/text.h"

bool waste_is_box(const char *class)
{
    static const char *const BOXES[] = {"java.lang.Integer", "java.lang.Long",      "java.lang.Short",
                                        "java.lang.Byte",    "java.lang.Character", "java.lang.Double",
                                        "java.lang.Float",   "java.lang.Boolean"};

    for (size_t i = 0; i < ARRAY_SIZE(BOXES); i++)
        if (text_eq(class, BOXES[i]))
            return true;
    return false;
}

/* A String's array is its only reference. */
static void find_texts(struct waste *w)
{
    const struct heap *h = w->h;

    for (uint32_t n = 0; n < h->objects && w->string_type != HEAP_NONE; n++) {
        struct heap_edges edges;

        if (heap_type_of(h, n) != w->string_type)
            continue;
        edges = heap_edges_of(h, n);
        while (heap_edges_next(&edges))
            if (edges.target < h->objects && h->types[heap_type_of(h, edges.target)].element)
                graph_set_bit(&w->is_text, edges.target);
    }
}

static uint64_t expected_contents(const struct heap *h)
{
    uint64_t total = 0;

    for (uint32_t t = 0; t < h->type_count; t++)
        if ((h->types[t].element && h->types[t].element != HEAP_OBJECT) || waste_is_box(h->types[t].name))
            total += h->types[t].count;
    return total;
}

int waste_begin(struct waste *w, const struct heap *h)
{
    size_t bits = heap_bits_size(h);
    int r;

    assert(w && h);
    *w = (struct waste){.h = h, .string_type = heap_type_named(h, "java.lang.String")};
    if (!(w->box = calloc(h->type_count + 1, sizeof(*w->box))))
        return -ENOMEM;
    if ((r = big_array_new(&w->is_text, heap_memory(h), bits)) < 0 ||
        (r = big_array_new(&w->is_utf16, heap_memory(h), bits)) < 0 ||
        (r = content_table_init(&w->table, heap_memory(h), expected_contents(h))) < 0) {
        waste_done(w);
        return r;
    }
    if (w->string_type != HEAP_NONE) {
        w->string_value = heap_field_place(h, w->string_type, "value");
        w->string_coder = heap_field_place(h, w->string_type, "coder");
    }
    find_texts(w);
    return 0;
}

void waste_done(struct waste *w)
{
    for (unsigned i = 0; i < w->strings.top_count; i++)
        free(w->strings.top[i].text);
    content_table_done(&w->table);
    big_array_free(&w->is_text);
    big_array_free(&w->is_utf16);
    free(w->box);
    *w = (struct waste){0};
}

static void fill(struct waste_content *c, const struct waste_pending *p, uint64_t size)
{
    *c = (struct waste_content){.digest = p->digest, .length = p->array.length, .node = p->node, .type = p->type};
    c->data_size = size < WASTE_CONTENT_BYTES ? (uint32_t)size : WASTE_CONTENT_BYTES;
    memcpy(c->data, p->array.data, c->data_size);
}

/* The candidate of this content, or the one that has lost least. */
static struct waste_content *candidate(struct waste_kind *k, uint64_t digest)
{
    struct waste_content *least = NULL;

    for (unsigned i = 0; i < k->top_count; i++) {
        if (k->top[i].digest == digest)
            return &k->top[i];
        if (!least || k->top[i].lost < least->lost)
            least = &k->top[i];
    }
    return k->top_count < WASTE_CANDIDATES ? &k->top[k->top_count++] : least;
}

static void add_duplicate(struct waste *w, const struct waste_pending *p, uint32_t count)
{
    struct waste_kind *k = graph_bit(&w->is_text, p->node) ? &w->strings : &w->arrays;
    uint64_t bytes = heap_size(w->h, p->node), lost = (count - 1) * bytes;
    struct waste_content *c;

    k->count++;
    k->bytes += bytes;
    if (k->top_count == WASTE_CANDIDATES && lost <= k->least)
        return;
    c = candidate(k, p->digest);
    if (c->digest != p->digest || !c->count)
        fill(c, p, (uint64_t)p->array.length * heap_type_size(&w->h->reader, p->array.type));
    c->count = count;
    c->lost = lost;
    k->least = UINT64_MAX;
    for (unsigned i = 0; i < k->top_count; i++)
        if (k->top[i].lost < k->least)
            k->least = k->top[i].lost;
}

static void look_up(struct waste *w, const struct waste_pending *p)
{
    uint32_t count = content_table_add(&w->table, p->digest);

    if (count <= 1)
        return;
    if (p->array.data) {
        add_duplicate(w, p, count);
    } else {
        w->box[p->type].duplicates++;
        w->box[p->type].bytes += heap_size(w->h, p->node);
    }
}

static void flush(struct waste *w)
{
    for (unsigned i = 0; i < w->pending_count; i++)
        look_up(w, &w->pending[i]);
    w->pending_count = 0;
}

static void look_up_later(struct waste *w, const struct waste_pending *p)
{
    content_table_prefetch(&w->table, p->digest);
    w->pending[w->pending_count++] = *p;
    if (w->pending_count == WASTE_PENDING)
        flush(w);
}

static bool is_zero(const unsigned char *data, size_t size)
{
    return data[0] == 0 && memcmp(data, data + 1, size - 1) == 0;
}

static void on_array(void *ctx, uint32_t node, uint32_t type, const struct heap_array *a)
{
    struct waste *w = ctx;
    size_t size = (size_t)a->length * heap_type_size(&w->h->reader, a->type);

    if (size > 0 && is_zero(a->data, size)) {
        w->zeros[a->type].count++;
        w->zeros[a->type].bytes += heap_size(w->h, node);
        return;
    }
    look_up_later(w, &(struct waste_pending){XXH3_64bits_withSeed(a->data, size, a->type), node, type, *a});
}

static void on_instance(void *ctx, uint32_t node, uint32_t type, const struct heap_instance *o)
{
    struct waste *w = ctx;

    if (type == w->string_type) {
        uint32_t array = heap_index_find(w->h->index, (uint64_t)heap_place_value(w->h, o, &w->string_value));

        if (array != HEAP_NONE && heap_place_value(w->h, o, &w->string_coder) == 1)
            graph_set_bit(&w->is_utf16, array);
        return;
    }
    w->box[type].count++;
    look_up_later(w, &(struct waste_pending){XXH3_64bits_withSeed(o->data, o->size, 256 + type), node, type, {0}});
}

/* A String has to be read only where its array may be UTF-16. */
static bool wants(void *ctx, uint32_t type)
{
    const struct waste *w = ctx;

    return (type == w->string_type && w->string_coder.type) || waste_is_box(w->h->types[type].name);
}

struct survey_part waste_part(struct waste *w)
{
    return (struct survey_part){w, wants, on_instance, on_array};
}

static int most_first(const void *a, const void *b)
{
    const struct waste_content *x = a, *y = b;

    if (x->lost != y->lost)
        return x->lost > y->lost ? -1 : 1;
    return x->node < y->node ? -1 : x->node > y->node;
}

static void keep_top(struct waste_kind *k)
{
    if (k->top_count > 1)
        qsort(k->top, k->top_count, sizeof(k->top[0]), most_first);
    if (k->top_count > WASTE_TOP)
        k->top_count = WASTE_TOP;
}

int waste_end(struct waste *w)
{
    assert(w && w->h);
    flush(w);
    keep_top(&w->strings);
    keep_top(&w->arrays);
    w->incomplete = w->table.full;
    content_table_done(&w->table);
    for (unsigned i = 0; i < w->strings.top_count; i++) {
        struct waste_content *c = &w->strings.top[i];
        unsigned char type = w->h->types[c->type].element;
        struct heap_array a = {
            .data = c->data, .type = type, .length = c->data_size / heap_type_size(&w->h->reader, type)};

        if (!(c->text = heap_characters(&a, graph_bit(&w->is_utf16, c->node), WASTE_CONTENT_BYTES)))
            return -ENOMEM;
    }
    return 0;
}
