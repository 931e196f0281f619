/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Classes: names as people write them, and where in an instance's data its references are.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/java_name.h"
#include "base/mem.h"
#include "base/text.h"
#include "hprof/heap.h"

enum { SUPERS_MAX = 1000 /* a hostile dump may have a circle of them */, ELEMENT_MAX = 8 };

struct heap_text heap_text_of(const struct heap *h, uint64_t id)
{
    uint32_t i = id_map_get(&h->text_of_id, id);

    return i == ID_MAP_NONE ? (struct heap_text){"", 0} : h->texts[i];
}

uint32_t heap_type_for(struct heap *h, uint64_t class_id)
{
    uint32_t i = id_map_get(&h->type_of_id, class_id);

    if (i != ID_MAP_NONE)
        return i;
    if (array_reserve(&h->types, h->type_count + 1, &h->type_capacity, sizeof(*h->types), HEAP_CLASSES_MAX) < 0 ||
        id_map_put(&h->type_of_id, class_id, (uint32_t)h->type_count) < 0)
        return HEAP_NONE;
    h->types[h->type_count] = (struct heap_type_info){
        .record.id = class_id, .super = HEAP_NONE, .node = HEAP_NONE, .referent = UINT32_MAX, .least_gap = UINT32_MAX};
    return (uint32_t)h->type_count++;
}

/* malloc'ed. */
static char *pretty(const char *name, size_t size)
{
    size_t room = 3 * size + ELEMENT_MAX; /* "[I" is "int[]" */
    CLEANUP_FREE char *out = malloc(room);

    return out ? strdup(java_name(name, size, out, room)) : NULL;
}

bool heap_is_a(const struct heap *h, uint32_t type, const char *name)
{
    for (unsigned i = 0; type < h->type_count && i < SUPERS_MAX; i++) {
        if (text_eq(h->types[type].name, name))
            return true;
        type = h->types[type].super;
    }
    return false;
}

static bool is_named(const struct heap *h, const unsigned char *field, const char *name)
{
    struct heap_text text = heap_text_of(h, heap_id(&h->reader, field));

    return text.size == strlen(name) && memcmp(text.text, name, text.size) == 0;
}

/* By name, as MAT excludes them. */
static bool is_weak(const struct heap *h, uint32_t type)
{
    return heap_is_a(h, type, "java.lang.ref.WeakReference") || heap_is_a(h, type, "java.lang.ref.SoftReference") ||
           heap_is_a(h, type, "java.lang.ref.PhantomReference") || heap_is_a(h, type, "java.lang.ref.FinalReference");
}

/* Of one class of the chain: adds its references, which begin at *at in the data. */
static int add_references(struct heap *h, struct heap_type_info *t, const struct heap_class *c, uint32_t *at)
{
    bool weak = is_weak(h, (uint32_t)(t - h->types));
    unsigned id = h->reader.id_size;
    size_t capacity = t->reference_count;

    for (unsigned i = 0; i < c->field_count; i++) {
        const unsigned char *field = c->fields + (size_t)i * (id + 1);
        unsigned size = heap_type_size(&h->reader, field[id]);

        if (size == 0)
            return 0; /* a type that we do not know: what follows has no place */
        if (field[id] == HEAP_OBJECT) {
            if (array_reserve(&t->references, t->reference_count + 1, &capacity, sizeof(*t->references), 1 << 20) < 0)
                return -ENOMEM;
            if (weak && is_named(h, field, "referent"))
                t->referent = *at;
            else
                t->references[t->reference_count++] = *at;
            t->object_refs++;
        }
        *at += size;
    }
    return 0;
}

static int resolve(struct heap *h, struct heap_type_info *t)
{
    const struct heap_type_info *c = t;
    int r;

    for (unsigned i = 0; c && c->known && i < SUPERS_MAX; i++) {
        uint32_t super = id_map_get(&h->type_of_id, c->record.super);

        if ((r = add_references(h, t, &c->record, &t->data_size)) < 0)
            return r;
        c = c->record.super && super != ID_MAP_NONE ? &h->types[super] : NULL;
    }
    return 0;
}

int heap_name_types(struct heap *h)
{
    for (size_t i = 0; i < h->type_count; i++) {
        char unknown[40];

        snprintf(unknown, sizeof(unknown), "class at 0x%llx", (unsigned long long)h->types[i].record.id);
        if (!h->types[i].name && !(h->types[i].name = strdup(unknown)))
            return -ENOMEM;
    }
    return 0;
}

static int name_type(struct heap *h, uint32_t number, uint64_t text_id)
{
    struct heap_text text = heap_text_of(h, text_id);
    struct heap_type_info *t = &h->types[number];
    size_t size;

    if (t->name || text.size == 0)
        return 0;
    if (!(t->name = pretty(text.text, text.size)))
        return -ENOMEM;
    size = strlen(t->name);
    if (size > 2 && text_eq(t->name + size - 2, "[]"))
        t->element = HEAP_OBJECT;
    if (text_eq(t->name, "java.lang.Class"))
        h->class_type = number;
    return 0;
}

int heap_resolve_types(struct heap *h)
{
    static const char *const NAMES[HEAP_TYPE_END] = {
        [HEAP_BOOLEAN] = "boolean[]", [HEAP_CHAR] = "char[]",   [HEAP_FLOAT] = "float[]", [HEAP_DOUBLE] = "double[]",
        [HEAP_BYTE] = "byte[]",       [HEAP_SHORT] = "short[]", [HEAP_INT] = "int[]",     [HEAP_LONG] = "long[]"};
    int r;

    h->class_type = HEAP_NONE;
    for (size_t i = 0; i < h->type_count; i++)
        if ((r = name_type(h, (uint32_t)i, h->types[i].name_id)) < 0)
            return r;
    if ((r = heap_name_types(h)) < 0)
        return r;
    for (size_t i = 0; i < h->type_count; i++)
        if (h->types[i].known && h->types[i].record.super)
            h->types[i].super = id_map_get(&h->type_of_id, h->types[i].record.super);
    for (size_t i = 0; i < h->type_count; i++)
        if ((r = resolve(h, &h->types[i])) < 0)
            return r;
    for (unsigned element = HEAP_BOOLEAN; element < HEAP_TYPE_END; element++) {
        if (array_reserve(&h->types, h->type_count + 1, &h->type_capacity, sizeof(*h->types), HEAP_CLASSES_MAX) < 0)
            return -ENOMEM;
        h->types[h->type_count] = (struct heap_type_info){.super = HEAP_NONE,
                                                          .node = HEAP_NONE,
                                                          .referent = UINT32_MAX,
                                                          .least_gap = UINT32_MAX,
                                                          .element = (unsigned char)element,
                                                          .name = strdup(NAMES[element])};
        if (!h->types[h->type_count].name)
            return -ENOMEM;
        h->primitive[element] = (uint32_t)h->type_count++;
    }
    return 0;
}
