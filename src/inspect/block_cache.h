/* SPDX-License-Identifier: Apache-2.0
 *
 * Which blocks of a dump lie in which slots of a memory, what is to be fetched next, and what gives way. Has neither
 * threads nor the bytes: who uses it has a lock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "inspect/block_protocol.h"
#include "inspect/frame_source.h"

enum { BLOCK_CACHE_STREAMS = 4, BLOCK_CACHE_SPARE = 32 /* slots that are kept free */ };

struct block_slot {
    uint32_t block;
    uint64_t mapped_at; /* the number of the question */
};

struct block_stream {
    uint64_t next, end; /* blocks to be read ahead */
};

struct block_cache {
    uint64_t blocks;
    unsigned char *state; /* of each block; owned, as the next three */
    uint32_t *slot_of;
    struct block_slot *slot;
    uint32_t *free;
    uint32_t slots, free_count;
    uint32_t evicted[BLOCK_EVICTED_MAX]; /* slots that are free once the next question comes */
    uint32_t evicted_count;
    struct block_stream stream[BLOCK_CACHE_STREAMS];
    unsigned next_stream;
    uint64_t urgent; /* a block that is waited for; UINT64_MAX */
    uint64_t questions, random;
};

/* slots: as many as there is room for; c->slots says how many there are. -ENOMEM. */
int block_cache_init(struct block_cache *c, uint64_t blocks, uint64_t slots);
void block_cache_done(struct block_cache *c);

/* What is to be fetched next, its slots taken: first what is waited for, then what streams will ask for. False:
 * nothing.
 */
bool block_cache_choose(struct block_cache *c, struct block_run *run);
/* It is in its slot. */
void block_cache_fetched(struct block_cache *c, uint64_t block);

/* The other process asks for a block, and has unmapped what the last answer evicted. */
void block_cache_ask(struct block_cache *c, uint64_t block);
bool block_cache_has(const struct block_cache *c, uint64_t block);
/* Where a block that is there is to be mapped, and which others are to be unmapped. */
void block_cache_map(struct block_cache *c, uint64_t block, struct block_answer *ret);
