/* SPDX-License-Identifier: Apache-2.0
 *
 * A bucket is a list of chunks; reading sorts it by counting.
 */
#include "hprof/edge_buckets.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum { CHUNK = 4096, CHUNK_PAIRS = 680, FIRST_CHUNKS = 256 };

struct chunk {
    uint32_t next; /* number and 1 */
    uint32_t used;
    uint32_t source[CHUNK_PAIRS];
    uint16_t target[CHUNK_PAIRS];
};

_Static_assert(sizeof(struct chunk) <= CHUNK, "chunks are pages");

static struct chunk *chunk_of(const struct edge_buckets *b, uint32_t number)
{
    return (struct chunk *)((char *)b->chunks.data + (size_t)(number - 1) * CHUNK);
}

int edge_buckets_new(struct edge_buckets *ret, struct big_memory *memory, uint32_t targets)
{
    struct edge_buckets b = {.memory = memory};
    size_t count = (size_t)targets / BUCKET_TARGETS + 1;
    int r;

    assert(ret);
    if ((r = big_array_new(&b.chunks, memory, (size_t)FIRST_CHUNKS * CHUNK)) < 0 ||
        (r = big_array_new(&b.last, memory, count * sizeof(uint32_t))) < 0 ||
        (r = big_array_new(&b.place, memory, (BUCKET_TARGETS + 2) * sizeof(uint32_t))) < 0) {
        edge_buckets_done(&b);
        return r;
    }
    b.bucket_count = (uint32_t)count;
    *ret = b;
    return 0;
}

void edge_buckets_done(struct edge_buckets *b)
{
    big_array_free(&b->chunks);
    big_array_free(&b->last);
    big_array_free(&b->sorted);
    big_array_free(&b->place);
}

static int new_chunk(struct edge_buckets *b, uint32_t *last)
{
    size_t need = ((size_t)b->chunk_count + 1) * CHUNK;
    int r;

    if (need > b->chunks.size && (r = big_array_grow(&b->chunks, need + need / 4)) < 0)
        return r;
    b->chunk_count++;
    chunk_of(b, b->chunk_count)->next = *last;
    *last = b->chunk_count;
    return 0;
}

int edge_buckets_put(struct edge_buckets *b, uint32_t target, uint32_t source)
{
    uint32_t *last = (uint32_t *)b->last.data + target / BUCKET_TARGETS;
    struct chunk *c;
    int r;

    if ((*last == 0 || chunk_of(b, *last)->used == CHUNK_PAIRS) && (r = new_chunk(b, last)) < 0)
        return r;
    c = chunk_of(b, *last);
    c->source[c->used] = source;
    c->target[c->used++] = (uint16_t)target;
    return 0;
}

static int rename_chunk(const struct chunk *c, const uint32_t *number, struct edge_buckets *to)
{
    int r = 0;

    for (uint32_t i = 0; i < c->used && r == 0; i++)
        r = edge_buckets_put(to, number[c->target[i]], c->source[i]);
    return r;
}

int edge_buckets_rename(struct edge_buckets *from, const uint32_t *number, struct edge_buckets *to)
{
    uint32_t *last = from->last.data;
    int r;

    for (uint32_t bucket = 0; bucket < from->bucket_count; bucket++)
        while (last[bucket]) {
            const struct chunk *c = chunk_of(from, last[bucket]);
            uint32_t next = c->next;

            if ((r = rename_chunk(c, number + (size_t)bucket * BUCKET_TARGETS, to)) < 0)
                return r;
            big_array_drop(&from->chunks, (size_t)(last[bucket] - 1) * CHUNK, CHUNK);
            last[bucket] = next;
        }
    return 0;
}

int edge_buckets_read(struct edge_buckets *b, uint32_t bucket)
{
    uint32_t *last = (uint32_t *)b->last.data + bucket, *place = b->place.data, total = 0;
    uint32_t *sorted;
    int r;

    memset(place, 0, (BUCKET_TARGETS + 2) * sizeof(*place));
    for (uint32_t n = *last; n; n = chunk_of(b, n)->next)
        for (uint32_t i = 0; i < chunk_of(b, n)->used; i++)
            place[chunk_of(b, n)->target[i] + 1]++;
    for (uint32_t t = 0; t <= BUCKET_TARGETS; t++) {
        total += place[t];
        place[t] = total;
    }
    if (b->sorted.size < ((size_t)total + 1) * sizeof(*sorted)) {
        big_array_free(&b->sorted);
        if ((r = big_array_new(&b->sorted, b->memory, ((size_t)total + 1) * sizeof(*sorted))) < 0)
            return r;
    }
    sorted = b->sorted.data;
    for (uint32_t n = *last; n;) { /* moves each place to the end of its list */
        const struct chunk *c = chunk_of(b, n);
        uint32_t next = c->next;

        for (uint32_t i = 0; i < c->used; i++)
            sorted[place[c->target[i]]++] = c->source[i];
        big_array_drop(&b->chunks, (size_t)(n - 1) * CHUNK, CHUNK);
        n = next;
    }
    memmove(place + 1, place, (BUCKET_TARGETS + 1) * sizeof(*place));
    place[0] = 0;
    *last = 0;
    return 0;
}

const uint32_t *edge_buckets_of(const struct edge_buckets *b, uint32_t target, uint32_t *ret_count)
{
    const uint32_t *place = (const uint32_t *)b->place.data + target % BUCKET_TARGETS;

    *ret_count = place[1] - place[0];
    return (const uint32_t *)b->sorted.data + place[0];
}
