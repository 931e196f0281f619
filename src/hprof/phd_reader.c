/* SPDX-License-Identifier: Apache-2.0
 *
 * An address is a distance from the one of the record before; a short record has the number of one of the four classes
 * that were named last.
 */
#include "hprof/phd_reader.h"

#include <assert.h>
#include <errno.h>

#include "hprof/heap_reader.h"
#include "hprof/phd_tags.h"

enum { UNIT = 4, CACHE = 4 };

struct walk {
    const struct phd *header;
    const unsigned char *p, *end;
    bool short_of; /* the record is longer than what there is */
    uint64_t address;
    uint64_t cache[CACHE];
    unsigned oldest;
};

static uint64_t number(struct walk *w, unsigned size)
{
    uint64_t v = 0;

    if ((size_t)(w->end - w->p) < size) {
        w->short_of = true;
        w->p = w->end;
        return 0;
    }
    while (size-- > 0)
        v = v << 8 | *w->p++;
    return v;
}

static int64_t extend(uint64_t v, unsigned size)
{
    unsigned shift = size > 0 ? 64 - 8 * size : 0;

    return (int64_t)(v << shift) >> shift;
}

static uint64_t word(struct walk *w)
{
    return number(w, w->header->wide ? 8 : 4);
}

/* Addresses wrap around as the JVM's arithmetic does. */
static uint64_t distant(const struct phd_object *o, uint64_t v, unsigned size)
{
    return o->address + (uint64_t)extend(v, size) * UNIT;
}

static void move(struct walk *w, struct phd_object *o, unsigned size)
{
    o->address = w->address;
    w->address = o->address = distant(o, number(w, size), size);
}

static void skip(struct walk *w, uint64_t size)
{
    if ((uint64_t)(w->end - w->p) < size) {
        w->short_of = true;
        w->p = w->end;
    } else {
        w->p += size;
    }
}

static void hash(struct walk *w, bool has_one)
{
    if (w->header->hashed)
        skip(w, 2);
    else if (has_one)
        skip(w, 4);
}

static void array_size(struct walk *w)
{
    if (w->header->version >= 6)
        skip(w, 4);
}

static void references(struct walk *w, struct phd_object *o, uint32_t count, unsigned size)
{
    o->references = w->p;
    o->reference_count = count;
    o->reference_size = (unsigned char)size;
    skip(w, (uint64_t)count * size);
}

static void remember(struct walk *w, uint64_t class)
{
    w->cache[w->oldest] = class;
    w->oldest = (w->oldest + 1) % CACHE;
}

static void read_small_object(struct walk *w, struct phd_object *o, unsigned tag)
{
    move(w, o, (tag >> 2 & 1) + 1);
    if (tag & PHD_TAG_SHORT_OBJECT)
        o->class = w->cache[tag >> 5 & 3];
    else
        remember(w, o->class = word(w));
    hash(w, false);
    references(w, o, tag & PHD_TAG_SHORT_OBJECT ? tag >> 3 & 3 : tag >> 3 & 7, 1u << (tag & 3));
}

static unsigned char element(unsigned type)
{
    return (unsigned char)(HEAP_BOOLEAN + (type & 7)); /* the same order as hprof's */
}

static void read_primitives(struct walk *w, struct phd_object *o, unsigned tag)
{
    unsigned size = 1u << (tag & 3), width = size == 8 && w->header->ints ? 4 : size;

    o->kind = PHD_PRIMITIVE_ARRAY;
    o->type = element(tag >> 2);
    move(w, o, width);
    o->length = number(w, width);
    hash(w, false);
    array_size(w);
}

static void read_long_primitives(struct walk *w, struct phd_object *o, unsigned flags)
{
    unsigned size = flags & PHD_FLAG_IN_WORDS ? w->header->wide ? 8 : 4 : 1;

    o->kind = PHD_PRIMITIVE_ARRAY;
    o->type = element(flags >> 5);
    move(w, o, size);
    o->length = number(w, size);
    hash(w, flags & PHD_FLAG_HAS_HASH);
    array_size(w);
}

