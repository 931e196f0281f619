/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The records outside of the heap: texts, classes' names, frames, stacks; and where the heap's segments
 * are.
 */
#include "hprof/heap_names.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"

enum { SEGMENTS_MAX = 1 << 26 };

struct names {
    struct heap *h;
    struct heap_segments *segments;
    size_t first;                   /* segment of the dump that is read */
    size_t whole_first, whole_last; /* segments of the last whole dump; the same: there is none */
};

static int on_text(void *ctx, uint64_t id, const char *text, size_t size)
{
    struct heap *h = ((struct names *)ctx)->h;
    int r;

    if ((r = array_reserve(&h->texts, h->text_count + 1, &h->text_capacity, sizeof(*h->texts), HEAP_TEXTS_MAX)) < 0 ||
        (r = id_map_put(&h->text_of_id, id, (uint32_t)h->text_count)) < 0)
        return r;
    h->texts[h->text_count++] = (struct heap_text){text, (uint32_t)size};
    return 0;
}

static int on_load_class(void *ctx, uint32_t serial, uint64_t id, uint64_t name)
{
    struct heap *h = ((struct names *)ctx)->h;
    uint32_t type = heap_type_for(h, id);

    if (type == HEAP_NONE)
        return -ENOMEM;
    h->types[type].name_id = name;
    return id_map_put(&h->type_of_serial, serial, type);
}

static int on_frame(void *ctx, const struct heap_frame *frame)
{
    struct heap *h = ((struct names *)ctx)->h;
    int r;

    if ((r = array_reserve(&h->frames, h->frame_count + 1, &h->frame_capacity, sizeof(*h->frames), HEAP_FRAMES_MAX)) <
            0 ||
        (r = id_map_put(&h->frame_of_id, frame->id, (uint32_t)h->frame_count)) < 0)
        return r;
    h->frames[h->frame_count++] = *frame;
    return 0;
}

static int on_trace(void *ctx, const struct heap_trace *trace)
{
    struct heap *h = ((struct names *)ctx)->h;
    int r;

    if ((r = array_reserve(&h->traces, h->trace_count + 1, &h->trace_capacity, sizeof(*h->traces), HEAP_FRAMES_MAX)) <
            0 ||
        (r = id_map_put(&h->trace_of_serial, trace->serial, (uint32_t)h->trace_count)) < 0)
        return r;
    h->traces[h->trace_count++] = *trace;
    return 0;
}

static int on_segment(void *ctx, const unsigned char *from, const unsigned char *end)
{
    struct heap_segments *s = ((struct names *)ctx)->segments;
    int r = array_reserve(&s->segment, s->count + 1, &s->capacity, sizeof(*s->segment), SEGMENTS_MAX);

    if (r < 0 || from == end)
        return r;
    s->segment[s->count++] = (struct heap_part){.from = from, .to = end, .end = end};
    return 0;
}

static int on_dump_end(void *ctx)
{
    struct names *n = ctx;

    if (n->segments->count > n->first) { /* a HEAP DUMP of 1.0.2 may have a HEAP DUMP END behind it */
        n->whole_first = n->first;
        n->whole_last = n->first = n->segments->count;
        n->h->dumps++;
    }
    return 0;
}

/* Of several dumps the last that is whole; if none is, all that there is. */
static void choose_dump(struct names *n)
{
    struct heap_segments *s = n->segments;
    size_t rest = s->count - n->first;

    if (rest > 0)
        n->h->dumps++;
    if (n->h->dumps < 2)
        return;
    memmove(s->segment, s->segment + n->whole_first, (n->whole_last - n->whole_first) * sizeof(*s->segment));
    s->count = n->whole_last - n->whole_first;
    if (rest > 0)
        n->h->reader.cut = NULL; /* the one behind it is */
    n->h->dump_shown = n->h->dumps - (rest > 0);
}

int heap_names_read(struct heap *h, struct heap_segments *ret)
{
    struct names n = {.h = h, .segments = ret};
    int r = heap_reader_walk(&h->reader, &(struct heap_events){.ctx = &n,
                                                               .text = on_text,
                                                               .load_class = on_load_class,
                                                               .frame = on_frame,
                                                               .trace = on_trace,
                                                               .segment = on_segment,
                                                               .dump_end = on_dump_end});

    if (r == 0)
        choose_dump(&n);
    return r;
}
