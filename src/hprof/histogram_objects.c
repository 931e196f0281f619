/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The objects of a heap dump, counted: the loop that looks at every byte of it. Classes and roots are
 * left to hprof/heap_reader.h.
 */
#include <assert.h>

#include "hprof/histogram_walk.h"

enum { SMALL_ARRAY = 256 };
enum { SUB_INSTANCE = 0x21, SUB_OBJECTS = 0x22, SUB_PRIMITIVES = 0x23 };

static inline struct histogram_class *class_by_id(struct histogram_stream *s, uint64_t id, uint32_t *ret_number)
{
    struct histogram_walk *w = s->walk;
    size_t at = (size_t)(id * UINT64_C(0x9E3779B97F4A7C15) >> 54) & (HISTOGRAM_CACHE - 1);

    if (w->cache[at].id != id || id == 0) {
        uint32_t number = histogram_class_of(s, id);

        if (number == UINT32_MAX)
            return NULL;
        w->cache[at].id = id;
        w->cache[at].class = number;
    }
    *ret_number = w->cache[at].class;
    return &s->classes[*ret_number];
}

static void note_array_gap(struct histogram_stream *s, const struct histogram_class *c, uint64_t gap)
{
    layout_note_array(&s->evidence, c->element, s->walk->last.length, gap);
}

/* The distance from the object before, whose address is lower, is at least what that one takes. */
static inline void note_object(struct histogram_stream *s, uint64_t id, uint32_t number, uint32_t length)
{
    struct histogram_walk *w = s->walk;

    if (w->last.id && id > w->last.id) {
        struct histogram_class *before = &s->classes[w->last.class];
        uint64_t gap = id - w->last.id;

        if (before->element)
            note_array_gap(s, before, gap);
        else if (gap < before->least_gap)
            before->least_gap = (uint32_t)gap;
    }
    w->last.id = id;
    w->last.class = number;
    w->last.length = length;
    w->ids |= id;
    w->least = id < w->least ? id : w->least;
    w->most = id > w->most ? id : w->most;
    s->objects++;
}

static void note_large(struct histogram_stream *s, struct histogram_array array)
{
    unsigned at = s->largest_count;

    for (; at > 0 && s->largest[at - 1].bytes < array.bytes; at--)
        s->largest[at] = s->largest[at - 1];
    s->largest[at] = array;
    s->largest_count += s->largest_count < HISTOGRAM_ARRAYS_MAX;
}

/* A sample of one in sixteen, by the address: a new content costs more than all else about an array. */
static inline bool is_in_sample(uint64_t id)
{
    return (id >> 3) * UINT64_C(0x9E3779B97F4A7C15) >> 60 == 0;
}

static void note_content(struct histogram_stream *s, unsigned type, const unsigned char *data, uint32_t size)
{
    s->small_arrays++;
    s->small_bytes += size;
    repeats_add(s->repeats, type, data, size);
}

/* --- the heap --- */

enum step { STEP_NEXT, STEP_WAIT, STEP_CUT };

struct view {
    const unsigned char *p, *limit; /* records, up to the end of the window or of the segment */
    bool segment;                   /* limit is the end of the segment */
    uint64_t at;                    /* offset of limit */
};

/* More of the content than is in sight: it is skipped. */
static enum step skip_content(struct histogram_walk *w, struct view *v, uint64_t size)
{
    size_t have = (size_t)(v->limit - v->p);

    if (size <= have) {
        v->p += size;
        return STEP_NEXT;
    }
    w->skip_to = v->at + (size - have);
    w->counted = true;
    v->p = v->limit;
    return STEP_NEXT;
}

static bool overruns(const struct histogram_walk *w, const struct view *v, const unsigned char *p, uint64_t size)
{
    return size > w->segment_end - v->at + (uint64_t)(v->limit - p);
}

static enum step read_instance(struct histogram_stream *s, struct view *v)
{
    struct histogram_walk *w = s->walk;
    size_t id_size = s->format.id_size, head = 1 + 2 * id_size + 8;
    const unsigned char *p = v->p;
    struct histogram_class *c;
    uint32_t size, number;

    if ((size_t)(v->limit - p) < head)
        return STEP_WAIT;
    size = histogram_u32(p + head - 4);
    if (overruns(w, v, p + head, size))
        return STEP_CUT;
    if (!(c = class_by_id(s, histogram_id(p + 5 + id_size, id_size), &number)))
        return STEP_CUT;
    c->count++;
    note_object(s, histogram_id(p + 1, id_size), number, size);
    v->p += head;
    return skip_content(w, v, size);
}

static enum step read_array(struct histogram_stream *s, struct view *v, bool objects)
{
    struct histogram_walk *w = s->walk;
    size_t id_size = s->format.id_size, head = 1 + id_size + 8 + (objects ? id_size : 1);
    const unsigned char *p = v->p;
    unsigned type = HEAP_OBJECT, element;
    struct histogram_class *c;
    uint32_t length, number;
    uint64_t size, id;

