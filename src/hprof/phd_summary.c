/* SPDX-License-Identifier: Apache-2.0
 *
 * Two passes: classes and distances, then bytes.
 */
#include "hprof/phd_summary.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/java_name.h"
#include "base/text.h"
#include "hprof/heap_reader.h"
#include "hprof/id_map.h"
#include "hprof/phd_layout.h"
#include "hprof/phd_reader.h"

enum { CLASSES_MAX = 1 << 20, NONE = -1, ARRAY_OF = 1, CLASS_OBJECTS = 2 };

struct one_class {
    uint64_t
        key; /* its address, or + ARRAY_OF, or CLASS_OBJECTS, or a number of enum heap_type: no address is so low */
    const char *name;
    uint16_t name_size;
    uint32_t instance_size, least_gap;
    uint64_t count, bytes;
};

struct histogram {
    struct one_class *classes; /* owned */
    size_t count, capacity;
    struct id_map by_key;
    struct phd_evidence evidence;
    struct object_layout layout;
    struct phd_object last; /* the record before; address 0: none */
    uint64_t objects, bytes;
};

/* Its number; NONE without memory, or beyond the ceiling. */
static long class_of(struct histogram *g, uint64_t key)
{
    uint32_t i = id_map_get(&g->by_key, key);

    if (i != ID_MAP_NONE)
        return (long)i;
    if (array_reserve(&g->classes, g->count + 1, &g->capacity, sizeof(*g->classes), CLASSES_MAX) < 0 ||
        id_map_put(&g->by_key, key, (uint32_t)g->count) < 0)
        return NONE;
    g->classes[g->count] = (struct one_class){.key = key, .least_gap = UINT32_MAX};
    return (long)g->count++;
}

static uint64_t key_of(const struct phd_object *o)
{
    switch (o->kind) {
    case PHD_OBJECT:
        return o->class;
    case PHD_OBJECT_ARRAY:
        return o->class + ARRAY_OF;
    case PHD_PRIMITIVE_ARRAY:
        return o->type;
    case PHD_CLASS_OBJECT:
        break;
    }
    return CLASS_OBJECTS;
}

static unsigned element_size(const struct phd_object *o)
{
    static const unsigned char SIZES[HEAP_TYPE_END] = {
        [HEAP_BOOLEAN] = 1, [HEAP_CHAR] = 2,  [HEAP_FLOAT] = 4, [HEAP_DOUBLE] = 8,
        [HEAP_BYTE] = 1,    [HEAP_SHORT] = 2, [HEAP_INT] = 4,   [HEAP_LONG] = 8};

    return o->kind == PHD_PRIMITIVE_ARRAY ? SIZES[o->type] : 0;
}

static int note_gap(struct histogram *g, uint64_t gap)
{
    const struct phd_object *o = &g->last;
    long class;

    if (o->kind == PHD_OBJECT_ARRAY || o->kind == PHD_PRIMITIVE_ARRAY) {
        phd_note_array(&g->evidence, element_size(o), o->length & UINT32_MAX, gap);
        return 0;
    }
    if ((class = class_of(g, key_of(o))) == NONE)
        return -ENOMEM;
    if (gap < g->classes[class].least_gap)
        g->classes[class].least_gap = (uint32_t)gap;
    return 0;
}

static int first_pass(void *ctx, const struct phd_object *o)
{
    struct histogram *g = ctx;
    int r = g->last.address && o->address > g->last.address ? note_gap(g, o->address - g->last.address) : 0;
    long class;

    g->last = *o;
    if (r < 0 || (class = class_of(g, key_of(o))) == NONE)
        return -ENOMEM;
    g->classes[class].count++;
    if (o->kind != PHD_CLASS_OBJECT)
        return 0;
    if ((class = class_of(g, o->address)) == NONE)
        return -ENOMEM;
    g->classes[class].name = o->name;
    g->classes[class].name_size = o->name_size;
    g->classes[class].instance_size = o->instance_size;
    return 0;
}

static int second_pass(void *ctx, const struct phd_object *o)
{
    struct histogram *g = ctx;
    struct one_class *c = &g->classes[class_of(g, key_of(o))];
    bool measured;
    unsigned element = o->kind == PHD_OBJECT_ARRAY ? g->layout.reference_bytes : element_size(o);
    uint64_t bytes = element ? layout_array_size(&g->layout, o->length & UINT32_MAX, element)
                             : phd_instance_size(c->instance_size, c->count, c->least_gap, &measured);

    c->bytes += bytes;
    g->bytes += bytes;
    g->objects++;
    return 0;
}

