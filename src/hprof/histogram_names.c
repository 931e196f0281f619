/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The names that a histogram wants, by a second reading of the records before the heap.
 */
#include <assert.h>

#include "hprof/histogram_walk.h"

/* Of the window from `at` on. Returns the bytes of a record, or of what there is of it if it is no text; 0: more is
 * needed. */
static size_t read_name(struct histogram_stream *s, size_t at, int *ret_error)
{
    const struct heap_events events = {.ctx = s, .text = histogram_on_text};
    struct histogram_walk *w = s->walk;
    size_t have = w->filled - at;
    uint64_t size;

    if (have < HISTOGRAM_RECORD_HEAD)
        return 0;
    size = HISTOGRAM_RECORD_HEAD + (uint64_t)histogram_u32(w->window + at + 5);
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
