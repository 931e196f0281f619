/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The sentence and the JSON. Each text goes through base/jsonout.h; the rest is printed as it comes, as
 * a tree of tens of thousands of values would take more memory than the digest.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/java_name.h"
#include "base/jsonout.h"
#include "base/mem.h"
#include "base/text.h"
#include "hprof/heap_digest.h"

enum { CLASSES_MAX = 20000, FRAMES_MAX = 256, REPEATS_SHOWN = 10, SPARE = 64 * 1024, SAMPLED_ONE_IN = 16 };

/* --- the sentence --- */

/* Appends to text[SUMMARY_SENTENCE_MAX], as far as there is room. */
static void add(char *text, const char *more)
{
    size_t have = strlen(text);

    snprintf(text + have, SUMMARY_SENTENCE_MAX - have, "%s", more);
}

static void add_thread(const struct heap_digest *d, const struct digest_thread *t, char *text)
{
    char frame[DIGEST_FRAME_MAX] = "", words[2 * SUMMARY_SENTENCE_MAX];
    uint32_t i = 1;

    for (; i < t->trace->count; i++) /* the runtime's frames say less than the first of the program */
        if (!java_name_is_runtime(heap_digest_frame(d, d->s->trace_frames[t->trace->first + i], frame)))
            break;
    if (i == t->trace->count && i > 1)
        heap_digest_frame(d, d->s->trace_frames[t->trace->first + 1], frame);
    if (t->name)
        snprintf(words, sizeof(words), "Thread \"%.60s\" ran out of memory", t->name);
    else
        snprintf(words, sizeof(words), "A thread ran out of memory");
    add(text, words);
    if (i > 1 || t->trace->count > 1) {
        snprintf(words, sizeof(words), " at %.110s", frame);
        add(text, words);
    }
    add(text, "; ");
}

void heap_digest_summary(const struct heap_digest *d, struct summary *ret)
{
    struct summary s = {0};
    char size[TEXT_SIZE_MAX], words[SUMMARY_SENTENCE_MAX], name[DIGEST_NAME_MAX];

    assert(d && ret);
    if (d->thread_count > 0 && d->threads[0].out_of_memory)
        add_thread(d, &d->threads[0], s.sentence);
    snprintf(words, sizeof(words), "%s in %" PRIu64 " objects", text_format_size(d->bytes, size), d->s->objects);
    add(s.sentence, words);
    for (size_t i = 0; i < d->row_count && i < SUMMARY_ROWS_MAX; i++) {
        const struct histogram_class *c = &d->s->classes[d->rows[i].class];
        struct summary_row *row = &s.top[s.top_count++];

        snprintf(row->name, sizeof(row->name), "%s", heap_digest_class_name(d, d->rows[i].class, name));
        row->count = c->count;
        row->bytes = d->rows[i].bytes;
        snprintf(words, sizeof(words), "%s %.100s %s", i == 0 ? ":" : ",", row->name,
                 text_format_size(row->bytes, size));
        if (strlen(s.sentence) + strlen(words) < sizeof(s.sentence) && i < 3)
            add(s.sentence, words);
    }
    *ret = s;
}

/* --- JSON --- */

/* A text in quotes. */
static int put_text(struct buf *b, const char *text)
{
    json_auto_t *value = jsonout_text(text, DIGEST_FRAME_MAX);
    CLEANUP_FREE char *json = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;

    return json ? buf_add_text(b, json) : -ENOMEM;
}

/* Whether there is room for a further entry of a list. */
static bool has_room(const struct buf *b)
{
    return b->size < HEAP_DIGEST_MAX - SPARE;
}

static int put_classes(const struct heap_digest *d, struct buf *b)
{
    size_t i = 0;
    uint64_t left_out = 0;
    int r = buf_add_text(b, " \"classes\": [");

    for (; r == 0 && i < d->row_count && i < CLASSES_MAX && has_room(b); i++) {
        char name[DIGEST_NAME_MAX];

        if ((r = buf_add_text(b, i > 0 ? ",\n  {\"class\": " : "\n  {\"class\": ")) == 0 &&
            (r = put_text(b, heap_digest_class_name(d, d->rows[i].class, name))) == 0)
            r = buf_printf(b, ", \"count\": %" PRIu64 ", \"bytes\": %" PRIu64 "%s}",
                           d->s->classes[d->rows[i].class].count, d->rows[i].bytes,
                           d->rows[i].measured ? ", \"measured\": true" : "");
    }
    for (; i < d->row_count; i++)
        left_out++;
    return r < 0 ? r : buf_printf(b, "\n ],\n \"classes_left_out\": %" PRIu64 ",\n", left_out);
}

