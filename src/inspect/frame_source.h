/* SPDX-License-Identifier: Apache-2.0
 *
 * A dump that lies in blocks: an object of ours in a store, or a file of it, with zstd's seek table or not compressed
 * at all. Its plain blocks are read by ranges, on any number of threads, each with its frame_reader. What is read is
 * checked against the table, not against the manifest's digest.
 */
#pragma once

#include <stdbool.h>

#include "codec/seektable.h"
#include "inspect/block_protocol.h"
#include "store/sink.h"

struct frame_source {
    struct block_geometry geometry;
    uint64_t blocks;
    uint64_t stored_bytes;
    /* Where it lies: a file, or a store. */
    int fd; /* borrowed; -1: a store */
    const struct sink_config *config;
    const char *key;
    struct object_info known;
    /* Of each block; frames.count 0: it is not compressed. */
    struct frames frames;
    uint64_t *offset; /* of its frame */
};

/* 1: it lies in blocks; 0: it does not (gzip, another compressor's zstd): read all of it. Borrows its arguments. */
int frame_source_of_file(int fd, struct frame_source *ret, struct err *e);
int frame_source_of_object(const struct sink_config *config, struct sink *sink, const char *key,
                           struct frame_source *ret, struct err *e);
void frame_source_done(struct frame_source *s);

/* Of one thread. */
struct frame_reader;
int frame_reader_new(const struct frame_source *s, struct frame_reader **ret, struct err *e);
void frame_reader_free(struct frame_reader *r);

struct block_run {
    uint64_t first;
    unsigned count;
    /* Gets each block of the run, in order: its plain bytes. */
    int (*take)(void *ctx, uint64_t block, const void *data, size_t size);
    void *ctx;
};

enum { BLOCK_RUN_MAX = 16 };

int frame_reader_read(struct frame_reader *r, const struct block_run *run, struct err *e);
