/* SPDX-License-Identifier: Apache-2.0
 *
 * Evidence for the process that analyses it (ship/analysis_request.h), as descriptors: of a file as it is, or of a
 * block server for what lies in blocks, in a file or in a store: it is read by ranges, and nothing comes to disk. What
 * lies in none (gzip, another program's zstd, a stream) is unpacked into a temporary file without a name.
 */
#pragma once

#include <stdbool.h>

#include "inspect/block_server.h"

struct dump_source {
    int fd[2];
    unsigned fd_count;
    uint64_t size; /* plain bytes, as far as known */
    /* Only of blocks. */
    struct block_server *server;
    struct frame_source frames;
    int file; /* owned */
};

#define DUMP_SOURCE_NONE                                                                                               \
    (struct dump_source)                                                                                               \
    {                                                                                                                  \
        .fd = {-1, -1}, .file = -1, .frames = {.fd = -1 }                                                              \
    }

struct dump_source_limits {
    uint64_t cache_bytes; /* of plain blocks in memory; 0: a quarter of what there is */
    unsigned sharing;     /* sources that share the memory; 0: one */
    int folder;           /* for a temporary file; -1: the one that TMPDIR names, or /tmp */
    bool packed_stays;    /* what lies in no blocks is not unpacked: fd_count is 0 then */
    /* Asked while something is unpacked; true: -ECANCELED. */
    bool (*stop)(void *ctx);
    void *ctx;
};

/* Each opens an empty source, in place: its address must not change until dump_source_close, also after a failure. Too
 * little room for a temporary file: -FAULT_FULL; a sixteenth of the volume stays free. */

/* A file, compressed or not; fd is taken. */
int dump_source_of_file(struct dump_source *s, int fd, const struct dump_source_limits *limits, struct err *e);

/* What comes from fd, which is borrowed. */
int dump_source_of_stream(struct dump_source *s, int fd, const struct dump_source_limits *limits, struct err *e);

/* An object. config and key are borrowed until the source is closed. */
int dump_source_of_object(struct dump_source *s, const struct sink_config *config, const char *key,
                          const struct dump_source_limits *limits, struct err *e);

/* Once the process that analyses has the descriptors: closes them here. */
void dump_source_started(struct dump_source *s);

/* 0, or why it could not be read, which is why there is no analysis. */
int dump_source_close(struct dump_source *s, struct err *e);
