/* SPDX-License-Identifier: Apache-2.0
 *
 * Serves the plain blocks of a dump to the process that analyses it (inspect/block_protocol.h), from a cache in shared
 * memory that has a ceiling: neither a copy on disk nor the whole object is kept. Threads of its own read ahead where
 * blocks are asked for in order, and decode while the other process computes.
 */
#pragma once

#include "base/err.h"
#include "inspect/frame_source.h"

struct block_server;

enum { BLOCK_CACHE_LEAST = 32 * 1024 * 1024 };

/* cache_bytes: the ceiling; at least BLOCK_CACHE_LEAST is used. The source is borrowed. ret_fds: the channel and the
 * memfd for the other process, in this order, the caller's: close them once it is started. */
int block_server_start(const struct frame_source *source, uint64_t cache_bytes, struct block_server **ret,
                       int ret_fds[2], struct err *e);

/* The furthest plain byte that was asked for. */
uint64_t block_server_progress(struct block_server *b);

/* Ends its threads. 0, or why blocks could not be read (the other process then has ended without an answer). Frees. */
int block_server_end(struct block_server *b, struct err *e);
