/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Names of threads: java.lang.Thread has a String, which has an array; in JDK 7 and older it has the
 * array. Three times the regions of the dump in which such objects may be are read again, no more than READ_MAX bytes.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "hprof/heap_digest.h"

enum {
    NAMED_MAX = 256,
    FIELDS_BYTES = 64 * 1024,
    NAME_CHARACTERS = 200,
    SUPERS_MAX = 1000,
    FILTER_BITS = 1 << 16,
    NONE = -1
};
enum {
    TAG_HEAP = 0x0C,
    TAG_SEGMENT = 0x1C,
    RECORD_HEAD = 9,
    SUB_INSTANCE = 0x21,
    SUB_OBJECTS = 0x22,
    SUB_BYTES = 0x23
};
#define READ_MAX (1ull << 30)

/* Where in a class's own fields they are; NONE. */
struct places {
    long name;                        /* of Thread */
    long value, coder, offset, count; /* of String; offset and count: JDK 6 */
};

struct one_name {
    uint64_t id;          /* of the object to be read next; 0: none */
    uint32_t thread;      /* its number */
    uint32_t from, count; /* JDK 6: characters of the array; count 0: all */
    unsigned char utf16;
};

struct naming {
    struct heap_digest *d;
    const struct heap_digest_source *source;
    uint32_t thread_class, string_class;
    struct places at;
    struct one_name name[NAMED_MAX];
    size_t count;
    unsigned char filter[FILTER_BITS / 8]; /* ids that are wanted, and some others */
    uint64_t read;
    struct heap_class found; /* its fields are valid within the event */
    unsigned char *fields;   /* owned */
};

/* --- fields --- */

static int on_fields(void *ctx, const struct heap_class *c)
{
    struct naming *n = ctx;
    size_t size = (size_t)c->field_count * (n->d->s->format.id_size + 1);

    free(n->fields);
    n->found = *c;
    if (!(n->fields = malloc(size + 1)))
        return -ENOMEM;
    memcpy(n->fields, c->fields, size);
    return 0;
}

/* Reads the class's record again: n->found, n->fields. 0, -ENOENT. */
static int read_class(struct naming *n, uint32_t class)
{
    const struct heap_events events = {.ctx = n, .class = on_fields};
    CLEANUP_FREE unsigned char *piece = malloc(FIELDS_BYTES);
    struct histogram_stream *s = n->d->s;
    int error = 0;
    ssize_t size;

    if (!piece)
        return -ENOMEM;
    if (class == UINT32_MAX || s->classes[class].offset == 0)
        return -ENOENT;
    size = n->source->read(n->source->ctx, piece, FIELDS_BYTES, s->classes[class].offset);
    if (size <= 0 || heap_reader_object(&s->format, piece, (size_t)size, &events, &error) == 0)
        return error < 0 ? error : -ENOENT;
    return n->fields && n->found.id == s->classes[class].id ? 0 : -ENOENT;
}

static int read_field_names(struct naming *n)
{
    unsigned step = n->d->s->format.id_size + 1, count = n->found.field_count;
    CLEANUP_FREE uint64_t *ids = malloc((count + 1) * sizeof(*ids));

    if (!ids)
        return -ENOMEM;
    for (unsigned i = 0; i < count; i++)
        ids[i] = heap_id(&n->d->s->format, n->fields + (size_t)i * step);
    return heap_digest_read_texts(n->d, n->source, ids, count);
}

static long place_of(const struct naming *n, const char *name)
{
    const struct histogram_stream *s = n->d->s;
    unsigned step = s->format.id_size + 1;
    long at = 0;

    for (unsigned i = 0; i < n->found.field_count; i++) {
        const unsigned char *field = n->fields + (size_t)i * step;
        struct heap_text_piece text = histogram_text_of(s, heap_id(&s->format, field));

        if (text.size == strlen(name) && memcmp(text.text, name, text.size) == 0)
            return at;
        at += (long)heap_type_size(&s->format, field[step - 1]);
    }
    return NONE;
}

