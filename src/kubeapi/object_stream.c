/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts braces outside of strings; what is in an object is the JSON parser's to judge.
 */
#include "kubeapi/object_stream.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/err.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Whether what comes now is the list of items. */
static bool at_items(const struct object_stream *s)
{
    static const char key[] = "\"items\":";
    size_t size = sizeof(key) - 1, have = s->around.size;

    return s->depth == 1 && have > size && memcmp(s->around.data + have - size, key, size) == 0 &&
           s->around.data[have - size - 1] != '\\';
}

static int keep_around(struct object_stream *s, char c)
{
    s->around.ceiling = OBJECT_AROUND_MAX;
    int r = buf_add(&s->around, &c, 1);

    return r == -EMSGSIZE ? -FAULT_FORMAT : r;
}

/* Outside of objects. */
static int take_around(struct object_stream *s, char c)
{
    bool begins = c == '{' && s->depth == (s->list ? 2 : 0) && (!s->list || s->in_items);

    if (begins) {
        s->in_object = true;
        s->dropped = false;
        buf_clear(&s->object);
        return 0;
    }
    if (is_space(c))
        return 0;
    if (!s->list)
        return -FAULT_FORMAT;
    if (s->in_items && s->depth == 2) {
        if (c == ',')
            return 0;
        if (c != ']')
            return -FAULT_FORMAT;
        s->in_items = false;
        s->depth--;
        return keep_around(s, c);
    }
    if (c == '[' && at_items(s))
        s->in_items = true;
    if (c == '{' || c == '[') {
        if (++s->depth > OBJECT_DEPTH_MAX)
            return -FAULT_FORMAT;
    } else if (c == '}' || c == ']') {
        if (s->depth == 0)
            return -FAULT_FORMAT;
        s->depth--;
    } else if (s->depth == 0) {
        return -FAULT_FORMAT;
    } else if (c == '"') {
        s->in_string = true;
    }
    return keep_around(s, c);
}

static int take_in_string(struct object_stream *s, char c)
{
    if (s->escaped)
        s->escaped = false;
    else if (c == '\\')
        s->escaped = true;
    else if (c == '"')
        s->in_string = false;
    return keep_around(s, c);
}

/* The object goes on to here, at most; ret_ended: it ended before. Returns how many bytes are of it. */
static size_t scan_object(struct object_stream *s, const char *data, size_t size, unsigned base, bool *ret_ended)
{
    for (size_t i = 0; i < size; i++) {
        char c = data[i];

        if (s->in_string) {
            if (s->escaped)
                s->escaped = false;
            else if (c == '\\')
                s->escaped = true;
            else if (c == '"')
                s->in_string = false;
        } else if (c == '"') {
            s->in_string = true;
        } else if (c == '{' || c == '[') {
            s->depth++;
        } else if ((c == '}' || c == ']') && --s->depth == base) {
            *ret_ended = true;
            return i + 1;
        }
    }
    return size;
}

static int end_object(struct object_stream *s)
{
    int r = 0;

    s->in_object = false;
    if (s->dropped)
        s->too_large++;
    else
        r = s->take(s->ctx, buf_text(&s->object), s->object.size);
    if (s->object.capacity > OBJECT_MEMORY_KEPT)
        buf_done(&s->object);
    return r;
}

/* Returns how many bytes were taken, or a failure. */
static ssize_t take_object(struct object_stream *s, const char *data, size_t size)
{
    bool ended = false;
    size_t n = scan_object(s, data, size, s->list ? 2 : 0, &ended);
    int r;

    s->object.ceiling = OBJECT_MAX;
    if (!s->dropped && (r = buf_add(&s->object, data, n)) < 0) {
        if (r != -EMSGSIZE)
            return r;
        s->dropped = true;
        buf_done(&s->object);
    }
    if (ended && (r = end_object(s)) < 0)
        return r;
    return (ssize_t)n;
}

int object_stream_feed(struct object_stream *s, const char *data, size_t size)
{
    assert(s->take && (data || size == 0));
    for (size_t at = 0; at < size;) {
        int r = 0;

        if (s->in_object) {
            ssize_t n = take_object(s, data + at, size - at);

            if (n < 0)
                return (int)n;
            at += (size_t)n;
            continue;
        }
        r = s->in_string ? take_in_string(s, data[at]) : take_around(s, data[at]);
        if (r < 0)
            return r;
        at += !s->in_object; /* the brace that begins an object is part of it */
    }
    return 0;
}

bool object_stream_is_whole(const struct object_stream *s)
{
    return s->depth == 0 && !s->in_object && !s->in_string && (!s->list || s->around.size > 0);
}

void object_stream_done(struct object_stream *s)
{
    buf_done(&s->around);
    buf_done(&s->object);
}
