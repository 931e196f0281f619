/* SPDX-License-Identifier: Apache-2.0
 *
 * Compresses blocks in parallel and returns them in order, in a fixed ring: memory is allocated once, and nothing grows
 * with the file. One thread drives (slot, submit, next, release), and encodes itself instead of waiting; the other
 * encoders are our own threads (base/thread.h). CODEC_NONE starts no thread, whatever `threads` is, and returns the raw
 * blocks.
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

/* threads: number that encode, including the driver; 1: one thread beside the driver, which never encodes then. Threads
 * that can't be started are left out. There are 4 more slots than threads; without compression, one. -EINVAL (threads 1
 * to 1024, blocks 1 byte to 1 GiB, the codec's levels), -ENOMEM. */
int blocks_new(const struct codec *c, unsigned threads, size_t block_size, struct blocks **ret);
void blocks_free(struct blocks *b); /* in any state; waits until each thread has encoded its current block */

/* Limits how many threads encode at one time, including the driver; at least 1. */
void blocks_limit(struct blocks *b, unsigned threads);

/* Buffer for the next raw block (block_size bytes); NULL while all slots are in use. The same one until it is
 * submitted. */
void *blocks_slot(struct blocks *b);
void blocks_submit(struct blocks *b, size_t size); /* size: of the block in the slot; > 0 */

/* The same with a block that lies elsewhere, and stays there until its release. */
void blocks_submit_at(struct blocks *b, const void *raw, size_t size);

/* The oldest block's frame: 1 and *ret; 0 if it isn't ready, or if no block is pending. wait: until it is ready;
 * encodes meanwhile. -EIO, -ENOMEM from the encoder: that block remains the oldest, and every further call fails. */
int blocks_next(struct blocks *b, bool wait, struct encoded *ret);
void blocks_release(struct blocks *b); /* the frame of blocks_next */

/* Blocks submitted and not yet released. */
unsigned blocks_pending(const struct blocks *b);

/* Bytes of memory that this takes; for --memory. */
size_t blocks_memory(const struct codec *c, unsigned threads, size_t block_size);
