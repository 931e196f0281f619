/* SPDX-License-Identifier: Apache-2.0
 *
 * While it is written, a list is a record: node, size, bytes; sealing moves records to their places. The size of a list
 * of more than 127 bytes has bit 7, and 8 bytes in its place: which writer's, and where.
 */
#include "hprof/edge_lists.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/parallel.h"

enum { SHORT_MAX = 127, LONG = 0x80, PLACE = 8, RECORD_HEAD = 5, NUMBER_MAX = 10, FIRST_ROOM = 1 << 16 };
enum { DROP_STEP = 8 << 20, SIZES_PAD = 64, NEAR = 32 };

int edge_lists_new(struct edge_lists *ret, struct big_memory *memory, uint32_t nodes)
{
    struct edge_lists l = {.nodes = nodes};
    int r;

    assert(ret);
    if ((r = big_array_new(&l.size, memory, (size_t)nodes + SIZES_PAD)) < 0)
        return r;
    *ret = l;
    return 0;
}

void edge_lists_done(struct edge_lists *l)
{
    big_array_free(&l->size);
    big_array_free(&l->block);
    big_array_free(&l->bytes);
    for (unsigned i = 0; i < EDGE_WRITERS_MAX; i++)
        big_array_free(&l->more[i]);
}

/* Room for `more` bytes behind `used`. */
static int make_room(struct big_array *a, struct big_memory *memory, size_t used, size_t more)
{
    if (!a->data)
        return big_array_new(a, memory, more > FIRST_ROOM ? more : FIRST_ROOM);
    return used + more <= a->size ? 0 : big_array_grow(a, used + more + a->size / 2);
}

void edge_writer_begin(struct edge_writer *w, uint32_t node)
{
    assert(w->lists && node < w->lists->nodes);
    w->node = w->last = node;
    w->list_size = 0;
}

int edge_writer_number(struct edge_writer *w, uint64_t number)
{
    unsigned char *p;
    int r;

    if ((!w->list.data || w->list_size + NUMBER_MAX > w->list.size) &&
        (r = make_room(&w->list, w->lists->size.memory, w->list_size, NUMBER_MAX)) < 0)
        return r;
    p = (unsigned char *)w->list.data + w->list_size;
    while (number >= 0x80) {
        *p++ = (unsigned char)(number | 0x80);
        number >>= 7;
    }
    *p++ = (unsigned char)number;
    w->list_size = (size_t)(p - (unsigned char *)w->list.data);
    return 0;
}

int edge_writer_edge(struct edge_writer *w, uint32_t target)
{
    uint32_t difference = target - w->last; /* modulo 2^32: the shorter way round */

    w->last = target;
    return edge_writer_number(w, (uint32_t)(difference << 1) ^ (uint32_t) - (int32_t)(difference >> 31));
}

static int put_long(struct edge_writer *w, uint64_t *ret)
{
    struct big_array *more = &w->lists->more[w->number];
    size_t size = sizeof(w->list_size) + w->list_size;
    int r = make_room(more, w->lists->size.memory, w->more_size, size);

    if (r < 0)
        return r;
    memcpy((char *)more->data + w->more_size, &w->list_size, sizeof(w->list_size));
    memcpy((char *)more->data + w->more_size + sizeof(w->list_size), w->list.data, w->list_size);
    *ret = (uint64_t)w->number << 56 | w->more_size;
    w->more_size += size;
    return 0;
}

int edge_writer_end(struct edge_writer *w)
{
    bool is_long = w->list_size > SHORT_MAX;
    size_t size = is_long ? PLACE : w->list_size;
    const void *list = w->list.data;
    unsigned char *p;
    uint64_t place;
    int r;

    if (w->list_size == 0)
        return 0;
    if (is_long && (r = put_long(w, &place)) < 0)
        return r;
    if ((!w->records.data || w->records_size + RECORD_HEAD + size > w->records.size) &&
        (r = make_room(&w->records, w->lists->size.memory, w->records_size, RECORD_HEAD + size)) < 0)
        return r;
    p = (unsigned char *)w->records.data + w->records_size;
    memcpy(p, &w->node, sizeof(w->node));
    p[4] = (unsigned char)(is_long ? size | LONG : size);
    memcpy(p + RECORD_HEAD, is_long ? (const void *)&place : list, size);
    w->records_size += RECORD_HEAD + size;
    ((unsigned char *)w->lists->size.data)[w->node] = p[4];
    return 0;
}

void edge_writer_done(struct edge_writer *w)
{
    big_array_free(&w->records);
    big_array_free(&w->list);
}

