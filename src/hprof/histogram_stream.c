/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. A window over the dump. What is not complete in it waits for more; contents that are not looked at are
 * skipped by their size. Objects are read here, all other records by hprof/heap_reader.h.
 */
#include "hprof/histogram_stream.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { HEADER_SIZE = 31, MINOR_AT = 17, RECORD_HEAD = 9, CACHE = 1024, SMALL_ARRAY = 256, REGION_FIRST = 256 * 1024 };
enum { TAG_TEXT = 0x01, TAG_HEAP = 0x0C, TAG_SEGMENT = 0x1C, TAG_HEAP_END = 0x2C };
enum { ALIGNMENT = 8 }; /* of objects */
enum { SUB_INSTANCE = 0x21, SUB_OBJECTS = 0x22, SUB_PRIMITIVES = 0x23 };

struct histogram_walk {
    unsigned char *window;
    size_t filled;
    uint64_t skip_to;     /* offset of the next record; behind the window: all until there is not looked at */
    uint64_t segment_end; /* offset; 0: between records */
    bool begun;           /* the header was read */
    bool has_end;         /* the format has a HEAP DUMP END: 1.0.2 and newer */
    bool no_length;       /* the segment that begins says that it has 0 bytes */
    bool whole_dump;      /* the last segment that is not empty was all of a dump: a HEAP DUMP */
    bool had_end;         /* behind that segment was a HEAP DUMP END */
    unsigned char tag;    /* of the segment */
    bool ended;           /* HEAP DUMP END was the last of what matters */
    bool counted;         /* the object that is being skipped */
    struct {
        uint64_t id; /* 0: none */
        uint32_t class, length;
    } last;              /* object */
    uint64_t names_skip; /* bytes, while names are read */
    uint64_t least, most;
    uint64_t ids; /* bits of all */
    struct {
        uint64_t id;
        uint32_t class;
    } cache[CACHE];
};

static uint32_t get_u32(const unsigned char *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return __builtin_bswap32(v);
}

/* Of 8 or 4 bytes. */
static inline uint64_t get_id(const unsigned char *p, size_t size)
{
    uint64_t v;

    if (size == 4)
        return get_u32(p);
    memcpy(&v, p, sizeof(v));
    return __builtin_bswap64(v);
}

int histogram_stream_new(bool keep_names, struct histogram_stream **ret)
{
    struct histogram_stream *s = calloc(1, sizeof(*s));

    assert(ret);
    if (!s)
        return -ENOMEM;
    s->keep_names = keep_names;
    s->region_size = REGION_FIRST;
    s->dumps = 1;
    s->repeats = calloc(1, sizeof(*s->repeats));
    s->statics = calloc(1, sizeof(*s->statics));
    s->regions = calloc(HISTOGRAM_REGIONS_MAX, sizeof(*s->regions));
    s->walk = calloc(1, sizeof(*s->walk));
    if (s->walk)
        s->walk->window = malloc(HISTOGRAM_WINDOW);
    for (unsigned type = HEAP_BOOLEAN; s->walk && type < HEAP_TYPE_END; type++) {
        s->primitive[type] = histogram_class_of(s, UINT64_MAX - type); /* no object has such an address */
        if (s->primitive[type] != UINT32_MAX)
            s->classes[s->primitive[type]].element = (unsigned char)type;
    }
    if (!s->repeats || !s->statics || !s->regions || !s->walk || !s->walk->window ||
        s->class_count != HEAP_TYPE_END - HEAP_BOOLEAN) {
        histogram_stream_free(s);
        return -ENOMEM;
    }
    *ret = s;
    return 0;
}

void histogram_stream_free(struct histogram_stream *s)
{
    if (!s)
        return;
    if (s->walk)
        free(s->walk->window);
    free(s->walk);
    free(s->repeats);
    if (s->statics)
        static_arrays_done(s->statics);
    free(s->statics);
    free(s->regions);
    free(s->classes);
    free(s->frames);
    free(s->traces);
    free(s->trace_frames);
    free(s->threads);
    free(s->names);
    free(s->texts);
    id_map_done(&s->class_of_id);
    id_map_done(&s->text_of_id);
    free(s);
}

