/* SPDX-License-Identifier: Apache-2.0
 *
 * An analysis passes over the dump several times, so that the least recently used block would always be the next one
 * needed: blocks are evicted at random, and a cache that holds half of the dump saves half of the reads.
 */
#include "inspect/block_cache.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum {
    AHEAD = 64,  /* blocks that a stream is ahead, at most */
    RECENT = 32, /* blocks mapped last are not evicted */
};

#define NONE UINT32_MAX

enum state { ABSENT, FETCHING, READY /* not asked for yet */, MAPPED };

int block_cache_init(struct block_cache *c, uint64_t blocks, uint64_t slots)
{
    assert(c && blocks > 0 && blocks < NONE);
    *c = (struct block_cache){.blocks = blocks, .urgent = UINT64_MAX};
    c->slots = (uint32_t)(slots < blocks + BLOCK_CACHE_SPARE ? slots : blocks + BLOCK_CACHE_SPARE);
    if (c->slots < 2 * BLOCK_CACHE_SPARE)
        c->slots = 2 * BLOCK_CACHE_SPARE; /* blocks of 8 MiB: half a GiB of addresses, used as needed */
    c->state = calloc(blocks, sizeof(*c->state));
    c->slot_of = calloc(blocks, sizeof(*c->slot_of));
    c->slot = calloc(c->slots, sizeof(*c->slot));
    c->free = calloc(c->slots, sizeof(*c->free));
    if (!c->state || !c->slot_of || !c->slot || !c->free) {
        block_cache_done(c);
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < c->slots; i++) {
        c->slot[i].block = NONE;
        c->free[c->free_count++] = c->slots - 1 - i;
    }
    return 0;
}

void block_cache_done(struct block_cache *c)
{
    free(c->state);
    free(c->slot_of);
    free(c->slot);
    free(c->free);
    *c = (struct block_cache){0};
}

static uint32_t take_slot(struct block_cache *c, uint64_t block)
{
    uint32_t slot = c->free[--c->free_count];

    c->slot[slot] = (struct block_slot){.block = (uint32_t)block};
    c->slot_of[block] = slot;
    c->state[block] = FETCHING;
    return slot;
}

static void give_slot(struct block_cache *c, uint32_t slot)
{
    c->state[c->slot[slot].block] = ABSENT;
    c->slot[slot].block = NONE;
    c->free[c->free_count++] = slot;
}

/* A block that was read ahead gives way to one that is waited for. */
static bool drop_ready(struct block_cache *c)
{
    for (uint32_t i = c->slots; i > 0; i--)
        if (c->slot[i - 1].block != NONE && c->state[c->slot[i - 1].block] == READY) {
            give_slot(c, i - 1);
            return true;
        }
    return false;
}

static unsigned absent_from(const struct block_cache *c, uint64_t first, uint64_t end, unsigned most)
{
    unsigned count = 0;

    while (count < most && count < c->free_count && first + count < end && c->state[first + count] == ABSENT)
        count++;
    return count;
}

bool block_cache_choose(struct block_cache *c, struct block_run *run)
{
    run->count = 0;
    if (c->urgent != UINT64_MAX && c->state[c->urgent] == ABSENT && (c->free_count > 0 || drop_ready(c))) {
        run->first = c->urgent;
        run->count = absent_from(c, run->first, c->blocks, 4);
    }
    for (unsigned i = 0; run->count == 0 && i < BLOCK_CACHE_STREAMS; i++) {
        struct block_stream *s = &c->stream[i];

        while (s->next < s->end && c->state[s->next] != ABSENT)
            s->next++;
        run->first = s->next;
        run->count = absent_from(c, s->next, s->end, BLOCK_RUN_MAX);
    }
    for (unsigned i = 0; i < run->count; i++)
        take_slot(c, run->first + i);
    return run->count > 0;
}

/* Where the question stands in a stream: the blocks behind it are read ahead. */
static void advance(struct block_cache *c, uint64_t block)
{
    uint64_t ahead = c->slots / 4 < AHEAD ? c->slots / 4 : AHEAD, end = block + 1 + ahead;
    struct block_stream *s = NULL;

    if (end > c->blocks)
        end = c->blocks;
    for (unsigned i = 0; i < BLOCK_CACHE_STREAMS; i++)
        if (block + ahead + 1 >= c->stream[i].end && block < c->stream[i].end)
            s = &c->stream[i];
    if (!s && block > 0 && c->state[block - 1] != MAPPED)
        return;
    if (!s)
        s = &c->stream[c->next_stream++ % BLOCK_CACHE_STREAMS];
    if (s->next <= block)
        s->next = block + 1;
    if (s->end < end || s->next > end)
        *s = (struct block_stream){block + 1, end};
}

static uint64_t random_number(struct block_cache *c)
{
    c->random = c->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407); /* Knuth's MMIX */
    return c->random >> 33;
}

static void unmap_slot(struct block_cache *c, uint32_t slot, struct block_answer *to)
{
    uint32_t block = c->slot[slot].block;

    c->state[block] = ABSENT;
    c->slot[slot].block = NONE;
    to->evicted[c->evicted_count] = block;
    c->evicted[c->evicted_count++] = slot;
}

static bool is_ahead(const struct block_cache *c, uint64_t block)
{
    for (unsigned i = 0; i < BLOCK_CACHE_STREAMS; i++)
        if (block < c->stream[i].end && block + AHEAD >= c->stream[i].end)
            return true;
    return false;
}

/* Chooses mapped blocks to be unmapped by the other process. What was read ahead for a stream that went elsewhere is
 * free at once. */
static void evict(struct block_cache *c, struct block_answer *to)
{
    for (unsigned tries = 0; tries < 8 * BLOCK_EVICTED_MAX && c->evicted_count < BLOCK_EVICTED_MAX &&
                             c->free_count + c->evicted_count < BLOCK_CACHE_SPARE;
         tries++) {
        uint32_t slot = (uint32_t)(random_number(c) % c->slots), block = c->slot[slot].block;

        if (block != NONE && c->state[block] == READY && !is_ahead(c, block))
            give_slot(c, slot);
        else if (block == NONE || c->state[block] != MAPPED || c->slot[slot].mapped_at + RECENT > c->questions)
            continue;
        else
            unmap_slot(c, slot, to);
    }
    to->evicted_count = c->evicted_count;
}

static void release_evicted(struct block_cache *c)
{
    for (uint32_t i = 0; i < c->evicted_count; i++)
        c->free[c->free_count++] = c->evicted[i];
    c->evicted_count = 0;
}

void block_cache_ask(struct block_cache *c, uint64_t block)
{
    assert(block < c->blocks);
    c->questions++;
    release_evicted(c);
    advance(c, block);
    c->urgent = block;
}

bool block_cache_has(const struct block_cache *c, uint64_t block)
{
    return c->state[block] == READY || c->state[block] == MAPPED;
}

void block_cache_map(struct block_cache *c, uint64_t block, struct block_answer *ret)
{
    assert(block_cache_has(c, block));
    c->urgent = UINT64_MAX;
    *ret = (struct block_answer){.slot = c->slot_of[block]};
    c->state[block] = MAPPED;
    c->slot[ret->slot].mapped_at = c->questions;
    evict(c, ret);
}

void block_cache_fetched(struct block_cache *c, uint64_t block)
{
    assert(c->state[block] == FETCHING);
    c->state[block] = READY;
}
