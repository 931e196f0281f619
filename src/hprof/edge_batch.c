/* SPDX-License-Identifier: Apache-2.0
 *
 * Two passes over a batch: from ids to nodes, then edges in their order.
 */
#include "hprof/edge_batch.h"

#include <assert.h>

enum { NODE, NUMBER, REFERENT, REFERENCE };
enum { AHEAD = 16 };

static void prefetch_bit(const struct big_array *bits, uint32_t node)
{
    __builtin_prefetch((const uint64_t *)bits->data + (node >> 6), 1);
}

static void find_targets(struct edge_batch *b)
{
    for (unsigned i = 0; i < AHEAD && i < b->count; i++)
        heap_index_prefetch(b->index, b->value[i]);
    for (unsigned i = 0; i < b->count; i++) {
        if (i + AHEAD < b->count) /* of a node or a number it does no harm */
            heap_index_prefetch(b->index, b->value[i + AHEAD]);
        b->target[i] = b->kind[i] >= REFERENT && b->value[i] ? heap_index_find(b->index, b->value[i]) : HEAP_NONE;
        if (b->target[i] != HEAP_NONE) {
            prefetch_bit(b->once, b->target[i]);
            prefetch_bit(b->several, b->target[i]);
        }
    }
}

/* True if the bit was set before. */
static bool set_shared_bit(const struct big_array *bits, uint32_t node)
{
    uint64_t *word = (uint64_t *)bits->data + (node >> 6), bit = UINT64_C(1) << (node & 63);

    if (__atomic_load_n(word, __ATOMIC_RELAXED) & bit)
        return true;
    return (__atomic_fetch_or(word, bit, __ATOMIC_RELAXED) & bit) != 0;
}

static int add_target(struct edge_batch *b, uint32_t target)
{
    if (target == HEAP_NONE || target == b->last)
        return 0;
    b->last = target;
    if (target == b->writer->node)
        return 0;
    if (set_shared_bit(b->once, target))
        set_shared_bit(b->several, target);
    return edge_writer_edge(b->writer, target);
}

static int add_referent(struct edge_batch *b, uint32_t target)
{
    int r;

    if (target == HEAP_NONE || target == b->writer->node)
        return edge_writer_edge(b->writer, b->writer->node);
    r = add_target(b, target);
    b->last = HEAP_NONE; /* a field may refer to the same, and is not weak */
    return r;
}

static int begin(struct edge_batch *b, uint32_t node)
{
    int r = b->open ? edge_writer_end(b->writer) : 0;

    edge_writer_begin(b->writer, node);
    b->last = HEAP_NONE;
    b->open = true;
    return r;
}

static int write_all(struct edge_batch *b)
{
    int r = 0;

    find_targets(b);
    for (unsigned i = 0; i < b->count && r == 0; i++) {
        if (b->kind[i] == REFERENCE)
            r = add_target(b, b->target[i]);
        else if (b->kind[i] == NODE)
            r = begin(b, (uint32_t)b->value[i]);
        else if (b->kind[i] == NUMBER)
            r = edge_writer_number(b->writer, b->value[i]);
        else
            r = add_referent(b, b->target[i]);
    }
    b->count = 0;
    return r;
}

static int put(struct edge_batch *b, unsigned char kind, uint64_t value)
{
    b->kind[b->count] = kind;
    b->value[b->count++] = value;
    return b->count == EDGE_BATCH ? write_all(b) : 0;
}

int edge_batch_begin(struct edge_batch *b, uint32_t node)
{
    assert(b && b->index && b->writer);
    return put(b, NODE, node);
}

int edge_batch_number(struct edge_batch *b, uint64_t number)
{
    return put(b, NUMBER, number);
}

int edge_batch_referent(struct edge_batch *b, uint64_t id)
{
    return put(b, REFERENT, id);
}

int edge_batch_reference(struct edge_batch *b, uint64_t id)
{
    return id ? put(b, REFERENCE, id) : 0;
}

int edge_batch_flush(struct edge_batch *b)
{
    int r = write_all(b);

    if (r == 0 && b->open)
        r = edge_writer_end(b->writer);
    b->open = false;
    return r;
}
