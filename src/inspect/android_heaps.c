/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums by the heap that was named last.
 */
#include "inspect/android_heaps.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "inspect/report_parts.h"

enum { MINOR_AT = 17 };

struct counting {
    const struct heap *h;
    const struct retained *r;
    struct android_heaps *all;
    struct android_heap *now;
    struct big_array seen; /* bits of nodes: an object may be in the dump twice */
    bool named;            /* the dump names a heap at least */
};

static struct android_heap *heap_of(struct counting *c, uint32_t id)
{
    struct android_heaps *a = c->all;

    for (unsigned i = 0; i < a->count; i++)
        if (a->heap[i].id == id)
            return &a->heap[i];
    if (a->count < ANDROID_HEAPS_MAX)
        a->count++;
    else
        return &a->heap[ANDROID_HEAPS_MAX - 1];
    a->heap[a->count - 1] = (struct android_heap){.id = id, .name = "default"};
    return &a->heap[a->count - 1];
}

static int on_heap(void *ctx, uint32_t id, uint64_t name)
{
    struct counting *c = ctx;
    struct heap_text text = heap_text_of(c->h, name);

    c->now = heap_of(c, id);
    c->named = true;
    if (text.size > 0)
        snprintf(c->now->name, sizeof(c->now->name), "%.*s", text.size < 64 ? (int)text.size : 63, text.text);
    return 0;
}

static int count(struct counting *c, uint64_t id)
{
    uint32_t node = heap_index_find(c->h->index, id);

    if (node == HEAP_NONE || graph_bit(&c->seen, node))
        return 0;
    graph_set_bit(&c->seen, node);
    if (!c->now)
        c->now = heap_of(c, 0);
    if (retained_is_reached(c->r, node)) {
        c->now->count++;
        c->now->bytes += heap_size(c->h, node);
    } else {
        c->now->garbage_count++;
        c->now->garbage_bytes += heap_size(c->h, node);
    }
    return 0;
}

static int on_class(void *ctx, const struct heap_class *k)
{
    return count(ctx, k->id);
}

static int on_instance(void *ctx, const struct heap_instance *o)
{
    return count(ctx, o->id);
}

static int on_array(void *ctx, const struct heap_array *a)
{
    return count(ctx, a->id);
}

static int by_bytes(const void *a, const void *b)
{
    const struct android_heap *x = a, *y = b;

    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static int walk(struct counting *c)
{
    const struct heap_events events = {
        .ctx = c, .heap = on_heap, .class = on_class, .instance = on_instance, .array = on_array};
    const unsigned char *segment = NULL;
    int r = 0;

    for (size_t i = 0; i < c->h->chunk_count && r == 0; i++) {
        const struct heap_chunk *chunk = &c->h->chunks[i];
        struct heap_part part = {.from = chunk->from, .to = chunk->to, .end = chunk->end};

        if (chunk->end != segment)
            c->now = NULL;
        segment = chunk->end;
        r = heap_reader_walk_part(&c->h->reader, &part, &events);
        heap_release(c->h, chunk->from, (size_t)(chunk->to - chunk->from));
    }
    return r;
}

int android_heaps_find(const struct heap *h, const struct retained *r, struct android_heaps *ret)
{
    struct counting c = {.h = h, .r = r, .all = ret};
    int result;

    *ret = (struct android_heaps){0};
    if (h->phd || h->reader.data[MINOR_AT] != '3')
        return 0;
    if ((result = big_array_new(&c.seen, heap_memory(h), heap_bits_size(h))) < 0)
        return result;
    result = walk(&c);
    big_array_free(&c.seen);
    if (!c.named)
        ret->count = 0;
    qsort(ret->heap, ret->count, sizeof(*ret->heap), by_bytes);
    return result;
}

void android_heaps_print(const struct android_heaps *a, FILE *out)
{
    char size[TEXT_SIZE_MAX];

    for (unsigned i = 0; i < a->count; i++) {
        fputs(i ? " · " : "  HEAPS      ", out);
        report_put(out, a->heap[i].name);
        fprintf(out, " %s (%" PRIu64 ")", text_format_size(a->heap[i].bytes, size), a->heap[i].count);
    }
    if (a->count)
        fputs("\n", out);
}

json_t *android_heaps_json(const struct android_heaps *a)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < a->count; i++) {
        const struct android_heap *one = &a->heap[i];

        json_array_append_new(list, json_pack("{so so so so so}", "heap", report_text(one->name), "count",
                                              report_number(one->count), "bytes", report_number(one->bytes),
                                              "unreachable_count", report_number(one->garbage_count),
                                              "unreachable_bytes", report_number(one->garbage_bytes)));
    }
    return list;
}
