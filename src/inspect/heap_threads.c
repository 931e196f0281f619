/* SPDX-License-Identifier: Apache-2.0
 *
 * Roots of kind THREAD name the threads; their traces have the frames.
 */
#include "inspect/heap_threads.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/text.h"
#include "inspect/heap_thread_names.h"

enum { TEXT_PART_MAX = 400 };

static const struct heap_frame *frame_at(const struct heap *h, const struct heap_trace *t, uint32_t i)
{
    uint32_t f = id_map_get(&h->frame_of_id, heap_id(&h->reader, t->frames + (size_t)i * h->reader.id_size));

    return f == ID_MAP_NONE ? NULL : &h->frames[f];
}

static const char *class_of(const struct heap *h, const struct heap_frame *f)
{
    uint32_t type = id_map_get(&h->type_of_serial, f->class_serial);

    return type == ID_MAP_NONE ? "?" : h->types[type].name;
}

static int part(struct heap_text t)
{
    return t.size > TEXT_PART_MAX ? TEXT_PART_MAX : (int)t.size;
}

char *heap_frame_text(const struct heap *h, const struct heap_frame *f)
{
    struct heap_text method = heap_text_of(h, f->method), source = heap_text_of(h, f->source);
    char place[TEXT_PART_MAX + 40], *out;

    if (f->line == -3)
        snprintf(place, sizeof(place), "native");
    else if (f->line > 0)
        snprintf(place, sizeof(place), "%.*s:%d", part(source), source.text, f->line);
    else
        snprintf(place, sizeof(place), "%.*s", part(source), source.size ? source.text : "");
    if (asprintf(&out, "%.800s.%.*s(%s)", class_of(h, f), part(method), method.text, place) < 0)
        return NULL;
    return out;
}

static bool is_out_of_memory(const struct heap *h, const struct heap_trace *t)
{
    const struct heap_frame *f = t->count > 0 ? frame_at(h, t, 0) : NULL;
    struct heap_text method = f ? heap_text_of(h, f->method) : (struct heap_text){"", 0};

    return method.size == 6 && memcmp(method.text, "<init>", 6) == 0 &&
           text_eq(class_of(h, f), "java.lang.OutOfMemoryError");
}

static int add_frames(const struct heap *h, const struct heap_trace *t, struct heap_thread *ret)
{
    uint32_t count = t->count < HEAP_THREAD_FRAMES_MAX ? t->count : HEAP_THREAD_FRAMES_MAX;
    uint32_t i = is_out_of_memory(h, t) ? 1 : 0; /* a frame that is not real */

    ret->out_of_memory = i > 0;
    if (!(ret->frames = calloc((size_t)count + 1, sizeof(char *))))
        return -ENOMEM;
    for (; i < count; i++) {
        const struct heap_frame *f = frame_at(h, t, i);

        if (f && !(ret->frames[ret->frame_count++] = heap_frame_text(h, f)))
            return -ENOMEM;
    }
    return 0;
}

static const struct heap_trace *trace_of(const struct heap *h, const struct heap_root_info *root)
{
    uint32_t t = id_map_get(&h->trace_of_serial, root->record.frame);

    if (t != ID_MAP_NONE && h->traces[t].count > 0)
        return &h->traces[t];
    for (size_t i = 0; i < h->trace_count; i++)
        if (h->traces[i].thread == root->record.thread && h->traces[i].count > 0)
            return &h->traces[i];
    return NULL;
}

static int add_thread(const struct heap *h, const struct heap_root_info *root, struct heap_threads *t)
{
    const struct heap_trace *trace = trace_of(h, root);
    struct heap_thread *one;

    if (array_reserve(&t->thread, t->count + 1, &t->capacity, sizeof(*t->thread), HEAP_THREADS_MAX) < 0)
        return t->count >= HEAP_THREADS_MAX ? 0 : -ENOMEM;
    one = &t->thread[t->count++];
    *one = (struct heap_thread){.serial = root->record.thread, .node = root->node};
    return trace ? add_frames(h, trace, one) : 0;
}

static int more_first(const void *a, const void *b)
{
    const struct heap_thread *x = a, *y = b;

    if (x->out_of_memory != y->out_of_memory)
        return x->out_of_memory ? -1 : 1;
    if (x->retained != y->retained)
        return x->retained > y->retained ? -1 : 1;
    return x->serial < y->serial ? -1 : x->serial > y->serial;
}

void heap_threads_done(struct heap_threads *t)
{
    for (size_t i = 0; i < t->count; i++) {
        for (size_t j = 0; j < t->thread[i].frame_count; j++)
            free(t->thread[i].frames[j]);
        free(t->thread[i].frames);
        free(t->thread[i].name);
    }
    free(t->thread);
    *t = (struct heap_threads){0};
}

static int by_node(const void *a, const void *b)
{
    const struct set_mark *x = a, *y = b;

    if (x->node != y->node)
        return x->node < y->node ? -1 : 1;
    return x->set < y->set ? -1 : x->set > y->set;
}

static bool is_held(const struct heap_root_info *root)
{
    return root->node != HEAP_NONE &&
           (root->record.kind == HEAP_ROOT_JAVA_FRAME || root->record.kind == HEAP_ROOT_JNI_LOCAL ||
            root->record.kind == HEAP_ROOT_THREAD || root->record.kind == HEAP_ROOT_NATIVE_STACK);
}

int heap_threads_marks(const struct heap *h, const struct heap_threads *t, struct set_mark **ret, size_t *ret_count)
{
    struct set_mark *mark = calloc(h->root_count + 1, sizeof(*mark));
    struct id_map set = {0};
    size_t count = 0;
    int r = mark ? 0 : -ENOMEM;

    assert(ret && ret_count);
    for (size_t i = 0; i < t->count && r == 0; i++)
        r = id_map_put(&set, t->thread[i].serial, (uint32_t)i);
    for (size_t i = 0; i < h->root_count && r == 0; i++) {
        uint32_t thread = id_map_get(&set, h->roots[i].record.thread);

        if (thread != ID_MAP_NONE && is_held(&h->roots[i]))
            mark[count++] = (struct set_mark){h->roots[i].node, thread};
    }
    id_map_done(&set);
    if (r < 0) {
        free(mark);
        return r;
    }
    if (count > 0)
        qsort(mark, count, sizeof(*mark), by_node);
    *ret = mark;
    *ret_count = count;
    return 0;
}

void heap_threads_order(struct heap_threads *t, const struct set_size *size)
{
    for (size_t i = 0; i < t->count; i++)
        t->thread[i].retained = size[i].retained;
    if (t->count > 0)
        qsort(t->thread, t->count, sizeof(*t->thread), more_first);
}

int heap_threads_find(struct heap *h, struct heap_threads *ret, struct err *e)
{
    int r = 0;

    assert(h && ret && ret->count == 0);
    for (size_t i = 0; i < h->root_count && r == 0; i++)
        if (h->roots[i].record.kind == HEAP_ROOT_THREAD)
            r = add_thread(h, &h->roots[i], ret);
    if (r == 0)
        r = heap_thread_names_read(h, ret);
    if (r < 0)
        return err_set(e, r, "out of memory for the threads");
    return 0;
}
