/* SPDX-License-Identifier: Apache-2.0
 *
 * Small heap dumps of HotSpot's format (1.0.2, ids of 8 bytes), record by record. Ids are the caller's: multiples of 8,
 * other than 0. Objects of one call each; a class before its instances.
 */
#pragma once

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "hprof/heap_reader.h"

enum { DUMP_MAX = 1 << 20 };

struct dump {
    unsigned char data[DUMP_MAX];
    size_t size;
    uint64_t texts; /* given ids so far */
    uint32_t serial;
    size_t length_at; /* of the current heap segment's length; 0: outside of one */
};

static inline void dump_u(struct dump *d, uint64_t value, unsigned bytes)
{
    assert(d->size + bytes <= DUMP_MAX);
    while (bytes-- > 0)
        d->data[d->size++] = (unsigned char)(value >> (8 * bytes));
}

static inline void dump_bytes(struct dump *d, const void *data, size_t size)
{
    assert(d->size + size <= DUMP_MAX);
    memcpy(d->data + d->size, data, size);
    d->size += size;
}

static inline void dump_begin(struct dump *d)
{
    d->size = d->length_at = 0;
    d->texts = 0;
    d->serial = 0;
    dump_bytes(d, "JAVA PROFILE 1.0.2", 19);
    dump_u(d, 8, 4);
    dump_u(d, 0, 8);
}

static inline void dump_segment_end(struct dump *d)
{
    size_t size = d->size;

    if (!d->length_at)
        return;
    d->size = d->length_at;
    dump_u(d, size - d->length_at - 4, 4);
    d->size = size;
    d->length_at = 0;
}

static inline void dump_record(struct dump *d, unsigned tag, uint32_t size)
{
    dump_segment_end(d);
    dump_u(d, tag, 1);
    dump_u(d, 0, 4);
    dump_u(d, size, 4);
}

/* What follows is inside the heap. */
static inline void dump_heap(struct dump *d)
{
    if (d->length_at)
        return;
    dump_record(d, 0x1C, 0);
    d->length_at = d->size - 4;
}

static inline void dump_end(struct dump *d)
{
    dump_record(d, 0x2C, 0);
}

/* The id of a name. */
static inline uint64_t dump_text(struct dump *d, const char *text)
{
    dump_record(d, 0x01, (uint32_t)(8 + strlen(text)));
    dump_u(d, 0x1000 + ++d->texts, 8);
    dump_bytes(d, text, strlen(text));
    return 0x1000 + d->texts;
}

struct dump_field {
    const char *name;
    enum heap_type type;
    uint64_t value; /* of a static one */
};

struct dump_class {
    uint64_t id, super, loader;
    const char *name; /* "com/shop/Cart" */
    const struct dump_field *fields, *statics;
    unsigned field_count, static_count;
};

static inline unsigned dump_type_size(enum heap_type type)
{
    static const unsigned char SIZE[] = {
        [HEAP_OBJECT] = 8, [HEAP_BOOLEAN] = 1, [HEAP_CHAR] = 2, [HEAP_FLOAT] = 4, [HEAP_DOUBLE] = 8,
        [HEAP_BYTE] = 1,   [HEAP_SHORT] = 2,   [HEAP_INT] = 4,  [HEAP_LONG] = 8};

    return SIZE[type];
}

static inline void dump_class(struct dump *d, const struct dump_class *c)
{
    uint64_t name = dump_text(d, c->name), text[64];
    uint32_t size = 0;

    assert(c->field_count + c->static_count <= 64);
    for (unsigned i = 0; i < c->static_count; i++)
        text[i] = dump_text(d, c->statics[i].name);
    for (unsigned i = 0; i < c->field_count; i++) {
        text[c->static_count + i] = dump_text(d, c->fields[i].name);
        size += dump_type_size(c->fields[i].type);
    }
    dump_record(d, 0x02, 24);
    dump_u(d, ++d->serial, 4);
    dump_u(d, c->id, 8);
    dump_u(d, 0, 4);
    dump_u(d, name, 8);
    dump_heap(d);
    dump_u(d, 0x20, 1);
    dump_u(d, c->id, 8);
    dump_u(d, 0, 4);
    dump_u(d, c->super, 8);
    dump_u(d, c->loader, 8);
    for (unsigned i = 0; i < 4; i++)
        dump_u(d, 0, 8);
    dump_u(d, size, 4);
    dump_u(d, 0, 2);
    dump_u(d, c->static_count, 2);
    for (unsigned i = 0; i < c->static_count; i++) {
        dump_u(d, text[i], 8);
        dump_u(d, c->statics[i].type, 1);
        dump_u(d, c->statics[i].value, dump_type_size(c->statics[i].type));
    }
    dump_u(d, c->field_count, 2);
    for (unsigned i = 0; i < c->field_count; i++) {
        dump_u(d, text[c->static_count + i], 8);
        dump_u(d, c->fields[i].type, 1);
    }
}

/* The fields' values follow: size bytes, by dump_u. */
static inline void dump_instance(struct dump *d, uint64_t id, uint64_t class_id, uint32_t size)
{
    dump_heap(d);
    dump_u(d, 0x21, 1);
    dump_u(d, id, 8);
    dump_u(d, 0, 4);
    dump_u(d, class_id, 8);
    dump_u(d, size, 4);
}

/* The elements follow. */
static inline void dump_array(struct dump *d, uint64_t id, uint64_t class_id, uint32_t length)
{
    dump_heap(d);
    dump_u(d, 0x22, 1);
    dump_u(d, id, 8);
    dump_u(d, 0, 4);
    dump_u(d, length, 4);
    dump_u(d, class_id, 8);
}

static inline void dump_primitives(struct dump *d, uint64_t id, enum heap_type type, const void *data, uint32_t length)
{
    dump_heap(d);
    dump_u(d, 0x23, 1);
    dump_u(d, id, 8);
    dump_u(d, 0, 4);
    dump_u(d, length, 4);
    dump_u(d, type, 1);
    dump_bytes(d, data, (size_t)length * dump_type_size(type));
}

/* A sticky class: kept by the JVM. */
static inline void dump_root(struct dump *d, uint64_t id)
{
    dump_heap(d);
    dump_u(d, HEAP_ROOT_STICKY_CLASS, 1);
    dump_u(d, id, 8);
}

/* A local of a thread (by its serial) in a frame. */
static inline void dump_local(struct dump *d, uint64_t id, uint32_t thread, uint32_t frame)
{
    dump_heap(d);
    dump_u(d, HEAP_ROOT_JAVA_FRAME, 1);
    dump_u(d, id, 8);
    dump_u(d, thread, 4);
    dump_u(d, frame, 4);
}

static inline void dump_thread(struct dump *d, uint64_t id, uint32_t thread)
{
    dump_heap(d);
    dump_u(d, HEAP_ROOT_THREAD, 1);
    dump_u(d, id, 8);
    dump_u(d, thread, 4);
    dump_u(d, 0, 4);
}