/* --- objects --- */

static inline struct histogram_class *class_by_id(struct histogram_stream *s, uint64_t id, uint32_t *ret_number)
{
    struct histogram_walk *w = s->walk;
    size_t at = (size_t)(id * UINT64_C(0x9E3779B97F4A7C15) >> 54) & (CACHE - 1);

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
    size = get_u32(p + head - 4);
    if (overruns(w, v, p + head, size))
        return STEP_CUT;
    if (!(c = class_by_id(s, get_id(p + 5 + id_size, id_size), &number)))
        return STEP_CUT;
    c->count++;
    note_object(s, get_id(p + 1, id_size), number, size);
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
    id = get_id(p + 1, id_size);
    length = get_u32(p + 5 + id_size);
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
        c = class_by_id(s, get_id(p + 9 + id_size, id_size), &number);
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
        note_large(s, (struct histogram_array){id, size, number, length, get_u32(p + 1 + id_size)});
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

/* Records of a segment; returns how many bytes of them. */
static size_t read_segment(struct histogram_stream *s, size_t from, int *ret_error)
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

/* --- records --- */

/* What was counted is of an earlier dump in the same file (the hprof agent's). Names and stacks are of all. */
static void begin_again(struct histogram_stream *s)
{
    for (size_t i = 0; i < s->class_count; i++) {
        struct histogram_class *c = &s->classes[i];

        c->count = c->elements = 0;
        c->least_gap = UINT32_MAX;
        memset(c->rests, 0, sizeof(c->rests));
    }
    static_arrays_done(s->statics);
    memset(s->repeats, 0, sizeof(*s->repeats));
    s->evidence = (struct layout_evidence){0};
    s->objects = s->classes_dumped = s->small_arrays = s->small_bytes = 0;
    s->thread_count = s->region_count = 0;
    s->region_size = REGION_FIRST;
    s->largest_count = 0;
    s->cut = NULL;
    s->walk->last.id = s->walk->ids = 0;
    s->dumps++;
}

/* A segment that is not empty. */
static void begin_dump(struct histogram_stream *s, unsigned char tag)
{
    struct histogram_walk *w = s->walk;

    if (s->objects + s->classes_dumped > 0 && (w->had_end || w->whole_dump))
        begin_again(s);
    w->had_end = false;
    w->whole_dump = tag == TAG_HEAP;
}

static size_t begin_segment(struct histogram_stream *s, unsigned char tag, uint32_t length, uint64_t body)
{
    struct histogram_walk *w = s->walk;

    if (length > 0)
        begin_dump(s, tag);
    w->ended = false;
    w->tag = tag;
    w->no_length = length == 0;
    w->segment_end = body + length;
    return RECORD_HEAD;
}

static bool is_heap_tag(unsigned char tag) /* no record within a heap begins so */
{
    return tag == TAG_HEAP || tag == TAG_SEGMENT || tag == TAG_HEAP_END;
}

/* One that has no length is empty, or goes to the end of the file, before which there may be a HEAP DUMP END: it has
 * more than 4 GiB, or its length was never filled in. */
static void find_end(struct histogram_stream *s, size_t at)
{
    struct histogram_walk *w = s->walk;
    bool ends = is_heap_tag(w->window[at]);

    if (w->no_length && !ends) {
        w->segment_end = UINT64_MAX;
        begin_dump(s, w->tag);
    }
    w->no_length = false;
    if (w->segment_end == UINT64_MAX && ends)
        w->segment_end = 0;
}

static void note_text(struct histogram_stream *s, uint64_t from, uint64_t to)
{
    if (s->texts_to == 0)
        s->texts_from = from;
    s->texts_to = to;
}

/* One that is not of the heap. Returns its bytes; 0: it is not complete. */
static size_t read_record(struct histogram_stream *s, size_t from, int *ret_error)
{
    static const struct heap_events EVENTS = {.text = histogram_on_text,
                                              .load_class = histogram_on_load_class,
                                              .frame = histogram_on_frame,
                                              .trace = histogram_on_trace};
    struct histogram_walk *w = s->walk;
    const unsigned char *p = w->window + from;
    struct heap_events events = EVENTS;
    uint64_t begin = s->offset + from;
    size_t have = w->filled - from;
    uint32_t length;

    events.ctx = s;
    if (have < RECORD_HEAD)
        return 0;
    length = get_u32(p + 5);
    if (*p == 0) { /* a hole in the file, or a segment that was longer than its length says */
        s->cut = "zeros are in the place of a record";
        w->skip_to = UINT64_MAX;
        return RECORD_HEAD;
    }
    if (*p == TAG_HEAP || *p == TAG_SEGMENT)
        return begin_segment(s, *p, length, begin + RECORD_HEAD);
    w->ended |= *p == TAG_HEAP_END;
    w->had_end |= *p == TAG_HEAP_END;
    if (*p == TAG_TEXT)
        note_text(s, begin, begin + RECORD_HEAD + length);
    if (length > HISTOGRAM_WINDOW - RECORD_HEAD || (*p == TAG_TEXT && !s->keep_names)) {
        w->skip_to = begin + RECORD_HEAD + length;
        return RECORD_HEAD;
    }
    if (have < RECORD_HEAD + (size_t)length)
        return 0;
    *ret_error = heap_reader_record(&s->format, p, RECORD_HEAD + (size_t)length, &events);
    return RECORD_HEAD + (size_t)length;
}

static size_t read_header(struct histogram_stream *s, int *ret_error)
{
    if (s->walk->filled < HEADER_SIZE)
        return 0;
    *ret_error = heap_reader_init(&s->format, s->walk->window, HEADER_SIZE);
    s->walk->begun = true;
    s->walk->has_end = s->walk->window[MINOR_AT] != '1';
    return HEADER_SIZE;
}

/* From the window's byte `at` on: how many are done; 0: more is needed. */
static size_t read_next(struct histogram_stream *s, size_t at, int *ret_error)
{
    struct histogram_walk *w = s->walk;
    uint64_t offset = s->offset + at, have = w->filled - at;

    if (w->skip_to > offset)
        return (size_t)(w->skip_to - offset < have ? w->skip_to - offset : have);
    w->counted = false;
    if (!w->begun)
        return read_header(s, ret_error);
    find_end(s, at);
    if (w->segment_end > offset)
        return read_segment(s, at, ret_error);
    w->segment_end = 0;
    return read_record(s, at, ret_error);
}

void *histogram_stream_space(struct histogram_stream *s, size_t *ret_size)
{
    assert(s && ret_size && s->walk->filled < HISTOGRAM_WINDOW);
    *ret_size = HISTOGRAM_WINDOW - s->walk->filled;
    return s->walk->window + s->walk->filled;
}

int histogram_stream_filled(struct histogram_stream *s, size_t size)
{
    struct histogram_walk *w = s->walk;
    size_t at = 0, done;
    int error = 0;

    assert(size <= HISTOGRAM_WINDOW - w->filled);
    w->filled += size;
    while (at < w->filled && error == 0 && (done = read_next(s, at, &error)) > 0)
        at += done;
    if (error < 0)
        return error;
    memmove(w->window, w->window + at, w->filled - at);
    w->filled -= at;
    s->offset += at;
    return 0;
}

uint64_t histogram_stream_skip(struct histogram_stream *s, uint64_t most)
{
    struct histogram_walk *w = s->walk;

    if (w->filled == 0 && w->skip_to > s->offset)
        s->offset = w->skip_to < most ? w->skip_to : most > s->offset ? most : s->offset;
    return s->offset + w->filled;
}

int histogram_stream_feed(struct histogram_stream *s, const void *data, size_t size)
{
    const unsigned char *p = data;
    int r = 0;

    while (size > 0 && r == 0) {
        size_t room, n;
        void *space = histogram_stream_space(s, &room);

        n = size < room ? size : room;
        memcpy(space, p, n);
        r = histogram_stream_filled(s, n);
        p += n;
        size -= n;
    }
    return r;
}

/* Where ids are numbers (the hprof agent's), their distances say nothing. */
static void forget_gaps(struct histogram_stream *s)
{
    s->evidence = (struct layout_evidence){0};
    for (size_t i = 0; i < s->class_count; i++)
        s->classes[i].least_gap = UINT32_MAX;
}

void histogram_stream_end(struct histogram_stream *s)
{
    struct histogram_walk *w = s->walk;
    bool inside = w->skip_to > s->offset && w->skip_to != UINT64_MAX;

    if (inside && w->counted && w->last.id) {
        struct histogram_class *c = &s->classes[w->last.class];

        c->count--;
        s->objects--;
        if (c->element) {
            c->elements -= w->last.length;
            c->rests[w->last.length & 7]--;
        }
    }
    if (w->ids % ALIGNMENT != 0)
        forget_gaps(s);
    if (!s->cut && (w->filled > 0 || inside || (w->segment_end > s->offset && w->segment_end != UINT64_MAX)))
        s->cut = "it ends inside of a record";
    if (!s->cut && w->begun && !w->ended && w->has_end)
        s->cut = "it has no HEAP DUMP END record";
    w->filled = 0;
}

/* --- names, by a second reading --- */

/* Of the window from `at` on. Returns the bytes of a record, or of what there is of it if it is no text; 0: more is
 * needed. */
static size_t read_name(struct histogram_stream *s, size_t at, int *ret_error)
{
    const struct heap_events events = {.ctx = s, .text = histogram_on_text};
    struct histogram_walk *w = s->walk;
    size_t have = w->filled - at;
    uint64_t size;

    if (have < RECORD_HEAD)
        return 0;
    size = RECORD_HEAD + (uint64_t)get_u32(w->window + at + 5);
    if (w->window[at] != TAG_TEXT || size > HISTOGRAM_WINDOW) {
        w->names_skip = size > have ? size - have : 0;
        return size > have ? have : (size_t)size;
    }
    if (size > have)
        return 0;
    *ret_error = heap_reader_record(&s->format, w->window + at, (size_t)size, &events);
    return (size_t)size;
}

uint64_t histogram_stream_names_skip(struct histogram_stream *s)
{
    uint64_t skip = s->walk->names_skip;

    s->walk->names_skip = 0;
    return skip;
}

int histogram_stream_read_names(struct histogram_stream *s, const void *data, size_t size)
{
    struct histogram_walk *w = s->walk;
    const unsigned char *p = data;
    int r = 0;

    assert(s->wanted && w->names_skip == 0);
    while (size > 0 && r == 0) {
        size_t n = size < HISTOGRAM_WINDOW - w->filled ? size : HISTOGRAM_WINDOW - w->filled, at = 0, step = 1;

        memcpy(w->window + w->filled, p, n);
        w->filled += n;
        p += n;
        size -= n;
        while (r == 0 && step > 0 && at < w->filled) {
            step = read_name(s, at, &r);
            at += step;
        }
        memmove(w->window, w->window + at, w->filled - at);
        w->filled -= at;
        if (w->names_skip > 0) {
            uint64_t behind = w->names_skip < size ? w->names_skip : size;

            w->names_skip -= behind;
            p += behind;
            size -= (size_t)behind;
        }
    }
    return r;
}

void histogram_stream_names_end(struct histogram_stream *s)
{
    s->walk->filled = 0;
    s->walk->names_skip = 0;
}
