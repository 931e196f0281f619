/* SPDX-License-Identifier: Apache-2.0
 *
 * What `inspect` reads: a file, an object or a case in a store, or a stream. As descriptors for the process that
 * analyses it (ship/analysis_request.h): a file's, or a block server's. What lies in blocks is read by ranges; what
 * does not (gzip, a stream) is unpacked into an unlinked temporary file.
 */
#pragma once

#include "base/buf.h"
#include "inspect/block_server.h"
#include "ship/plan.h"

struct inspect_input {
    int fd[2];
    unsigned fd_count;
    char *name;    /* owned; for people */
    uint64_t size; /* plain bytes, as far as known */
    /* Only of blocks. */
    struct block_server *server;
    struct frame_source source;
    struct sink_config config;
    char *key;
    int file;
};

#define INSPECT_INPUT_NONE                                                                                             \
    (struct inspect_input)                                                                                             \
    {                                                                                                                  \
        .fd = {-1, -1}, .file = -1, .source = {.fd = -1 }                                                              \
    }

/* cache_bytes: of blocks in memory; 0: a quarter of what there is. In place: its address must not change. After a
 * failure, too, it is to be closed. */
int inspect_input_open(struct inspect_input *in, const struct plan_options *plan, const char *what,
                       uint64_t cache_bytes, struct err *e);

/* The same of a text in memory. */
int inspect_input_text(struct inspect_input *in, const struct buf *text, const char *name, struct err *e);

/* Once the process that analyses has them. */
void inspect_input_started(struct inspect_input *in);

/* 0, or why it could not be read, which is why there is no analysis. */
int inspect_input_close(struct inspect_input *in, struct err *e);