    if ((size_t)(v->limit - p) < head)
        return STEP_WAIT;
    id = histogram_id(p + 1, id_size);
    length = histogram_u32(p + 5 + id_size);
    if (!objects)
        type = p[head - 1];
    element = heap_type_size(&s->format, type);
    size = (uint64_t)length * element;
    if (element == 0 || (!objects && type == HEAP_OBJECT) || overruns(w, v, p + head, size))
        return STEP_CUT;
    if (!objects && size <= SMALL_ARRAY && size > 0 && is_in_sample(id)) {
        if ((size_t)(v->limit - p) < head + size)
            return STEP_WAIT;
        note_content(s, type, p + head, (uint32_t)size);
    }
    if (objects)
        c = class_by_id(s, histogram_id(p + 9 + id_size, id_size), &number);
    else
        c = &s->classes[number = s->primitive[type]];
    if (!c)
        return STEP_CUT;
    if (!c->element)
        c->element = (unsigned char)type;
    c->count++;
    c->elements += length;
    c->rests[length & 7] += c->rests[length & 7] < UINT32_MAX;
    note_object(s, id, number, length);
    if (size >= STATIC_ARRAY_LEAST && static_arrays_may_have(s->statics, id))
        static_arrays_meet(s->statics, id,
                           &(struct static_field){.bytes = size, .array_class = number, .length = length});
    if (s->largest_count < HISTOGRAM_ARRAYS_MAX || size > s->largest[HISTOGRAM_ARRAYS_MAX - 1].bytes)
        note_large(s, (struct histogram_array){id, size, number, length, histogram_u32(p + 1 + id_size)});
    v->p += head;
    return skip_content(w, v, size);
}

/* Classes, roots, and what Android adds. */
static enum step read_other(struct histogram_stream *s, struct view *v, int *ret_error)
{
    static const struct heap_events EVENTS = {.root = histogram_on_root, .class = histogram_on_class};
    struct heap_events events = EVENTS;
    size_t size;

    events.ctx = s;
    s->record = v->at - (uint64_t)(v->limit - v->p);
    size = heap_reader_object(&s->format, v->p, (size_t)(v->limit - v->p), &events, ret_error);
    if (*ret_error < 0)
        return STEP_CUT;
    v->p += size;
    return size > 0 ? STEP_NEXT : STEP_WAIT;
}

/* The halves of a table that is full become one entry each. */
static void merge_regions(struct histogram_stream *s)
{
    for (size_t i = 0; i < s->region_count / 2; i++) {
        const struct histogram_region *a = &s->regions[2 * i], *b = a + 1;

        s->regions[i] =
            (struct histogram_region){a->offset, b->offset + b->size - a->offset,
                                      a->least < b->least ? a->least : b->least, a->most > b->most ? a->most : b->most};
    }
    s->region_count /= 2;
    s->region_size *= 2;
}

static void note_region(struct histogram_stream *s, uint64_t offset, uint64_t size)
{
    struct histogram_walk *w = s->walk;
    struct histogram_region *last = s->region_count > 0 ? &s->regions[s->region_count - 1] : NULL;

    assert(s->regions);
    if (w->most == 0)
        return;
    if (last && last->offset + last->size == offset && last->size < s->region_size) {
        last->size += size;
        last->least = w->least < last->least ? w->least : last->least;
        last->most = w->most > last->most ? w->most : last->most;
        return;
    }
    if (s->region_count == HISTOGRAM_REGIONS_MAX)
        merge_regions(s);
    s->regions[s->region_count++] = (struct histogram_region){offset, size, w->least, w->most};
}

static enum step read_objects(struct histogram_stream *s, struct view *v, int *ret_error)
{
    enum step step = STEP_NEXT;

    while (step == STEP_NEXT && v->p < v->limit) {
        switch (*v->p) {
        case SUB_INSTANCE:
            step = read_instance(s, v);
            break;
        case SUB_OBJECTS:
        case SUB_PRIMITIVES:
            step = read_array(s, v, *v->p == SUB_OBJECTS);
            break;
        case TAG_HEAP:
        case TAG_SEGMENT:
        case TAG_HEAP_END:
            if (s->walk->segment_end == UINT64_MAX)
                return STEP_NEXT; /* find_end */
            step = read_other(s, v, ret_error);
            break;
        default:
            step = read_other(s, v, ret_error);
        }
    }
    return step;
}

size_t histogram_read_segment(struct histogram_stream *s, size_t from, int *ret_error)
{
    struct histogram_walk *w = s->walk;
    uint64_t begin = s->offset + from, window_end = s->offset + w->filled;
    struct view v = {.p = w->window + from, .segment = w->segment_end <= window_end};
    enum step step;

    v.at = v.segment ? w->segment_end : window_end;
    v.limit = v.p + (v.at - begin);
    w->least = UINT64_MAX;
    w->most = 0;
    step = read_objects(s, &v, ret_error);
    note_region(s, begin, (uint64_t)(v.p - (w->window + from)));
    /* A record that does not fit into the window has no end that we could believe. */
    if (step == STEP_WAIT && (v.segment || (v.p == w->window && w->filled == HISTOGRAM_WINDOW)))
        step = STEP_CUT;
    if (step == STEP_CUT && *ret_error == 0) {
        s->cut = "it has records that make no sense";
        w->skip_to = w->segment_end;
        v.p = v.limit;
    }
    return (size_t)(v.p - (w->window + from));
}
