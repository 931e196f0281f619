/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. A window over the dump. What is not complete in it waits for more; contents that are not looked at are
 * skipped by their size.
 */
#include "hprof/histogram_stream.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hprof/histogram_walk.h"

enum { HEADER_SIZE = 31, MINOR_AT = 17, ALIGNMENT = 8 /* of objects */ };

int histogram_stream_new(bool keep_names, struct histogram_stream **ret)
{
    struct histogram_stream *s = calloc(1, sizeof(*s));

    assert(ret);
    if (!s)
        return -ENOMEM;
    s->keep_names = keep_names;
    s->region_size = HISTOGRAM_REGION_FIRST;
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
    s->region_size = HISTOGRAM_REGION_FIRST;
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
    return HISTOGRAM_RECORD_HEAD;
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
    if (have < HISTOGRAM_RECORD_HEAD)
        return 0;
    length = histogram_u32(p + 5);
    if (*p == 0) { /* a hole in the file, or a segment that was longer than its length says */
        s->cut = "zeros are in the place of a record";
        w->skip_to = UINT64_MAX;
        return HISTOGRAM_RECORD_HEAD;
    }
    if (*p == TAG_HEAP || *p == TAG_SEGMENT)
        return begin_segment(s, *p, length, begin + HISTOGRAM_RECORD_HEAD);
    w->ended |= *p == TAG_HEAP_END;
    w->had_end |= *p == TAG_HEAP_END;
    if (*p == TAG_TEXT)
        note_text(s, begin, begin + HISTOGRAM_RECORD_HEAD + length);
    if (length > HISTOGRAM_WINDOW - HISTOGRAM_RECORD_HEAD || (*p == TAG_TEXT && !s->keep_names)) {
        w->skip_to = begin + HISTOGRAM_RECORD_HEAD + length;
        return HISTOGRAM_RECORD_HEAD;
    }
    if (have < HISTOGRAM_RECORD_HEAD + (size_t)length)
        return 0;
    *ret_error = heap_reader_record(&s->format, p, HISTOGRAM_RECORD_HEAD + (size_t)length, &events);
    return HISTOGRAM_RECORD_HEAD + (size_t)length;
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
        return histogram_read_segment(s, at, ret_error);
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
