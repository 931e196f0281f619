/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Every length is compared with what is left before it is believed. An unknown tag inside a heap dump
 * has no length: the rest of that segment is skipped.
 */
#include "hprof/heap_reader.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "hprof/hprof.h"

enum { HEADER_SIZE = 31, RECORD_HEAD = 9, ID_SIZE_AT = 19 };
enum {
    TAG_TEXT = 0x01,
    TAG_LOAD_CLASS = 0x02,
    TAG_FRAME = 0x04,
    TAG_TRACE = 0x05,
    TAG_HEAP = 0x0C,
    TAG_SEGMENT = 0x1C,
    TAG_HEAP_END = 0x2C
};
#define LENGTHS (1ull << 32) /* lengths are modulo this */
enum {
    SUB_CLASS = 0x20,
    SUB_INSTANCE = 0x21,
    SUB_OBJECTS = 0x22,
    SUB_PRIMITIVES = 0x23,
    SUB_NO_DATA = 0xC3, /* Android: an array without its content */
    SUB_HEAP_INFO = 0xFE
};

struct walk {
    const struct heap_reader *r;
    const char **cut;
    const struct heap_events *events;
    const unsigned char *p, *end;
};

static uint16_t get_u16(const unsigned char *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get_u32(const unsigned char *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return __builtin_bswap32(v);
}

static uint64_t get_u64(const unsigned char *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return __builtin_bswap64(v);
}

uint64_t heap_id(const struct heap_reader *r, const unsigned char *p)
{
    return r->id_size == 8 ? get_u64(p) : get_u32(p);
}

unsigned heap_type_size(const struct heap_reader *r, unsigned type)
{
    static const unsigned char SIZES[HEAP_TYPE_END] = {
        [HEAP_BOOLEAN] = 1, [HEAP_CHAR] = 2,  [HEAP_FLOAT] = 4, [HEAP_DOUBLE] = 8,
        [HEAP_BYTE] = 1,    [HEAP_SHORT] = 2, [HEAP_INT] = 4,   [HEAP_LONG] = 8,
    };

    return type == HEAP_OBJECT ? r->id_size : type < HEAP_TYPE_END ? SIZES[type] : 0;
}

int heap_reader_init(struct heap_reader *r, const void *data, size_t size)
{
    const unsigned char *p = data;

    assert(r && (data || size == 0));
    *r = (struct heap_reader){.data = data, .size = size};
    if (size < HEADER_SIZE || !hprof_probe(data, HEADER_SIZE))
        return -EBADMSG;
    r->id_size = get_u32(p + ID_SIZE_AT);
    r->time_ms = (int64_t)get_u64(p + ID_SIZE_AT + 4);
    return r->id_size == 4 || r->id_size == 8 ? 0 : -EBADMSG;
}

static size_t left(const struct walk *w)
{
    return (size_t)(w->end - w->p);
}

/* Takes size bytes; NULL if there are fewer. */
static const unsigned char *take(struct walk *w, size_t size)
{
    const unsigned char *p = w->p;

    if (left(w) < size)
        return NULL;
    w->p += size;
    return p;
}

/* Ends the segment: what is left of it can't be read. */
static int cut(struct walk *w, const char *why)
{
    *w->cut = why;
    w->p = w->end;
    return 0;
}

static int walk_root(struct walk *w, unsigned char tag, unsigned more)
{
    size_t id_size = w->r->id_size;
    const unsigned char *p = take(w, id_size + (tag == HEAP_ROOT_JNI_GLOBAL ? id_size : more));
    struct heap_root_record root = {.kind = tag};

    if (!p)
        return cut(w, "it ends inside of a root");
    root.id = heap_id(w->r, p);
    if (more >= 4)
        root.thread = get_u32(p + id_size);
    if (more >= 8)
        root.frame = get_u32(p + id_size + 4);
    return w->events->root ? w->events->root(w->events->ctx, &root) : 0;
}

/* Skips `count` constants or statics: prefix bytes, a type, a value. False: cut short. */
static bool skip_values(struct walk *w, unsigned count, size_t prefix)
{
    for (; count > 0; count--) {
        const unsigned char *p = take(w, prefix + 1);
        unsigned size = p ? heap_type_size(w->r, p[prefix]) : 0;

        if (size == 0 || !take(w, size))
            return false;
    }
    return true;
}

static int walk_class(struct walk *w)
{
    size_t id = w->r->id_size;
    const unsigned char *p = take(w, 7 * id + 8 + 2);
    struct heap_class c;

    if (!p)
        return cut(w, "it ends inside of a class");
    c.id = heap_id(w->r, p);
    c.super = heap_id(w->r, p + id + 4);
    c.loader = heap_id(w->r, p + 2 * id + 4);
    c.holders = p + 3 * id + 4;
    c.instance_size = get_u32(p + 7 * id + 4);
    if (!skip_values(w, get_u16(p + 7 * id + 8), 2) || !(p = take(w, 2)))
        return cut(w, "it ends inside of a class");
    c.static_count = get_u16(p);
    c.statics = w->p;
    if (!skip_values(w, c.static_count, id) || !(p = take(w, 2)))
        return cut(w, "it ends inside of a class");
    c.field_count = get_u16(p);
    c.fields = w->p;
    if (!take(w, (size_t)c.field_count * (id + 1)))
        return cut(w, "it ends inside of a class");
    return w->events->class ? w->events->class(w->events->ctx, &c) : 0;
}

static int walk_instance(struct walk *w)
{
    size_t id = w->r->id_size;
    const unsigned char *p = take(w, 2 * id + 8);
    struct heap_instance o;

    if (!p)
        return cut(w, "it ends inside of an object");
    o.id = heap_id(w->r, p);
    o.class_id = heap_id(w->r, p + id + 4);
    o.size = get_u32(p + 2 * id + 4);
    if (!(o.data = take(w, o.size)))
        return cut(w, "it ends inside of an object");
    return w->events->instance ? w->events->instance(w->events->ctx, &o) : 0;
}

static int walk_array(struct walk *w, unsigned char tag)
{
    size_t id = w->r->id_size;
    unsigned size;
    const unsigned char *p = take(w, id + 8 + (tag == SUB_OBJECTS ? id : 1));
    struct heap_array a = {.type = HEAP_OBJECT};

    if (!p)
        return cut(w, "it ends inside of an array");
    a.id = heap_id(w->r, p);
    a.length = get_u32(p + id + 4);
    if (tag == SUB_OBJECTS)
        a.class_id = heap_id(w->r, p + id + 8);
    else
        a.type = p[id + 8];
    size = heap_type_size(w->r, a.type);
    if (size == 0)
        return cut(w, "an array of an unknown type");
    if (tag != SUB_NO_DATA && !(a.data = take(w, (size_t)a.length * size)))
        return cut(w, "it ends inside of an array");
    return w->events->array ? w->events->array(w->events->ctx, &a) : 0;
}

static int walk_heap_info(struct walk *w)
{
    const unsigned char *p = take(w, 4 + w->r->id_size);

    if (!p)
        return cut(w, "it ends inside of a heap's name");
    return w->events->heap ? w->events->heap(w->events->ctx, get_u32(p), heap_id(w->r, p + 4)) : 0;
}

static int walk_object(struct walk *w, unsigned char tag)
{
    switch (tag) {
    case SUB_INSTANCE:
        return walk_instance(w);
    case SUB_OBJECTS:
    case SUB_PRIMITIVES:
    case SUB_NO_DATA:
        return walk_array(w, tag);
    case SUB_CLASS:
        return walk_class(w);
    case HEAP_ROOT_UNKNOWN:
    case HEAP_ROOT_JNI_GLOBAL:
    case HEAP_ROOT_STICKY_CLASS:
    case HEAP_ROOT_MONITOR:
        return walk_root(w, tag, 0);
    case HEAP_ROOT_NATIVE_STACK:
    case HEAP_ROOT_THREAD_BLOCK:
        return walk_root(w, tag, 4);
    case HEAP_ROOT_JNI_LOCAL:
    case HEAP_ROOT_JAVA_FRAME:
    case HEAP_ROOT_THREAD:
    case 0x8E: /* Android: JNI monitor */
        return walk_root(w, tag == 0x8E ? HEAP_ROOT_OTHER : tag, 8);
    case 0x89: /* Android: interned string, finalizing, debugger, reference cleanup, VM internal, unreachable */
    case 0x8A:
    case 0x8B:
    case 0x8C:
    case 0x8D:
    case 0x90:
        return walk_root(w, HEAP_ROOT_OTHER, 0);
    case SUB_HEAP_INFO:
        return walk_heap_info(w);
    default:
        return cut(w, "an unknown record in the heap");
    }
}

static int walk_heap(struct walk *w)
{
    int r = 0;

    if (w->events->segment)
        return w->events->segment(w->events->ctx, w->p, w->end);
    while (r == 0 && w->p < w->end)
        r = walk_object(w, *w->p++);
    return r;
}

int heap_reader_walk_part(const struct heap_reader *r, struct heap_part *part, const struct heap_events *events)
{
    struct walk w = {r, &part->cut, events, part->from, part->end};
    int result = 0;

    assert(events && r->id_size && part->from <= part->end);
    while (result == 0 && w.p < w.end && w.p < part->to)
        result = walk_object(&w, *w.p++);
    part->to = w.p;
    return result;
}

static int walk_frame(struct walk *w)
{
    size_t id = w->r->id_size;
    const unsigned char *p = take(w, 4 * id + 8);
    struct heap_frame f;

    if (!p || !w->events->frame)
        return 0;
    f = (struct heap_frame){.id = heap_id(w->r, p),
                            .method = heap_id(w->r, p + id),
                            .signature = heap_id(w->r, p + 2 * id),
                            .source = heap_id(w->r, p + 3 * id),
                            .class_serial = get_u32(p + 4 * id),
                            .line = (int32_t)get_u32(p + 4 * id + 4)};
    return w->events->frame(w->events->ctx, &f);
}

static int walk_trace(struct walk *w)
{
    const unsigned char *p = take(w, 12);
    struct heap_trace t;

    if (!p || !w->events->trace)
        return 0;
    t = (struct heap_trace){.serial = get_u32(p), .thread = get_u32(p + 4), .count = get_u32(p + 8)};
    if (!(t.frames = take(w, (size_t)t.count * w->r->id_size)))
        return 0;
    return w->events->trace(w->events->ctx, &t);
}

static int walk_text(struct walk *w)
{
    const unsigned char *p = take(w, w->r->id_size);

    return p && w->events->text ? w->events->text(w->events->ctx, heap_id(w->r, p), (const char *)w->p, left(w)) : 0;
}

static int walk_load(struct walk *w)
{
    size_t id = w->r->id_size;
    const unsigned char *p = take(w, 8 + 2 * id);

    return p && w->events->load_class
               ? w->events->load_class(w->events->ctx, get_u32(p), heap_id(w->r, p + 4), heap_id(w->r, p + 8 + id))
               : 0;
}

static int walk_record(struct walk *w, unsigned char tag)
{
    switch (tag) {
    case TAG_TEXT:
        return walk_text(w);
    case TAG_LOAD_CLASS:
        return walk_load(w);
    case TAG_FRAME:
        return walk_frame(w);
    case TAG_TRACE:
        return walk_trace(w);
    case TAG_HEAP:
    case TAG_SEGMENT:
        return walk_heap(w);
    case TAG_HEAP_END:
        return w->events->dump_end ? w->events->dump_end(w->events->ctx) : 0;
    default:
        return 0;
    }
}

static bool is_heap_tag(unsigned char tag) /* no record within a heap begins so */
{
    return tag == TAG_HEAP || tag == TAG_SEGMENT || tag == TAG_HEAP_END;
}

/* Of a heap's body at p, when a record says `length`, and `left` bytes follow. A length of more than 32 bits is what is
 * left of it modulo 2^32, or 0 (JDK 11 and older, the hprof agent); 0 is also what an empty segment says, and one
 * whose length was never filled in. Such a body goes to the end, before which there may be a HEAP DUMP END. */
static uint64_t heap_length(const unsigned char *p, uint32_t length, uint64_t left)
{
    static const unsigned char NO_LENGTH[4] = {0};
    const unsigned char *end = p + left - RECORD_HEAD;
    bool has_end = left > RECORD_HEAD && *end == TAG_HEAP_END && memcmp(end + 5, NO_LENGTH, sizeof(NO_LENGTH)) == 0;

    if (length == 0 && (left == 0 || is_heap_tag(*p)))
        return 0;
    if (length == 0 || (left >= LENGTHS && (left - length) % LENGTHS == 0))
        return has_end ? left - RECORD_HEAD : left;
    return has_end && left > LENGTHS && (left - RECORD_HEAD - length) % LENGTHS == 0 ? left - RECORD_HEAD : length;
}

int heap_reader_walk(struct heap_reader *r, const struct heap_events *events)
{
    const unsigned char *p = r->data + HEADER_SIZE, *end = r->data + r->size;
    int result = 0;

    assert(events && r->id_size);
    r->cut = NULL;
    while (result == 0 && (size_t)(end - p) >= RECORD_HEAD) {
        struct walk w = {r, &r->cut, events, p + RECORD_HEAD, end};
        uint64_t length = get_u32(p + 5);
        unsigned char tag = *p;
        bool whole;

        if (tag == 0) { /* a hole in the file, or a segment that was longer than its length says */
            r->cut = "zeros are in the place of a record";
            break;
        }
        if (tag == TAG_HEAP || tag == TAG_SEGMENT)
            length = heap_length(w.p, (uint32_t)length, left(&w));
        whole = length <= left(&w);
        if (whole)
            w.end = w.p + length;
        else
            r->cut = "its last record is not whole";
        p = w.end;
        result = walk_record(&w, tag);
        if (result == 0 && tag == TAG_HEAP && length > 0 && whole && events->dump_end)
            result = events->dump_end(events->ctx);
    }
    if (result == 0 && p != end && !r->cut && end - p < RECORD_HEAD)
        r->cut = "it ends inside of a record";
    return result;
}

size_t heap_reader_object(struct heap_reader *r, const unsigned char *p, size_t size, const struct heap_events *events,
                          int *ret_error)
{
    struct walk w = {r, &r->cut, events, p + 1, p + size};

    assert(size > 0 && r->id_size && ret_error);
    r->cut = NULL;
    *ret_error = walk_object(&w, *p);
    return r->cut ? 0 : (size_t)(w.p - p);
}

int heap_reader_record(struct heap_reader *r, const unsigned char *p, size_t size, const struct heap_events *events)
{
    struct walk w = {r, &r->cut, events, p + RECORD_HEAD, p + size};

    assert(size >= RECORD_HEAD && r->id_size);
    return *p == TAG_HEAP || *p == TAG_SEGMENT ? 0 : walk_record(&w, *p);
}
