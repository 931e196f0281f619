/* SPDX-License-Identifier: Apache-2.0
 *
 * The metadata event is a list of texts, and a tree of elements with attributes, both as numbers of texts: root,
 * metadata, class, field. Everything else in the tree is passed over.
 */
#include "jfr/jfr_types.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/text.h"

enum { DEPTH_MAX = 16, ID_DIGITS = 24 };

struct reading {
    struct jfr_cursor c;
    struct jfr_text *texts;
    size_t text_count;
    struct jfr_types types;
    int class; /* the one that is read; JFR_NONE */
    int error;
};

static const struct jfr_text *text_at(struct reading *r)
{
    static const struct jfr_text none;
    uint64_t i = jfr_number(&r->c, 4);

    if (i >= r->text_count) {
        r->c.bad = true;
        return &none;
    }
    return &r->texts[i];
}

static int read_texts(struct reading *r)
{
    uint64_t count = jfr_number(&r->c, 4);

    if (count > JFR_STRINGS_MAX || count > (uint64_t)(r->c.end - r->c.p))
        return -EBADMSG;
    if (!(r->texts = calloc((size_t)count + 1, sizeof(*r->texts))))
        return -ENOMEM;
    while (r->text_count < count && !r->c.bad)
        r->texts[r->text_count++] = jfr_text_read(&r->c);
    return r->c.bad ? -EBADMSG : 0;
}

static uint64_t number_of(const struct jfr_text *t, bool compressed)
{
    char digits[ID_DIGITS];
    uint64_t n;

    return text_parse_uint(jfr_text_copy(t, compressed, digits, sizeof(digits)), UINT64_MAX, &n) == 0 ? n : UINT64_MAX;
}

static enum jfr_base base_of(const struct jfr_text *name)
{
    static const char *const NAMES[] = {
        [JFR_BOOLEAN] = "boolean", [JFR_BYTE] = "byte",     [JFR_CHAR] = "char",
        [JFR_SHORT] = "short",     [JFR_INT] = "int",       [JFR_LONG] = "long",
        [JFR_FLOAT] = "float",     [JFR_DOUBLE] = "double", [JFR_STRING] = "java.lang.String"};

    for (unsigned i = JFR_BOOLEAN; i < ARRAY_SIZE(NAMES); i++)
        if (jfr_text_is(name, NAMES[i]))
            return (enum jfr_base)i;
    return JFR_STRUCT;
}

struct element {
    bool class, field;
    struct jfr_class c;
    struct jfr_field f;
};

static void read_attributes(struct reading *r, struct element *e)
{
    uint64_t count = jfr_number(&r->c, 4);

    for (uint64_t i = 0; i < count && !r->c.bad; i++) {
        const struct jfr_text *key = text_at(r), *value = text_at(r);

        if (jfr_text_is(key, "name")) {
            e->c.name = e->f.name = *value;
            e->c.base = base_of(value);
        } else if (jfr_text_is(key, "id")) {
            e->c.id = number_of(value, r->c.compressed);
        } else if (jfr_text_is(key, "class")) {
            e->f.class_id = number_of(value, r->c.compressed);
        } else if (jfr_text_is(key, "constantPool")) {
            e->f.constant = jfr_text_is(value, "true");
        } else if (jfr_text_is(key, "dimension")) {
            e->f.array = !jfr_text_is(value, "0");
        }
    }
}

static void add(struct reading *r, const struct element *e)
{
    struct jfr_types *t = &r->types;

    if (e->class) {
        r->error =
            array_reserve(&t->classes, t->class_count + 1, &t->class_capacity, sizeof(*t->classes), JFR_CLASSES_MAX);
        if (r->error < 0)
            return;
        r->class = (int)t->class_count;
        t->classes[t->class_count] = e->c;
        t->classes[t->class_count++].first_field = (uint32_t)t->field_count;
    } else if (e->field && r->class != JFR_NONE) {
        r->error =
            array_reserve(&t->fields, t->field_count + 1, &t->field_capacity, sizeof(*t->fields), JFR_FIELDS_MAX);
        if (r->error < 0)
            return;
        t->fields[t->field_count++] = e->f;
        t->classes[r->class].field_count++;
    }
}