static int by_bytes(const void *a, const void *b)
{
    const struct one_class *x = a, *y = b;

    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return x->key < y->key ? -1 : x->key > y->key;
}

static void name_class(const struct histogram *g, const struct one_class *c, char out[SUMMARY_NAME_MAX])
{
    static const char *const PRIMITIVES[HEAP_TYPE_END] = {
        [HEAP_BOOLEAN] = "boolean[]", [HEAP_CHAR] = "char[]",   [HEAP_FLOAT] = "float[]", [HEAP_DOUBLE] = "double[]",
        [HEAP_BYTE] = "byte[]",       [HEAP_SHORT] = "short[]", [HEAP_INT] = "int[]",     [HEAP_LONG] = "long[]"};
    bool array = c->key >= HEAP_TYPE_END && (c->key & ARRAY_OF);
    uint32_t element = array ? id_map_get(&g->by_key, c->key - ARRAY_OF) : ID_MAP_NONE;
    const struct one_class *named = element != ID_MAP_NONE ? &g->classes[element] : c;
    size_t used;

    if (c->key == CLASS_OBJECTS)
        snprintf(out, SUMMARY_NAME_MAX, "java.lang.Class");
    else if (c->key < HEAP_TYPE_END)
        snprintf(out, SUMMARY_NAME_MAX, "%s", PRIMITIVES[c->key] ? PRIMITIVES[c->key] : "?");
    else if (named->name_size > 0)
        java_name(named->name, named->name_size, out, SUMMARY_NAME_MAX - 2);
    else
        snprintf(out, SUMMARY_NAME_MAX, "class at 0x%" PRIx64, named->key);
    used = strlen(out);
    if (array && used + 3 <= SUMMARY_NAME_MAX)
        memcpy(out + used, "[]", 3);
}

/* The largest few, without a sort: the map finds elements' names by their place. */
static void find_top(const struct histogram *g, struct summary *s)
{
    struct one_class top[SUMMARY_ROWS_MAX + 1];

    for (size_t i = 0; i < g->count; i++) {
        size_t at = s->top_count;

        if (g->classes[i].count == 0)
            continue;
        for (; at > 0 && by_bytes(&g->classes[i], &top[at - 1]) < 0; at--)
            top[at] = top[at - 1];
        top[at] = g->classes[i];
        s->top_count += s->top_count < SUMMARY_ROWS_MAX;
    }
    for (size_t i = 0; i < s->top_count; i++) {
        s->top[i] = (struct summary_row){.count = top[i].count, .bytes = top[i].bytes};
        name_class(g, &top[i], s->top[i].name);
    }
}

static void make_summary(const struct histogram *g, struct summary *s)
{
    char all[TEXT_SIZE_MAX], most[TEXT_SIZE_MAX];

    find_top(g, s);
    snprintf(s->sentence, sizeof(s->sentence), "%s in %" PRIu64 " objects; most: %.120s %s (%" PRIu64 ")",
             text_format_size(g->bytes, all), g->objects, s->top[0].name, text_format_size(s->top[0].bytes, most),
             s->top[0].count);
}

/* The size of java.lang.Class's instances is in its record. */
static void size_class_objects(struct histogram *g)
{
    static const char NAME[] = "java/lang/Class";
    uint32_t all = id_map_get(&g->by_key, CLASS_OBJECTS);

    for (size_t i = 0; i < g->count && all != ID_MAP_NONE; i++)
        if (g->classes[i].name_size == sizeof(NAME) - 1 && memcmp(g->classes[i].name, NAME, sizeof(NAME) - 1) == 0)
            g->classes[all].instance_size = g->classes[i].instance_size;
}

int phd_summary(const void *data, size_t size, struct summary *ret)
{
    struct histogram g = {0};
    struct summary s = {0};
    struct phd_reader reader;
    int r = phd_reader_init(&reader, data, size);

    assert(ret);
    if (r == 0)
        r = phd_reader_walk(&reader, first_pass, &g);
    if (r == 0) {
        size_class_objects(&g);
        g.layout = phd_layout_find(reader.header.wide, &g.evidence);
        r = phd_reader_walk(&reader, second_pass, &g);
    }
    if (r == 0 && g.objects == 0)
        r = -EBADMSG;
    if (r == 0)
        make_summary(&g, &s);
    free(g.classes);
    id_map_done(&g.by_key);
    if (r == 0)
        *ret = s;
    return r;
}