static int find_places(struct naming *n)
{
    int r;

    n->thread_class = heap_digest_find_class(n->d, "java/lang/Thread");
    n->string_class = heap_digest_find_class(n->d, "java/lang/String");
    if ((r = read_class(n, n->thread_class)) < 0 || (r = read_field_names(n)) < 0)
        return r;
    n->at.name = place_of(n, "name");
    if ((r = read_class(n, n->string_class)) < 0 || (r = read_field_names(n)) < 0)
        return r;
    n->at.value = place_of(n, "value");
    n->at.coder = place_of(n, "coder");
    n->at.offset = place_of(n, "offset");
    n->at.count = place_of(n, "count");
    return n->at.name == NONE || n->at.value == NONE ? -ENOENT : 0;
}

/* --- objects --- */

/* The fields of `class` in an object of this class or one below it; NULL. */
static const unsigned char *fields_of(const struct naming *n, const struct heap_instance *o, uint32_t class,
                                      uint32_t *ret_left)
{
    const struct histogram_stream *s = n->d->s;
    uint32_t at = 0, one = id_map_get(&s->class_of_id, o->class_id);

    for (unsigned i = 0; one != ID_MAP_NONE && i < SUPERS_MAX; i++) {
        if (one == class) {
            *ret_left = o->size - at;
            return o->data + at;
        }
        at += s->classes[one].own_data;
        if (at > o->size || !s->classes[one].super)
            return NULL;
        one = id_map_get(&s->class_of_id, s->classes[one].super);
    }
    return NULL;
}

static bool is_inside(long place, unsigned size, uint32_t left)
{
    return place >= 0 && (uint64_t)place + size <= left;
}

static uint32_t get_u32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static unsigned filter_bit(uint64_t id)
{
    return (unsigned)(id >> 3) & (FILTER_BITS - 1);
}

static bool may_be_wanted(const struct naming *n, uint64_t id)
{
    return n->filter[filter_bit(id) / 8] & 1u << filter_bit(id) % 8;
}

/* The object that leads on to the name. */
static void want(struct naming *n, struct one_name *one, uint64_t id)
{
    one->id = id;
    n->filter[filter_bit(id) / 8] |= (unsigned char)(1u << filter_bit(id) % 8);
}

static void take_string(struct naming *n, struct one_name *one, const unsigned char *p, uint32_t left)
{
    unsigned id_size = n->d->s->format.id_size;

    want(n, one, is_inside(n->at.value, id_size, left) ? heap_id(&n->d->s->format, p + n->at.value) : 0);
    one->utf16 = is_inside(n->at.coder, 1, left) && p[n->at.coder];
    if (is_inside(n->at.offset, 4, left) && is_inside(n->at.count, 4, left)) {
        one->from = get_u32(p + n->at.offset);
        one->count = get_u32(p + n->at.count);
    }
}

static int on_instance(void *ctx, const struct heap_instance *o)
{
    struct naming *n = ctx;

    if (!may_be_wanted(n, o->id))
        return 0;
    for (size_t i = 0; i < n->count; i++) {
        struct one_name *one = &n->name[i];
        const unsigned char *p;
        uint32_t left = 0;

        if (one->id != o->id)
            continue;
        if ((p = fields_of(n, o, n->string_class, &left)))
            take_string(n, one, p, left);
        else if ((p = fields_of(n, o, n->thread_class, &left)) && is_inside(n->at.name, n->d->s->format.id_size, left))
            want(n, one, heap_id(&n->d->s->format, p + n->at.name));
        else
            one->id = 0;
    }
    return 0;
}

static int add_character(struct buf *b, unsigned c)
{
    const char two[] = {(char)(0xC0 | c >> 6), (char)(0x80 | (c & 0x3F))};
    const char three[] = {(char)(0xE0 | c >> 12), (char)(0x80 | (c >> 6 & 0x3F)), (char)(0x80 | (c & 0x3F))};
    const char one = (char)c;

    if (c < 0x80)
        return buf_add(b, &one, 1);
    if (c < 0x800)
        return buf_add(b, two, sizeof(two));
    if (c >= 0xD800 && c < 0xE000) /* one half of a character beyond 16 bits */
        return buf_add(b, "?", 1);
    return buf_add(b, three, sizeof(three));
}

