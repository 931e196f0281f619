/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks compressed in parallel and handed back in order, in a fixed ring: memory is allocated once, and nothing grows
 * with the file. One thread drives (slot, submit, next, release), and encodes itself instead of waiting; the other
 * encoders are threads of our own, with all signals blocked. Without compression there is nothing to do in parallel:
 * CODEC_NONE starts no thread, whatever `threads` says, and hands back the raw blocks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "codec/codec.h"

struct blocks;

struct encoded {
    const void *data; /* borrowed until blocks_release; with CODEC_NONE the raw block itself */
    size_t size;
    size_t raw_size;
};

/* threads: that encode, the driver among them; 1: a thread beside the driver, which then never encodes. 4 slots more.
 * Threads that can't be started are done without. -EINVAL (threads 1 to 1024, blocks 1 byte to 1 GiB, the codec's
 * levels), -ENOMEM. Without compression there is one slot. */
int blocks_new(const struct codec *c, unsigned threads, size_t block_size, struct blocks **ret);
void blocks_free(struct blocks *b); /* in any state; waits for the block each thread is at */

/* From now on so many threads encode at a time, the driver among them; at least 1. */
void blocks_limit(struct blocks *b, unsigned threads);

/* Where the next raw block goes (block_size bytes), NULL while all slots are in use. The same until submitted. */
void *blocks_slot(struct blocks *b);
void blocks_submit(struct blocks *b, size_t size); /* of the block in the last slot given; > 0 */

/* The oldest block's frame: 1 and *ret; 0 if it isn't ready (or none is under way, then also with wait, which encodes);
 * -EIO, -ENOMEM from the encoder: that block stays the oldest, there is no way past it. */
int blocks_next(struct blocks *b, bool wait, struct encoded *ret);
void blocks_release(struct blocks *b); /* the frame that blocks_next gave */

/* Blocks submitted and not yet released. */
unsigned blocks_pending(const struct blocks *b);

/* What it takes, bytes: for fitting into --memory. */
size_t blocks_memory(const struct codec *c, unsigned threads, size_t block_size);