static void read_class(struct walk *w, struct phd_object *o, unsigned flags)
{
    o->kind = PHD_CLASS_OBJECT;
    move(w, o, 1u << (flags >> 6 & 3));
    o->instance_size = (uint32_t)number(w, 4);
    hash(w, flags & PHD_FLAG_CLASS_HAS_HASH);
    o->super = word(w);
    o->name_size = (uint16_t)number(w, 2);
    o->name = (const char *)w->p;
    skip(w, o->name_size);
    references(w, o, (uint32_t)number(w, 4), 1u << (flags >> 4 & 3));
}

static void read_object(struct walk *w, struct phd_object *o, unsigned tag, unsigned flags)
{
    bool array = tag != PHD_TAG_LONG_OBJECT;

    move(w, o, 1u << (flags >> 6 & 3));
    o->class = word(w);
    if (!array)
        remember(w, o->class);
    hash(w, flags & PHD_FLAG_HAS_HASH);
    references(w, o, (uint32_t)number(w, 4), 1u << (flags >> 4 & 3));
    if (!array)
        return;
    o->kind = PHD_OBJECT_ARRAY;
    o->length = tag == PHD_TAG_OBJECT_ARRAY ? number(w, 4) : o->reference_count;
    array_size(w);
}

/* False: no record begins here. */
static bool read_record(struct walk *w, struct phd_object *o)
{
    unsigned tag = (unsigned)number(w, 1);

    *o = (struct phd_object){0};
    if (tag & (PHD_TAG_SHORT_OBJECT | PHD_TAG_MEDIUM_OBJECT))
        read_small_object(w, o, tag);
    else if (tag & PHD_TAG_PRIMITIVE_ARRAY)
        read_primitives(w, o, tag);
    else if (tag == PHD_TAG_CLASS)
        read_class(w, o, (unsigned)number(w, 1));
    else if (tag == PHD_TAG_LONG_PRIMITIVE_ARRAY)
        read_long_primitives(w, o, (unsigned)number(w, 1));
    else if (tag >= PHD_TAG_LONG_OBJECT && tag <= PHD_TAG_OBJECT_ARRAY)
        read_object(w, o, tag, (unsigned)number(w, 1));
    else
        return false;
    return true;
}

uint64_t phd_reference(const struct phd_object *o, uint32_t i)
{
    const unsigned char *p = o->references + (size_t)i * o->reference_size;
    uint64_t v = 0;

    assert(i < o->reference_count);
    for (unsigned k = 0; k < o->reference_size; k++)
        v = v << 8 | p[k];
    return distant(o, v, o->reference_size);
}

int phd_reader_init(struct phd_reader *r, const void *data, size_t size)
{
    struct phd p;
    size_t at = 0;

    assert(r && (data || size == 0));
    phd_init(&p);
    while (p.state < PHD_TAG && at < size) {
        phd_feed(&p, (const char *)data + at, 1);
        at++;
    }
    if (p.state != PHD_TAG)
        return -EBADMSG;
    *r = (struct phd_reader){
        .header = p, .body = (const unsigned char *)data + at, .end = (const unsigned char *)data + size};
    return 0;
}

int phd_reader_walk(struct phd_reader *r, int (*fn)(void *ctx, const struct phd_object *o), void *ctx)
{
    struct walk w = {.header = &r->header, .p = r->body, .end = r->end};
    struct phd_object o;
    int result = 0;

    r->cut = NULL;
    while (result == 0) {
        if (w.p == w.end) {
            r->cut = "it ends without the tag that ends a portable heap dump";
            break;
        }
        if (*w.p == PHD_TAG_END)
            break;
        if (!read_record(&w, &o)) {
            r->cut = "no record where one should begin";
            break;
        }
        if (w.short_of) {
            r->cut = "it ends inside a record";
            break;
        }
        result = fn(ctx, &o);
    }
    return result;
}
