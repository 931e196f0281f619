/* SPDX-License-Identifier: Apache-2.0
 *
 * What `inspect` reads: a file, an object or a case in a store, or a stream, as inspect/dump_source.h has it.
 */
#pragma once

#include "base/buf.h"
#include "inspect/dump_source.h"
#include "ship/plan.h"

struct inspect_input {
    struct dump_source source;
    char *name; /* owned; for people */
    /* Set before. */
    unsigned sharing; /* how many inputs share the memory for blocks; 0: this one has all of it */
    bool kept;        /* of an object in a store its analysis is enough, where its case has that */
    char *crash_logs; /* owned; names of what may be the crash log of the same process (cmd/crash_logs.h); NULL: none */
    /* Only of an object. */
    struct sink_config config;
    char *key;
};

#define INSPECT_INPUT_NONE                                                                                             \
    (struct inspect_input)                                                                                             \
    {                                                                                                                  \
        .source = DUMP_SOURCE_NONE                                                                                     \
    }

/* cache_bytes: of blocks in memory; 0: a quarter of what there is. In place: its address must not change. After a
 * failure, too, it is to be closed. */
int inspect_input_open(struct inspect_input *in, const struct plan_options *plan, const char *what,
                       uint64_t cache_bytes, struct err *e);

/* The same of a text in memory. */
int inspect_input_text(struct inspect_input *in, const struct buf *text, const char *name, struct err *e);

/* 0, or why it could not be read, which is why there is no analysis. */
int inspect_input_close(struct inspect_input *in, struct err *e);