static int set_name(struct naming *n, struct one_name *one, const struct heap_array *a)
{
    CLEANUP(buf_done) struct buf text = {0};
    bool chars = a->type == HEAP_CHAR;
    uint32_t length = one->utf16 && !chars ? a->length / 2 : a->length, from = one->count ? one->from : 0;
    uint32_t to = one->count ? one->count : length;

    one->id = 0;
    if (!a->data || (a->type != HEAP_BYTE && !chars) || from > length || to > length - from)
        return 0;
    to = from + (to < NAME_CHARACTERS ? to : NAME_CHARACTERS);
    for (size_t i = from; i < to; i++) {
        unsigned c = chars        ? (unsigned)a->data[2 * i] << 8 | a->data[2 * i + 1]
                     : one->utf16 ? (unsigned)a->data[2 * i + 1] << 8 | a->data[2 * i]
                                  : a->data[i];

        if (c == 0 || add_character(&text, c) < 0)
            break;
    }
    free(n->d->threads[one->thread].name);
    n->d->threads[one->thread].name = buf_take(&text);
    return n->d->threads[one->thread].name ? 0 : -ENOMEM;
}

static int on_array(void *ctx, const struct heap_array *a)
{
    struct naming *n = ctx;
    int r = 0;

    if (!may_be_wanted(n, a->id))
        return 0;
    for (size_t i = 0; i < n->count && r == 0; i++)
        if (n->name[i].id == a->id)
            r = set_name(n, &n->name[i], a);
    return r;
}

/* --- regions --- */

/* Bytes of an object's record, by its head alone; 0: it is none. */
static uint64_t record_size(const struct heap_reader *f, const unsigned char *p)
{
    size_t id = f->id_size;

    switch (*p) {
    case SUB_INSTANCE:
        return 1 + 2 * id + 8 + (uint64_t)get_u32(p + 2 * id + 5);
    case SUB_OBJECTS:
        return 1 + 2 * id + 8 + (uint64_t)get_u32(p + id + 5) * id;
    case SUB_BYTES:
        return 1 + id + 9 + (uint64_t)get_u32(p + id + 5) * heap_type_size(f, p[id + 9]);
    default:
        return 0;
    }
}

/* Reads objects from offset `at` on; returns how far it has come, 0: no further. */
static uint64_t read_piece(struct naming *n, uint64_t at, unsigned char *piece, const struct heap_events *events)
{
    ssize_t size = n->source->read(n->source->ctx, piece, HISTOGRAM_WINDOW, at);
    size_t done = 0, step = 1;
    int error = 0;

    if (size < 64)
        return 0;
    n->read += (uint64_t)size;
    while (step > 0 && error == 0 && done < (size_t)size) {
        if (piece[done] == TAG_HEAP || piece[done] == TAG_SEGMENT)
            step = RECORD_HEAD;
        else
            step = heap_reader_object(&n->d->s->format, piece + done, (size_t)size - done, events, &error);
        done += step;
    }
    if (error < 0)
        return 0;
    return done > 0 ? done : record_size(&n->d->s->format, piece);
}

static bool has_wanted(const struct naming *n, const struct histogram_region *region)
{
    for (size_t i = 0; i < n->count; i++)
        if (n->name[i].id >= region->least && n->name[i].id <= region->most && n->name[i].id)
            return true;
    return false;
}

static int read_objects(struct naming *n)
{
    const struct heap_events events = {.ctx = n, .instance = on_instance, .array = on_array};
    CLEANUP_FREE unsigned char *piece = malloc(HISTOGRAM_WINDOW);
    const struct histogram_stream *s = n->d->s;

    if (!piece)
        return -ENOMEM;
    for (size_t i = 0; i < s->region_count && n->read < READ_MAX; i++) {
        const struct histogram_region *region = &s->regions[i];

        if (!has_wanted(n, region))
            continue;
        for (uint64_t at = region->offset, step = 1; step > 0 && at < region->offset + region->size; at += step)
            step = read_piece(n, at, piece, &events);
    }
    return 0;
}

int heap_digest_name_threads(struct heap_digest *d, const struct heap_digest_source *source)
{
    CLEANUP_FREE struct naming *n = calloc(1, sizeof(*n));
    int r;

    assert(d && source);
    if (!n)
        return -ENOMEM;
    n->d = d;
    n->source = source;
    r = find_places(n);
    free(n->fields);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    for (size_t i = 0; i < d->thread_count && i < NAMED_MAX; i++) {
        n->name[n->count] = (struct one_name){.thread = (uint32_t)i};
        want(n, &n->name[n->count++], d->threads[i].id);
    }
    for (unsigned step = 0; step < 3; step++)
        if ((r = read_objects(n)) < 0)
            return r;
    return 0;
}
