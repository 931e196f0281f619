/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Names are looked up last: they stand before the heap, and only some of them are wanted.
 */
#include "hprof/heap_digest.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/java_name.h"
#include "base/mem.h"
#include "base/text.h"

enum { SUPERS_MAX = 1000, SERIALS_MAX = 1 << 20, PIECE = 256 * 1024 };

static int compare_ids(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

int heap_digest_read_texts(struct heap_digest *d, const struct heap_digest_source *source, uint64_t *ids, size_t count)
{
    struct histogram_stream *s = d->s;
    CLEANUP_FREE char *piece = source ? malloc(PIECE) : NULL;
    int r = 0;

    if (!source || count == 0)
        return 0;
    if (!piece)
        return -ENOMEM;
    qsort(ids, count, sizeof(*ids), compare_ids);
    s->wanted = ids;
    s->wanted_count = count;
    for (uint64_t at = s->texts_from; r == 0 && at < s->texts_to;) {
        uint64_t left = s->texts_to - at;
        ssize_t n = source->read(source->ctx, piece, left < PIECE ? (size_t)left : PIECE, at);

        if (n <= 0)
            break;
        r = histogram_stream_read_names(s, piece, (size_t)n);
        at += (uint64_t)n;
        at += histogram_stream_names_skip(s);
    }
    histogram_stream_names_end(s);
    s->wanted = NULL;
    s->wanted_count = 0;
    return r;
}

static int read_names(struct heap_digest *d, const struct heap_digest_source *source)
{
    const struct histogram_stream *s = d->s;
    CLEANUP_FREE uint64_t *ids = malloc((s->class_count + 2 * s->frame_count + DIGEST_STATICS_MAX + 1) * sizeof(*ids));
    size_t count = 0;

    if (!ids)
        return -ENOMEM;
    for (size_t i = 0; i < s->class_count; i++)
        if (s->classes[i].name_id)
            ids[count++] = s->classes[i].name_id;
    for (size_t i = 0; i < s->frame_count; i++) {
        ids[count++] = s->frames[i].method;
        ids[count++] = s->frames[i].source;
    }
    for (size_t i = 0; i < d->static_count && i < DIGEST_STATICS_MAX; i++)
        ids[count++] = s->statics->field[d->statics[i].largest].name_id;
    return heap_digest_read_texts(d, source, ids, count);
}

/* As the heap has them: the dump's references are longer. */
static void size_statics(struct heap_digest *d)
{
    struct static_arrays *statics = d->s->statics;

    for (size_t i = 0; i < statics->count; i++) {
        struct static_field *f = &statics->field[i];
        unsigned type = f->bytes > 0 ? d->s->classes[f->array_class].element : HEAP_OBJECT;

        if (f->bytes > 0)
            f->bytes = layout_array_size(&d->layout, f->length,
                                         type == HEAP_OBJECT ? d->layout.reference_bytes
                                                             : heap_type_size(&d->s->format, type));
    }
}

/* The hprof agent has dots in names. */
static bool is_class_name(struct heap_text_piece text, const char *name)
{
    size_t size = strlen(name);

    if (text.size != size)
        return false;
    for (size_t i = 0; i < size; i++)
        if (text.text[i] != name[i] && (text.text[i] != '.' || name[i] != '/'))
            return false;
    return true;
}

uint32_t heap_digest_find_class(const struct heap_digest *d, const char *name)
{
    for (size_t i = 0; i < d->s->class_count; i++)
        if (is_class_name(histogram_text_of(d->s, d->s->classes[i].name_id), name))
            return (uint32_t)i;
    return UINT32_MAX;
}

const char *heap_digest_class_name(const struct heap_digest *d, uint32_t class, char out[DIGEST_NAME_MAX])
{
    static const char *const ARRAYS[HEAP_TYPE_END] = {
        [HEAP_BOOLEAN] = "boolean[]", [HEAP_CHAR] = "char[]",   [HEAP_FLOAT] = "float[]", [HEAP_DOUBLE] = "double[]",
        [HEAP_BYTE] = "byte[]",       [HEAP_SHORT] = "short[]", [HEAP_INT] = "int[]",     [HEAP_LONG] = "long[]"};
    const struct histogram_class *c = &d->s->classes[class];
    struct heap_text_piece text = histogram_text_of(d->s, c->name_id);

    if (class < HEAP_TYPE_END - HEAP_BOOLEAN)
        snprintf(out, DIGEST_NAME_MAX, "%s", ARRAYS[c->element]);
    else if (text.size > 0)
        java_name(text.text, text.size, out, DIGEST_NAME_MAX);
    else
        snprintf(out, DIGEST_NAME_MAX, "class at 0x%" PRIx64, c->id);
    return out;
}

const char *heap_digest_frame(const struct heap_digest *d, uint32_t frame, char out[DIGEST_FRAME_MAX])
{
    const struct heap_frame *f = &d->s->frames[frame];
    struct heap_text_piece method = histogram_text_of(d->s, f->method), source = histogram_text_of(d->s, f->source);
    uint32_t class = f->class_serial < d->serials ? d->class_of_serial[f->class_serial] : UINT32_MAX;
    char name[DIGEST_NAME_MAX] = "?", place[340];

    if (class != UINT32_MAX)
        heap_digest_class_name(d, class, name);
    if (f->line == -3)
        snprintf(place, sizeof(place), "native");
    else if (f->line > 0)
        snprintf(place, sizeof(place), "%.*s:%d", (int)(source.size < 300 ? source.size : 300), source.text, f->line);
    else
        snprintf(place, sizeof(place), "%.*s", (int)(source.size < 300 ? source.size : 300), source.text);
    snprintf(out, DIGEST_FRAME_MAX, "%s.%.*s(%s)", name, (int)(method.size < 300 ? method.size : 300), method.text,
             place);
    return out;
}

static int map_serials(struct heap_digest *d)
{
    const struct histogram_stream *s = d->s;
    uint32_t most = 0;

    for (size_t i = 0; i < s->class_count; i++)
        if (s->classes[i].serial > most && s->classes[i].serial < SERIALS_MAX)
            most = s->classes[i].serial;
    if (!(d->class_of_serial = malloc(((size_t)most + 1) * sizeof(*d->class_of_serial))))
        return -ENOMEM;
    d->serials = (size_t)most + 1;
    memset(d->class_of_serial, 0xFF, d->serials * sizeof(*d->class_of_serial));
    for (size_t i = 0; i < s->class_count; i++)
        if (s->classes[i].serial > 0 && s->classes[i].serial <= most)
            d->class_of_serial[s->classes[i].serial] = (uint32_t)i;
    return 0;
}

/* Of an instance's data, with superclasses. */
static struct layout_class layout_of(const struct histogram_stream *s, const struct histogram_class *c)
{
    struct layout_class sum = {.count = c->count, .least_gap = c->least_gap};

    for (unsigned i = 0; i < SUPERS_MAX; i++) {
        uint32_t super;

        sum.data += c->own_data;
        sum.references += c->own_refs;
        if (!c->super || (super = id_map_get(&s->class_of_id, c->super)) == ID_MAP_NONE)
            break;
        c = &s->classes[super];
    }
    return sum;
}

/* All arrays of a class: their lengths' sum, and how many have which rest, are enough for what alignment adds. */
static uint64_t array_bytes(const struct heap_digest *d, const struct histogram_class *c)
{
    unsigned element =
        c->element == HEAP_OBJECT ? d->layout.reference_bytes : heap_type_size(&d->s->format, c->element);
    uint64_t bytes = c->elements * element;

    for (unsigned rest = 0; rest < 8; rest++)
        bytes += c->rests[rest] * (layout_array_size(&d->layout, rest, element) - (uint64_t)rest * element);
    return bytes;
}

static int more_bytes_first(const void *a, const void *b)
{
    const struct digest_row *x = a, *y = b;

    return x->bytes != y->bytes ? (x->bytes < y->bytes ? 1 : -1) : x->class < y->class ? -1 : x->class > y->class;
}

static int make_rows(struct heap_digest *d)
{
    struct histogram_stream *s = d->s;

    if (!(d->rows = calloc(s->class_count + 1, sizeof(*d->rows))))
        return -ENOMEM;
    for (size_t i = 0; i < s->class_count; i++) {
        const struct histogram_class *c = &s->classes[i];
        struct digest_row row = {.class = (uint32_t)i};
        const struct layout_class layout = layout_of(s, c);

        if (c->count == 0)
            continue;
        row.bytes =
            c->element ? array_bytes(d, c) : c->count * layout_instance_size(&d->layout, &layout, &row.measured);
        d->bytes += row.bytes;
        d->rows[d->row_count++] = row;
    }
    qsort(d->rows, d->row_count, sizeof(*d->rows), more_bytes_first);
    return 0;
}

/* Classes are objects, too, though the dump has them as classes. */
static void count_class_objects(struct heap_digest *d)
{
    uint32_t class = heap_digest_find_class(d, "java/lang/Class");

    if (class == UINT32_MAX)
        return;
    d->s->classes[class].count += d->s->classes_dumped;
    d->s->objects += d->s->classes_dumped;
}

static const struct histogram_trace *trace_of(const struct histogram_stream *s, const struct histogram_thread *t)
{
    const struct histogram_trace *found = NULL;

    for (size_t i = 0; i < s->trace_count; i++) {
        if (s->traces[i].count == 0)
            continue;
        if (s->traces[i].serial == t->trace)
            return &s->traces[i];
        if (!found && s->traces[i].thread == t->serial)
            found = &s->traces[i];
    }
    return found;
}

/* HotSpot puts a frame that is not real on top of the thread that met an OutOfMemoryError (VM_HeapDumper). */
static bool is_out_of_memory(const struct heap_digest *d, const struct histogram_trace *t)
{
    char frame[DIGEST_FRAME_MAX];

    return t && t->count > 0 &&
           text_starts(heap_digest_frame(d, d->s->trace_frames[t->first], frame), "java.lang.OutOfMemoryError.<init>(");
}

static int find_threads(struct heap_digest *d)
{
    const struct histogram_stream *s = d->s;

    if (!(d->threads = calloc(s->thread_count + 1, sizeof(*d->threads))))
        return -ENOMEM;
    for (size_t i = 0; i < s->thread_count; i++) {
        struct digest_thread *one = &d->threads[d->thread_count++], before;

        *one = (struct digest_thread){s->threads[i].id, s->threads[i].serial, trace_of(s, &s->threads[i]), false, NULL};
        one->out_of_memory = is_out_of_memory(d, one->trace);
        if (!one->out_of_memory)
            continue;
        before = *one;
        memmove(d->threads + 1, d->threads, i * sizeof(*d->threads));
        d->threads[0] = before;
    }
    return 0;
}

int heap_digest_make(struct heap_digest *d, struct histogram_stream *s, const struct heap_digest_source *source)
{
    int r;

    assert(d && s && s->format.id_size);
    *d = (struct heap_digest){.s = s, .layout = layout_find(s->format.id_size, &s->evidence)};
    size_statics(d);
    if ((r = static_arrays_rows(s->statics, &d->statics, &d->static_count)) < 0 || (r = read_names(d, source)) < 0 ||
        (r = map_serials(d)) < 0)
        return r;
    count_class_objects(d);
    if ((r = make_rows(d)) < 0 || (r = find_threads(d)) < 0)
        return r;
    return source ? heap_digest_name_threads(d, source) : 0;
}

void heap_digest_done(struct heap_digest *d)
{
    for (size_t i = 0; i < d->thread_count; i++)
        free(d->threads[i].name);
    free(d->threads);
    free(d->rows);
    free(d->statics);
    free(d->class_of_serial);
    *d = (struct heap_digest){0};
}