/* Classes are not within classes: the fields of one lie in a row. */
static void read_element(struct reading *r, unsigned depth)
{
    const struct jfr_text *name = text_at(r);
    struct element e = {.class = r->class == JFR_NONE && jfr_text_is(name, "class"),
                        .field = jfr_text_is(name, "field"),
                        .f = {.class = JFR_NONE}};
    uint64_t children;

    read_attributes(r, &e);
    if (!r->c.bad)
        add(r, &e);
    children = jfr_number(&r->c, 4);
    if (depth == DEPTH_MAX && children > 0)
        r->c.bad = true;
    for (uint64_t i = 0; i < children && !r->c.bad && r->error == 0; i++)
        read_element(r, depth + 1);
    if (e.class)
        r->class = JFR_NONE;
}

static int by_id(const void *a, const void *b)
{
    const struct jfr_class *x = a, *y = b;

    return x->id < y->id ? -1 : x->id > y->id;
}

int jfr_types_read(struct jfr_cursor body, struct jfr_types *ret)
{
    struct reading r = {.c = body, .class = JFR_NONE};
    int result;

    assert(ret);
    jfr_number(&r.c, 8); /* start, duration, id */
    jfr_number(&r.c, 8);
    jfr_number(&r.c, 8);
    if ((result = read_texts(&r)) == 0) {
        read_element(&r, 0);
        result = r.error < 0 ? r.error : r.c.bad || r.types.class_count == 0 ? -EBADMSG : 0;
    }
    free(r.texts);
    if (result < 0) {
        jfr_types_done(&r.types);
        return result == -ENOMEM ? result : -EBADMSG;
    }
    qsort(r.types.classes, r.types.class_count, sizeof(*r.types.classes), by_id);
    for (size_t i = 0; i < r.types.field_count; i++)
        r.types.fields[i].class = jfr_types_by_id(&r.types, r.types.fields[i].class_id);
    *ret = r.types;
    return 0;
}

void jfr_types_done(struct jfr_types *t)
{
    free(t->classes);
    free(t->fields);
    *t = (struct jfr_types){0};
}

int jfr_types_copy(const struct jfr_types *from, struct jfr_types *ret)
{
    struct jfr_types t = *from;

    t.class_capacity = t.class_count;
    t.field_capacity = t.field_count;
    t.classes = malloc((t.class_count + 1) * sizeof(*t.classes));
    t.fields = malloc((t.field_count + 1) * sizeof(*t.fields));
    if (!t.classes || !t.fields) {
        jfr_types_done(&t);
        return -ENOMEM;
    }
    memcpy(t.classes, from->classes, t.class_count * sizeof(*t.classes));
    if (t.field_count > 0)
        memcpy(t.fields, from->fields, t.field_count * sizeof(*t.fields));
    *ret = t;
    return 0;
}

int jfr_types_by_id(const struct jfr_types *t, uint64_t id)
{
    size_t from = 0, to = t->class_count;

    while (from < to) {
        size_t at = from + (to - from) / 2;

        if (t->classes[at].id == id)
            return (int)at;
        if (t->classes[at].id < id)
            from = at + 1;
        else
            to = at;
    }
    return JFR_NONE;
}

int jfr_types_by_name(const struct jfr_types *t, const char *name)
{
    for (size_t i = 0; i < t->class_count; i++)
        if (jfr_text_is(&t->classes[i].name, name))
            return (int)i;
    return JFR_NONE;
}

/* --- values --------------------------------------------------------------------------------------------------------
 */

static double real_of(uint64_t bits, unsigned width)
{
    uint32_t half = (uint32_t)bits;
    float single;
    double value;

    if (width == 4) {
        memcpy(&single, &half, sizeof(single));
        return (double)single;
    }
    memcpy(&value, &bits, sizeof(value));
    return value;
}

