/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads a stream into memory on a thread, as fast as its writer writes and as far as the memory goes: a writer that
 * stands still until its last byte is read waits for the copy, not for compression and store. Blocks that are full of
 * zeros take no memory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct stream_buffer;

/* size: bytes of memory at most, taken as they are needed. fd stays the caller's. 0, -ENOMEM, or why there is no
 * thread, descriptor or memory file. */
int stream_buffer_new(int fd, size_t block_size, uint64_t size, struct stream_buffer **ret);
void stream_buffer_free(struct stream_buffer *b);

/* Nothing more is read: the caller may close fd. Blocks that were read stay. */
void stream_buffer_stop(struct stream_buffer *b);

/* The next block: block_size bytes, fewer only at the end, 0 behind it. -EAGAIN while there is none; the failure of the
 * read behind the last block. *ret is valid until its release; blocks are released in the order in which they were
 * taken. */
ssize_t stream_buffer_take(struct stream_buffer *b, const void **ret);
void stream_buffer_release(struct stream_buffer *b);

/* As take, but it stays the next block. */
ssize_t stream_buffer_peek(struct stream_buffer *b, const void **ret);

/* Waits until there is a block or an end, for at most max_ms, or until a signal comes. */
void stream_buffer_wait(struct stream_buffer *b, int max_ms);

/* Reading goes on, and has never waited for a release. */
bool stream_buffer_has_room(struct stream_buffer *b);

uint64_t stream_buffer_heard_ms(struct stream_buffer *b); /* monotonic: when the last byte came, or reading began */
