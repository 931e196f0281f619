/* SPDX-License-Identifier: Apache-2.0
 *
 * What a piece of evidence says, found out while it is shipped: by a child in a sandbox, which reads the same file
 * behind us, or gets a copy of a stream. It never stops the shipping: who feeds it waits for it for two seconds in all,
 * and who asks for its answer at most digest_stage_patience_ms. Its crash costs its answer. A server, which has time,
 * gives it a deadline instead, and may give it blocks of an object.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/summary.h"
#include "ship/content.h"

struct digest_stage;

struct digest_source {
    const char *kind; /* ship/kind.h */
    enum content content;
    int fd;                  /* of a file, for reading; -1: a stream, or blocks */
    const int *blocks;       /* the two descriptors of a block server (inspect/block_protocol.h); NULL: none */
    uint64_t deadline_ms;    /* from its start: for all of it; 0: the patience above */
    bool (*stop)(void *ctx); /* asked while its answer is waited for; true: -ECANCELED. May be NULL */
    void *ctx;
};

/* Whether such evidence can be digested. */
bool digest_stage_exists(const struct digest_source *source);

/* -FAULT_NO_PROCESS, -ENOMEM. source->fd stays the caller's. */
int digest_stage_new(const struct digest_source *source, struct digest_stage **ret, struct err *e);
void digest_stage_free(struct digest_stage *s);

/* The file is there up to offset `to`. */
void digest_stage_reach(struct digest_stage *s, uint64_t to);

/* The next bytes of a stream. False: it takes no more. */
bool digest_stage_feed(struct digest_stage *s, const void *data, size_t size);

/* It was started by a thread of idle priority (linux/priority.h), which now is back to the usual. */
void digest_stage_usual(struct digest_stage *s);

/* There is no more: `size` bytes in all. */
void digest_stage_end(struct digest_stage *s, uint64_t size);

struct digest_answer {
    struct summary summary;
    struct buf json; /* digest.json; empty: none for this kind */
    bool unfiltered; /* there was no seccomp for the child */
};

/* After digest_stage_end (of blocks: at once): waits for the answer. 0; what failed: -ETIMEDOUT, -FAULT_FORMAT, ... */
int digest_stage_collect(struct digest_stage *s, struct digest_answer *ret, struct err *e);
void digest_answer_done(struct digest_answer *a);

/* For how long the answer is waited for: more for more bytes. */
uint64_t digest_stage_patience_ms(uint64_t size);

/* Parses an answer of the child, which is foreign. 0 or -FAULT_FORMAT, -ENOMEM. */
int digest_answer_parse(const struct buf *text, struct digest_answer *ret, struct err *e);