/* The sum of the low seven bits of the first `count` bytes at p, count at most 31; reads whole words. */
static size_t sum_sizes(const unsigned char *p, unsigned count)
{
    size_t total = 0;

    for (; count > 0; p += 8) {
        unsigned take = count < 8 ? count : 8;
        uint64_t v;

        memcpy(&v, p, sizeof(v));
        v &= UINT64_C(0x7F7F7F7F7F7F7F7F);
        v = take < 8 ? v & ((UINT64_C(1) << (8 * take)) - 1) : v;
        v = (v & UINT64_C(0x00FF00FF00FF00FF)) + (v >> 8 & UINT64_C(0x00FF00FF00FF00FF));
        total += (size_t)(v * UINT64_C(0x0001000100010001) >> 48);
        count -= take;
    }
    return total;
}

static unsigned char *place_of(const struct edge_lists *l, uint32_t node)
{
    const unsigned char *sizes = l->size.data;
    uint32_t block = node / EDGE_BLOCK;

    return (unsigned char *)l->bytes.data + ((const struct edge_block *)l->block.data)[block].at +
           sum_sizes(sizes + (size_t)block * EDGE_BLOCK, node % EDGE_BLOCK);
}

void edge_lists_prefetch(const struct edge_lists *l, uint32_t node)
{
    const struct edge_block *block = (const struct edge_block *)l->block.data + node / EDGE_BLOCK;
    uint64_t size = block[1].at - block->at, guess = block->at + size * (node % EDGE_BLOCK) / EDGE_BLOCK;
    const char *list = (const char *)l->bytes.data + guess;

    __builtin_prefetch((const char *)l->size.data + node);
    __builtin_prefetch(list - NEAR);
    __builtin_prefetch(list + NEAR);
}

static void place_records(struct edge_lists *l, struct edge_writer *w)
{
    const unsigned char *p = w->records.data;
    size_t dropped = 0;

    for (size_t at = 0; at < w->records_size;) {
        size_t size = p[at + 4] & SHORT_MAX;
        uint32_t node;

        memcpy(&node, p + at, sizeof(node));
        memcpy(place_of(l, node), p + at + RECORD_HEAD, size);
        at += RECORD_HEAD + size;
        if (at - dropped > DROP_STEP) {
            big_array_drop(&w->records, dropped, at - dropped);
            dropped = at / DROP_STEP * DROP_STEP;
        }
    }
    edge_writer_done(w);
}

/* Each writer's lists have places of their own. */
struct placing {
    struct edge_lists *lists;
    struct edge_writer *writer;
    unsigned count, next;
};

static void place_all(void *ctx)
{
    struct placing *p = ctx;
    unsigned i;

    while ((i = __atomic_fetch_add(&p->next, 1, __ATOMIC_RELAXED)) < p->count)
        place_records(p->lists, &p->writer[i]);
}

int edge_lists_seal(struct edge_lists *l, struct edge_writer *writer, unsigned count)
{
    struct placing placing = {.lists = l, .writer = writer, .count = count};
    struct big_memory *memory = l->size.memory;
    const unsigned char *sizes = l->size.data;
    struct edge_block *block;
    uint64_t total = 0;
    int r;

    assert(count <= EDGE_WRITERS_MAX);
    if ((r = big_array_new(&l->block, memory, ((size_t)l->nodes / EDGE_BLOCK + 2) * sizeof(*block))) < 0)
        return r;
    block = l->block.data;
    for (uint32_t n = 0; n < l->nodes; n++) {
        if (n % EDGE_BLOCK == 0)
            block[n / EDGE_BLOCK].at = total;
        total += sizes[n] & SHORT_MAX;
    }
    block[(l->nodes + EDGE_BLOCK - 1) / EDGE_BLOCK].at = total;
    if ((r = big_array_new(&l->bytes, memory, (size_t)total)) < 0)
        return r;
    parallel_run(count, place_all, &placing);
    return 0;
}

void edge_lists_clear_marks(const struct edge_lists *l)
{
    for (size_t i = 0; i <= l->nodes / EDGE_BLOCK; i++)
        ((struct edge_block *)l->block.data)[i].mark = 0;
}

struct edge_cursor edge_lists_of(const struct edge_lists *l, uint32_t node)
{
    unsigned char size = ((const unsigned char *)l->size.data)[node];
    const unsigned char *p;
    uint64_t place;
    size_t long_size;

    if (size == 0)
        return (struct edge_cursor){.last = node};
    p = place_of(l, node);
    if (!(size & LONG))
        return (struct edge_cursor){p, p + size, node};
    memcpy(&place, p, sizeof(place));
    p = (const unsigned char *)l->more[place >> 56].data + (place & ((UINT64_C(1) << 56) - 1));
    memcpy(&long_size, p, sizeof(long_size));
    p += sizeof(long_size);
    return (struct edge_cursor){p, p + long_size, node};
}
