/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Classes, frames, traces, threads and names. Beyond a ceiling things are left out, and counted.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "hprof/histogram_stream.h"

enum { TEXT_KEPT_MAX = 1024 };

uint32_t histogram_class_of(struct histogram_stream *s, uint64_t id)
{
    uint32_t number = id_map_get(&s->class_of_id, id);

    if (number != ID_MAP_NONE)
        return number;
    if (array_reserve(&s->classes, s->class_count + 1, &s->class_capacity, sizeof(*s->classes), HISTOGRAM_CLASSES_MAX) <
            0 ||
        id_map_put(&s->class_of_id, id, (uint32_t)s->class_count) < 0)
        return UINT32_MAX;
    s->classes[s->class_count] = (struct histogram_class){.id = id, .least_gap = UINT32_MAX};
    return (uint32_t)s->class_count++;
}

int histogram_on_load_class(void *ctx, uint32_t serial, uint64_t id, uint64_t name)
{
    struct histogram_stream *s = ctx;
    uint32_t number = histogram_class_of(s, id);

    if (number == UINT32_MAX)
        return -E2BIG;
    s->classes[number].name_id = name;
    s->classes[number].serial = serial;
    return 0;
}

int histogram_on_class(void *ctx, const struct heap_class *c)
{
    struct histogram_stream *s = ctx;
    uint32_t number = histogram_class_of(s, c->id);
    struct histogram_class *one;

    if (number == UINT32_MAX)
        return -E2BIG;
    one = &s->classes[number];
    one->super = c->super;
    one->offset = s->record;
    one->own_data = one->own_refs = 0;
    for (unsigned i = 0; i < c->field_count; i++) {
        unsigned type = c->fields[(size_t)i * (s->format.id_size + 1) + s->format.id_size];

        one->own_data += heap_type_size(&s->format, type);
        one->own_refs += type == HEAP_OBJECT;
    }
    s->classes_dumped++;
    return static_arrays_add(s->statics, &s->format, c, number);
}

int histogram_on_frame(void *ctx, const struct heap_frame *frame)
{
    struct histogram_stream *s = ctx;
    int r = array_reserve(&s->frames, s->frame_count + 1, &s->frame_capacity, sizeof(*s->frames), HISTOGRAM_FRAMES_MAX);

    if (r == -E2BIG)
        s->frames_left_out++;
    if (r < 0)
        return r == -E2BIG ? 0 : r;
    s->frames[s->frame_count++] = *frame;
    return 0;
}

/* The frames of a trace have come just before it, one after the other. */
static uint32_t find_frame(const struct histogram_stream *s, uint64_t id, uint32_t guess)
{
    if (guess < s->frame_count && s->frames[guess].id == id)
        return guess;
    for (size_t i = s->frame_count; i > 0; i--)
        if (s->frames[i - 1].id == id)
            return (uint32_t)i - 1;
    return UINT32_MAX;
}

static int add_trace_frames(struct histogram_stream *s, const struct heap_trace *trace)
{
    uint32_t guess = UINT32_MAX;

    for (uint32_t i = 0; i < trace->count && s->trace_frame_count < HISTOGRAM_FRAMES_MAX; i++) {
        int r = array_reserve(&s->trace_frames, s->trace_frame_count + 1, &s->trace_frame_capacity,
                              sizeof(*s->trace_frames), HISTOGRAM_FRAMES_MAX);

        if (r < 0)
            return r;
        guess = find_frame(s, heap_id(&s->format, trace->frames + (size_t)i * s->format.id_size), guess + 1);
        if (guess == UINT32_MAX)
            s->frames_left_out++;
        else
            s->trace_frames[s->trace_frame_count++] = guess;
    }
    return 0;
}

int histogram_on_trace(void *ctx, const struct heap_trace *trace)
{
    struct histogram_stream *s = ctx;
    uint32_t first = (uint32_t)s->trace_frame_count;
    int r = array_reserve(&s->traces, s->trace_count + 1, &s->trace_capacity, sizeof(*s->traces), HISTOGRAM_FRAMES_MAX);

    if (r < 0)
        return r == -E2BIG ? 0 : r;
    if ((r = add_trace_frames(s, trace)) < 0)
        return r;
    s->traces[s->trace_count++] =
        (struct histogram_trace){trace->serial, trace->thread, first, (uint32_t)s->trace_frame_count - first};
    return 0;
}

int histogram_on_root(void *ctx, const struct heap_root_record *root)
{
    struct histogram_stream *s = ctx;
    int r;

    if (root->kind != HEAP_ROOT_THREAD)
        return 0;
    r = array_reserve(&s->threads, s->thread_count + 1, &s->thread_capacity, sizeof(*s->threads),
                      HISTOGRAM_THREADS_MAX);
    if (r < 0)
        return r == -E2BIG ? 0 : r;
    s->threads[s->thread_count++] = (struct histogram_thread){root->id, root->thread, root->frame};
    return 0;
}

/* Names of classes, methods and source files; no signature or sentence. */
static bool looks_like_name(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] <= ' ' || text[i] == '(' || text[i] == ')')
            return false;
    return size > 0;
}

static bool is_wanted(const struct histogram_stream *s, uint64_t id)
{
    size_t from = 0, to = s->wanted_count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (s->wanted[middle] == id)
            return true;
        if (s->wanted[middle] < id)
            from = middle + 1;
        else
            to = middle;
    }
    return false;
}

int histogram_on_text(void *ctx, uint64_t id, const char *text, size_t size)
{
    struct histogram_stream *s = ctx;
    size_t kept = size < TEXT_KEPT_MAX ? size : TEXT_KEPT_MAX;
    int r;

    if (s->wanted ? !is_wanted(s, id) : !looks_like_name(text, size))
        return 0;
    r = array_reserve(&s->names, s->name_bytes + kept, &s->name_capacity, 1, HISTOGRAM_NAMES_BYTES);
    if (r == 0)
        r = array_reserve(&s->texts, s->text_count + 1, &s->text_capacity, sizeof(*s->texts), HISTOGRAM_NAMES_BYTES);
    if (r == -E2BIG)
        s->names_left_out = true;
    if (r < 0)
        return r == -E2BIG ? 0 : r;
    if ((r = id_map_put(&s->text_of_id, id, (uint32_t)s->text_count)) < 0)
        return r;
    memcpy(s->names + s->name_bytes, text, kept);
    s->texts[s->text_count++] = (struct histogram_text){(uint32_t)s->name_bytes, (uint32_t)kept};
    s->name_bytes += kept;
    return 0;
}

struct heap_text_piece histogram_text_of(const struct histogram_stream *s, uint64_t id)
{
    uint32_t i = s->text_of_id.slots ? id_map_get(&s->text_of_id, id) : ID_MAP_NONE;

    if (i == ID_MAP_NONE)
        return (struct heap_text_piece){"", 0};
    return (struct heap_text_piece){s->names + s->texts[i].at, s->texts[i].size};
}