/* A value that is no struct. */
static void read_base(struct jfr_cursor *c, enum jfr_base base, struct jfr_value *v)
{
    switch (base) {
    case JFR_BOOLEAN:
    case JFR_BYTE:
        v->number = jfr_fixed(c, 1);
        break;
    case JFR_CHAR:
    case JFR_SHORT:
        v->number = jfr_number(c, 2);
        break;
    case JFR_INT:
        v->number = jfr_number(c, 4);
        break;
    case JFR_LONG:
        v->number = jfr_number(c, 8);
        break;
    case JFR_FLOAT:
        v->real = real_of(jfr_fixed(c, 4), 4);
        break;
    case JFR_DOUBLE:
        v->real = real_of(jfr_fixed(c, 8), 8);
        break;
    case JFR_STRING:
        v->text = jfr_text_read(c);
        break;
    case JFR_STRUCT:
        c->bad = true;
    }
}

static void skip(const struct jfr_types *t, struct jfr_cursor *c, int class, size_t *steps, unsigned depth);

static void skip_one(const struct jfr_types *t, struct jfr_cursor *c, const struct jfr_field *f, size_t *steps,
                     unsigned depth)
{
    if (f->constant)
        jfr_number(c, 8);
    else
        skip(t, c, f->class, steps, depth);
}

static void skip_field(const struct jfr_types *t, struct jfr_cursor *c, const struct jfr_field *f, size_t *steps,
                       unsigned depth)
{
    uint64_t count = f->array ? jfr_number(c, 4) : 1;

    for (uint64_t i = 0; i < count && !c->bad; i++) {
        if ((*steps)-- == 0) {
            *steps = 0;
            c->bad = true;
            return;
        }
        skip_one(t, c, f, steps, depth);
    }
}

static void skip(const struct jfr_types *t, struct jfr_cursor *c, int class, size_t *steps, unsigned depth)
{
    const struct jfr_class *k = class == JFR_NONE ? NULL : &t->classes[class];
    struct jfr_value ignored;

    if (!k || depth > DEPTH_MAX) {
        c->bad = true;
        return;
    }
    if (k->base != JFR_STRUCT) {
        read_base(c, k->base, &ignored);
        return;
    }
    for (uint32_t i = 0; i < k->field_count && !c->bad; i++)
        skip_field(t, c, &t->fields[k->first_field + i], steps, depth + 1);
}

bool jfr_value_skip(const struct jfr_types *t, struct jfr_cursor *c, int class, size_t *steps)
{
    skip(t, c, class, steps, 0);
    return !c->bad;
}

/* The place of a field among the wanted; NULL. */
static struct jfr_value *place_of(const struct jfr_wanted *w, const struct jfr_field *f)
{
    for (size_t i = 0; w->names[i]; i++)
        if (jfr_text_is(&f->name, w->names[i]))
            return &w->values[i];
    return NULL;
}

static bool is_simple(const struct jfr_types *t, const struct jfr_field *f)
{
    return !f->array && f->class != JFR_NONE && (f->constant || t->classes[f->class].base != JFR_STRUCT);
}

bool jfr_value_read(const struct jfr_types *t, struct jfr_cursor *c, int class, const struct jfr_wanted *wanted)
{
    const struct jfr_class *k = &t->classes[class];
    size_t missing = 0, steps = jfr_steps_for((size_t)(c->end - c->p));

    assert(class != JFR_NONE && wanted);
    for (; wanted->names[missing]; missing++)
        wanted->values[missing] = (struct jfr_value){.class = JFR_NONE};
    for (uint32_t i = 0; i < k->field_count && missing > 0 && !c->bad; i++) {
        const struct jfr_field *f = &t->fields[k->first_field + i];
        struct jfr_value *v = is_simple(t, f) ? place_of(wanted, f) : NULL;

        if (!v) {
            skip_field(t, c, f, &steps, 0);
            continue;
        }
        missing -= v->class == JFR_NONE;
        *v = (struct jfr_value){.class = f->class, .constant = f->constant};
        if (f->constant)
            v->number = jfr_number(c, 8);
        else
            read_base(c, t->classes[f->class].base, v);
    }
    return !c->bad;
}