static int put_frames(const struct heap_digest *d, const struct histogram_trace *t, uint32_t from, struct buf *b)
{
    char frame[DIGEST_FRAME_MAX];
    int r = buf_add_text(b, ", \"frames\": [");

    for (uint32_t i = from; r == 0 && i < t->count && i < FRAMES_MAX && has_room(b); i++)
        if (i == from || (r = buf_add_text(b, ", ")) == 0)
            r = put_text(b, heap_digest_frame(d, d->s->trace_frames[t->first + i], frame));
    return r < 0 ? r : buf_add_text(b, "]");
}

static int put_thread(const struct heap_digest *d, const struct digest_thread *t, struct buf *b)
{
    int r = buf_printf(b, "{\"serial\": %" PRIu32, t->serial);

    if (r == 0 && t->name && (r = buf_add_text(b, ", \"name\": ")) == 0)
        r = put_text(b, t->name);
    if (r == 0 && t->out_of_memory)
        r = buf_add_text(b, ", \"out_of_memory\": true");
    if (r == 0 && t->trace)
        r = put_frames(d, t->trace, t->out_of_memory ? 1 : 0, b);
    return r < 0 ? r : buf_add_text(b, "}");
}

static int put_threads(const struct heap_digest *d, struct buf *b)
{
    size_t i = 0;
    int r = buf_add_text(b, " \"threads\": [");

    for (; r == 0 && i < d->thread_count && has_room(b); i++)
        if ((r = buf_add_text(b, i > 0 ? ",\n  " : "\n  ")) == 0)
            r = put_thread(d, &d->threads[i], b);
    return r < 0 ? r
                 : buf_printf(b, "\n ],\n \"threads_left_out\": %zu,\n \"frames_left_out\": %zu,\n",
                              d->thread_count - i, d->s->frames_left_out);
}

static const struct histogram_trace *allocation_of(const struct heap_digest *d, uint32_t serial)
{
    for (size_t i = 0; i < d->s->trace_count; i++)
        if (d->s->traces[i].serial == serial && d->s->traces[i].count > 0)
            return &d->s->traces[i];
    return NULL;
}

/* HotSpot's own dumps have no stack for objects, the hprof agent's do. */
static int put_largest(const struct heap_digest *d, struct buf *b)
{
    int r = buf_add_text(b, " \"largest_arrays\": [");

    for (unsigned i = 0; r == 0 && i < d->s->largest_count; i++) {
        const struct histogram_array *a = &d->s->largest[i];
        const struct histogram_class *c = &d->s->classes[a->class];
        const struct histogram_trace *trace = allocation_of(d, a->trace);
        unsigned element =
            c->element == HEAP_OBJECT ? d->layout.reference_bytes : heap_type_size(&d->s->format, c->element);
        char name[DIGEST_NAME_MAX];

        if ((r = buf_add_text(b, i > 0 ? ",\n  {\"class\": " : "\n  {\"class\": ")) < 0 ||
            (r = put_text(b, heap_digest_class_name(d, a->class, name))) < 0 ||
            (r = buf_printf(b, ", \"id\": \"0x%" PRIx64 "\", \"length\": %" PRIu32 ", \"bytes\": %" PRIu64, a->id,
                            a->length, layout_array_size(&d->layout, a->length, element))) < 0 ||
            (trace && (r = put_frames(d, trace, 0, b)) < 0))
            return r;
        r = buf_add_text(b, "}");
    }
    return r < 0 ? r : buf_add_text(b, "\n ],\n");
}

/* What a static refers to itself; its elements may hold more. */
static int put_static(const struct heap_digest *d, const struct static_row *row, struct buf *b)
{
    const struct static_field *f = &d->s->statics->field[row->largest];
    struct heap_text_piece name = histogram_text_of(d->s, f->name_id);
    char text[DIGEST_NAME_MAX];
    int r = buf_add_text(b, "{\"class\": ");

    if (r < 0 || (r = put_text(b, heap_digest_class_name(d, row->class, text))) < 0 ||
        (r = buf_printf(b, ", \"arrays\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"largest\": {\"field\": ", row->count,
                        row->bytes)) < 0)
        return r;
    snprintf(text, sizeof(text), "%.*s", name.size < sizeof(text) ? (int)name.size : (int)sizeof(text) - 1, name.text);
    if ((r = put_text(b, text)) < 0 || (r = buf_add_text(b, ", \"class\": ")) < 0 ||
        (r = put_text(b, heap_digest_class_name(d, f->array_class, text))) < 0)
        return r;
    return buf_printf(b, ", \"length\": %" PRIu32 "}}", f->length);
}

