/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a heap dump: every record that is shown lies inside of them.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "hprof/heap_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const unsigned char *begin, *end;
static volatile unsigned sum;

/* Also read, so that a sanitizer sees it. */
static void inside(const unsigned char *p, size_t size)
{
    assert(size == 0 || (p >= begin && p + size <= end));
    for (size_t i = 0; i < size; i += 64)
        sum += p[i];
    if (size > 0)
        sum += p[size - 1];
}

static int on_text(void *ctx, uint64_t id, const char *text, size_t size)
{
    (void)ctx, (void)id;
    inside((const unsigned char *)text, size);
    return 0;
}

static int on_trace(void *ctx, const struct heap_trace *t)
{
    const struct heap_reader *r = ctx;

    inside(t->frames, (size_t)t->count * r->id_size);
    return 0;
}

static int on_class(void *ctx, const struct heap_class *c)
{
    const struct heap_reader *r = ctx;
    const unsigned char *p = c->statics;

    inside(c->holders, (size_t)2 * r->id_size);
    inside(c->fields, (size_t)c->field_count * (r->id_size + 1));
    for (unsigned i = 0; i < c->static_count; i++) {
        unsigned value = heap_type_size(r, p[r->id_size]);

        assert(value > 0);
        inside(p, r->id_size + 1 + value);
        p += r->id_size + 1 + value;
    }
    return 0;
}

static int on_instance(void *ctx, const struct heap_instance *o)
{
    (void)ctx;
    inside(o->data, o->size);
    return 0;
}

static int on_array(void *ctx, const struct heap_array *a)
{
    unsigned size = heap_type_size(ctx, a->type);

    assert(size > 0);
    if (a->data)
        inside(a->data, (size_t)a->length * size);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct heap_reader r;
    const struct heap_events events = {
        .ctx = &r, .text = on_text, .trace = on_trace, .class = on_class, .instance = on_instance, .array = on_array};

    begin = data;
    end = data + size;
    if (heap_reader_init(&r, data, size) == 0)
        assert(heap_reader_walk(&r, &events) == 0);
    return 0;
}
