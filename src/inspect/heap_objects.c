/* SPDX-License-Identifier: Apache-2.0
 *
 * Batches: a map of the wanted ids, and a pass over the dump.
 */
#include "inspect/heap_objects.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { SUPERS_MAX = 1000 };

struct batch {
    struct id_map wanted;
    const struct heap_object_events *events;
};

static int on_instance(void *ctx, const struct heap_instance *o)
{
    struct batch *b = ctx;
    uint32_t node = id_map_get(&b->wanted, o->id);

    if (node == ID_MAP_NONE || !b->events->instance)
        return 0;
    return b->events->instance(b->events->ctx, node, o);
}

static int on_array(void *ctx, const struct heap_array *a)
{
    struct batch *b = ctx;
    uint32_t node = id_map_get(&b->wanted, a->id);

    if (node == ID_MAP_NONE || !b->events->array)
        return 0;
    return b->events->array(b->events->ctx, node, a);
}

static bool has_wanted(const struct heap_chunk *chunk, const uint64_t *ids, size_t count)
{
    size_t low = 0, high = count; /* the first id that is not below the chunk's least */

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (ids[middle] < chunk->least)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && ids[low] <= chunk->most;
}

static int ascending(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* Only the parts of the dump in which there may be a wanted object. */
static int read_chunks(struct heap *h, const struct id_map *wanted, const struct heap_events *events)
{
    CLEANUP_FREE uint64_t *ids = calloc(wanted->count + 1, sizeof(*ids));
    size_t count = 0;
    int r = 0;

    if (!ids)
        return -ENOMEM;
    for (size_t i = 0; i < wanted->slots; i++)
        if (wanted->value[i] != ID_MAP_NONE)
            ids[count++] = wanted->key[i];
    if (count > 0)
        qsort(ids, count, sizeof(*ids), ascending);
    for (size_t i = 0; i < h->chunk_count && r == 0; i++) {
        const struct heap_chunk *chunk = &h->chunks[i];
        struct heap_part part = {.from = chunk->from, .to = chunk->to, .end = chunk->end};

        if (!has_wanted(chunk, ids, count))
            continue;
        r = heap_reader_walk_part(&h->reader, &part, events);
        heap_release(h, chunk->from, (size_t)(chunk->to - chunk->from));
    }
    return r;
}

int heap_objects_read(struct heap *h, const uint32_t *nodes, size_t count, const struct heap_object_events *events)
{
    struct batch b = {.events = events};
    const struct heap_events all = {.ctx = &b, .instance = on_instance, .array = on_array};
    int r;

    assert(h && nodes && events);
    for (size_t i = 0; i < count; i++)
        if (nodes[i] < h->objects && (r = id_map_put(&b.wanted, heap_index_id(h->index, nodes[i]), nodes[i])) < 0) {
            id_map_done(&b.wanted);
            return r;
        }
    r = read_chunks(h, &b.wanted, &all);
    id_map_done(&b.wanted);
    return r;
}

struct place {
    const unsigned char *record; /* of the field: name, type */
    uint32_t at;                 /* in the instance's data */
};

/* Each reference field of an instance, its own class's first; fn: true to stop. */
static bool each_field(const struct heap *h, uint32_t type, bool (*fn)(void *ctx, const struct place *p), void *ctx)
{
    unsigned id = h->reader.id_size;
    uint32_t at = 0;

    for (unsigned depth = 0; type < h->type_count && h->types[type].known && depth < SUPERS_MAX; depth++) {
        const struct heap_class *c = &h->types[type].record;

        for (unsigned i = 0; i < c->field_count; i++) {
            const unsigned char *field = c->fields + (size_t)i * (id + 1);

            if (field[id] == HEAP_OBJECT && fn(ctx, &(struct place){field, at}))
                return true;
            at += heap_type_size(&h->reader, field[id]);
        }
        type = h->types[type].super;
    }
    return false;
}

struct wanted {
    const struct heap *h;
    const struct heap_instance *o;
    const char *name; /* or NULL: by the target */
    uint64_t target;
    const unsigned char *found;
};

static bool is_wanted(void *ctx, const struct place *p)
{
    struct wanted *w = ctx;
    unsigned id = w->h->reader.id_size;
    struct heap_text name = heap_text_of(w->h, heap_id(&w->h->reader, p->record));
    uint64_t value;

    if ((uint64_t)p->at + id > w->o->size)
        return false;
    value = heap_id(&w->h->reader, w->o->data + p->at);
    if (w->name ? strlen(w->name) != name.size || memcmp(w->name, name.text, name.size) != 0 : value != w->target)
        return false;
    w->target = value;
    w->found = p->record;
    return true;
}

uint64_t heap_object_field(const struct heap *h, uint32_t type, const struct heap_instance *o, const char *name)
{
    struct wanted w = {.h = h, .o = o, .name = name};

    return each_field(h, type, is_wanted, &w) ? w.target : 0;
}

static bool is_named(const struct heap *h, const unsigned char *id, const char *name)
{
    struct heap_text text = heap_text_of(h, heap_id(&h->reader, id));

    return text.size == strlen(name) && memcmp(text.text, name, text.size) == 0;
}

struct heap_place heap_field_place(const struct heap *h, uint32_t type, const char *name)
{
    unsigned id = h->reader.id_size;
    uint32_t at = 0;

    for (unsigned depth = 0; type < h->type_count && h->types[type].known && depth < SUPERS_MAX; depth++) {
        const struct heap_class *c = &h->types[type].record;

        for (unsigned i = 0; i < c->field_count; i++) {
            const unsigned char *field = c->fields + (size_t)i * (id + 1);

            if (is_named(h, field, name))
                return (struct heap_place){at, field[id]};
            at += heap_type_size(&h->reader, field[id]);
        }
        type = h->types[type].super;
    }
    return (struct heap_place){0};
}

int64_t heap_place_value(const struct heap *h, const struct heap_instance *o, const struct heap_place *p)
{
    unsigned size = heap_type_size(&h->reader, p->type);
    uint64_t value = 0;

    if (size == 0 || (uint64_t)p->at + size > o->size)
        return 0;
    for (unsigned i = 0; i < size; i++)
        value = value << 8 | o->data[p->at + i];
    if (size < 8 && p->type != HEAP_OBJECT && p->type != HEAP_CHAR && value >> (8 * size - 1))
        value |= UINT64_MAX << (8 * size);
    return (int64_t)value;
}

uint64_t heap_static_reference(const struct heap *h, uint32_t type, const char *name)
{
    unsigned id = h->reader.id_size;
    const unsigned char *p = h->types[type].record.statics;

    for (unsigned i = 0; h->types[type].known && i < h->types[type].record.static_count; i++) {
        if (p[id] == HEAP_OBJECT && is_named(h, p, name))
            return heap_id(&h->reader, p + id + 1);
        p += id + 1 + heap_type_size(&h->reader, p[id]);
    }
    return 0;
}

uint32_t heap_type_named(const struct heap *h, const char *name)
{
    for (uint32_t t = 0; t < h->type_count; t++)
        if (text_eq(h->types[t].name, name))
            return t;
    return HEAP_NONE;
}

static char *text_copy(const struct heap *h, const unsigned char *id)
{
    struct heap_text name = heap_text_of(h, heap_id(&h->reader, id));

    return strndup(name.text, name.size);
}

char *heap_object_field_to(const struct heap *h, uint32_t type, const struct heap_instance *o, uint64_t target)
{
    struct wanted w = {.h = h, .o = o, .target = target};

    return each_field(h, type, is_wanted, &w) ? text_copy(h, w.found) : NULL;
}

char *heap_static_to(const struct heap *h, uint32_t type, uint64_t target)
{
    unsigned id = h->reader.id_size;
    const struct heap_class *c = &h->types[type].record;
    const unsigned char *p = c->statics;

    for (unsigned i = 0; h->types[type].known && i < c->static_count; i++) {
        if (p[id] == HEAP_OBJECT && heap_id(&h->reader, p + id + 1) == target)
            return text_copy(h, p);
        p += id + 1 + heap_type_size(&h->reader, p[id]);
    }
    return NULL;
}

uint32_t heap_type_of_class(const struct heap *h, uint32_t node)
{
    if (node >= h->objects || heap_type_of(h, node) != h->class_type)
        return HEAP_NONE;
    for (uint32_t t = 0; t < h->type_count; t++)
        if (h->types[t].node == node)
            return t;
    return HEAP_NONE;
}

static size_t put_utf8(char *out, unsigned c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c >= 0xD800 && c < 0xE000)
        c = 0xFFFD; /* half of a pair: pairs are shown as two of these */
    out[0] = (char)(0xE0 | c >> 12);
    out[1] = (char)(0x80 | (c >> 6 & 0x3F));
    out[2] = (char)(0x80 | (c & 0x3F));
    return 3;
}

/* Little-endian UTF-16 in a byte[] (on the machines that JVMs run on); big-endian, as the format is, in a char[]. */
char *heap_characters(const struct heap_array *a, unsigned coder, size_t most)
{
    bool wide = a->type == HEAP_CHAR || coder == 1;
    size_t count = a->type == HEAP_BYTE && wide ? a->length / 2 : a->length, at = 0;
    char *out;

    if (!a->data || (a->type != HEAP_CHAR && a->type != HEAP_BYTE))
        return NULL;
    if (count > most)
        count = most;
    if (!(out = malloc(count * 3 + 1)))
        return NULL;
    for (size_t i = 0; i < count; i++) {
        const unsigned char *p = a->data + (wide ? 2 * i : i);

        at += put_utf8(out + at, !wide                  ? *p
                                 : a->type == HEAP_CHAR ? (unsigned)(p[0] << 8 | p[1])
                                                        : (unsigned)(p[1] << 8 | p[0]));
    }
    out[at] = '\0';
    return out;
}