static int put_statics(const struct heap_digest *d, struct buf *b)
{
    size_t i = 0;
    int r = buf_add_text(b, " \"statics\": [");

    for (; r == 0 && i < d->static_count && i < DIGEST_STATICS_MAX && has_room(b); i++)
        if ((r = buf_add_text(b, i > 0 ? ",\n  " : "\n  ")) == 0)
            r = put_static(d, &d->statics[i], b);
    return r < 0 ? r
                 : buf_printf(b, "\n ],\n \"statics_left_out\": %zu,\n%s", d->static_count - i,
                              d->s->statics->left_out ? " \"statics_incomplete\": true,\n" : "");
}

/* The beginning of a content as text where it is one: printable ASCII, in bytes or in characters. */
static bool sample_text(const struct repeat *one, char out[REPEATS_SAMPLE + 1])
{
    unsigned step = one->type == HEAP_CHAR ? 2 : 1, n = 0;
    uint32_t size = one->size < REPEATS_SAMPLE ? one->size : REPEATS_SAMPLE;

    if (one->type != HEAP_BYTE && one->type != HEAP_CHAR)
        return false;
    for (uint32_t i = 0; i + step <= size; i += step) {
        unsigned char c = one->sample[i + step - 1];

        if (c < ' ' || c > '~' || (step == 2 && one->sample[i] != 0))
            return false;
        out[n++] = (char)c;
    }
    out[n] = '\0';
    return true;
}

static int put_repeat(const struct heap_digest *d, const struct repeat *one, struct buf *b)
{
    char text[REPEATS_SAMPLE + 1], name[DIGEST_NAME_MAX], hex[2 * REPEATS_SAMPLE + 1];
    bool is_text = sample_text(one, text);
    int r = buf_add_text(b, "{\"class\": ");

    text_hex(one->sample, one->size < REPEATS_SAMPLE ? one->size : REPEATS_SAMPLE, hex);
    if (r == 0)
        r = put_text(b, heap_digest_class_name(d, d->s->primitive[one->type], name));
    if (r == 0)
        r = buf_printf(b, ", \"size\": %" PRIu32 ", \"about\": %" PRIu64 ", \"%s\": ", one->size,
                       (one->count - one->error) * SAMPLED_ONE_IN, is_text ? "text" : "hex");
    if (r == 0)
        r = put_text(b, is_text ? text : hex);
    return r < 0 ? r : buf_add_text(b, "}");
}

static int put_repeats(const struct heap_digest *d, struct buf *b)
{
    const struct repeat *top[REPEATS_SHOWN];
    size_t count = repeats_top(d->s->repeats, top, REPEATS_SHOWN);
    int r = buf_printf(b, " \"repeated\": {\"sampled_one_in\": %d, \"arrays\": %" PRIu64 ", \"contents\": [",
                       SAMPLED_ONE_IN, d->s->small_arrays);

    for (size_t i = 0; r == 0 && i < count; i++)
        if ((r = buf_add_text(b, i > 0 ? ",\n  " : "\n  ")) == 0)
            r = put_repeat(d, top[i], b);
    return r < 0 ? r : buf_add_text(b, "\n ]}\n");
}

static int put_head(const struct heap_digest *d, const struct summary *summary, const char *partial, struct buf *b)
{
    const char *why = partial ? partial : d->s->cut;
    int r = buf_add_text(b, "{\n \"schema\": \"salvage.digest/1\",\n \"summary\": ");

    if (r == 0 && (r = put_text(b, summary->sentence)) == 0 && why && (r = buf_add_text(b, ",\n \"partial\": ")) == 0)
        r = put_text(b, why);
    if (r == 0)
        r = buf_printf(b,
                       ",\n \"objects\": %" PRIu64 ",\n \"bytes\": %" PRIu64 ",\n \"reference_bytes\": %u,\n"
                       " \"header_bytes\": %u,\n \"array_header_bytes\": %u,\n",
                       d->s->objects, d->bytes, d->layout.reference_bytes, d->layout.header_bytes,
                       d->layout.array_base);
    if (r == 0 && d->s->dumps > 1)
        r = buf_printf(b, " \"dumps\": %u,\n", d->s->dumps);
    return r < 0 || !d->s->names_left_out ? r : buf_add_text(b, " \"names_left_out\": true,\n");
}

int heap_digest_json(const struct heap_digest *d, const struct summary *summary, const char *partial, struct buf *ret)
{
    int r;

    assert(d && d->s && summary && ret);
    if ((r = put_head(d, summary, partial, ret)) < 0 || (r = put_largest(d, ret)) < 0 ||
        (r = put_statics(d, ret)) < 0 || (r = put_threads(d, ret)) < 0 || (r = put_classes(d, ret)) < 0 ||
        (r = put_repeats(d, ret)) < 0)
        return r;
    return buf_add_text(ret, "}\n");
}
