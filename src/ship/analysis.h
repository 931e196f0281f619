/* SPDX-License-Identifier: Apache-2.0
 *
 * The whole analysis of a heap dump beside other work, of a shipper (--inspect) or a server: nice, in a child in its
 * sandbox (ship/analysis_request.h), one at a time on the machine.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/sink.h"

/* All borrowed. */
struct analysis_order {
    const int *fds; /* of a plain dump, or of a block server (inspect/block_protocol.h) */
    unsigned fd_count;
    uint64_t size; /* of the dump, plain bytes */
    const char *name;
    uint64_t memory; /* of the child, bytes */
    int temporary;   /* a file for what of the graph is beyond a quarter of that; -1: one in TMPDIR, if there is one */
    /* The child has the descriptors. May be NULL. */
    void (*started)(void *ctx);
    bool (*stop)(void *ctx); /* asked several times a second; true: -ECANCELED. May be NULL */
    void *ctx;
};

struct analysis_answer {
    struct buf json; /* analysis.json, schema salvage.analysis/1 */
    struct buf page; /* the same as a page of HTML */
    bool unfiltered; /* there was no seccomp for the child */
};

/* Waits for other analyses first. 0; -FAULT_FORMAT: no dump, or the child crashed; -ETIMEDOUT, -ECANCELED, -ENOMEM,
 * -FAULT_NO_PROCESS. */
int analysis_make(const struct analysis_order *order, struct analysis_answer *ret, struct err *e);
void analysis_answer_done(struct analysis_answer *a);

enum { ANALYSIS_OBJECTS = 2 };

/* What is stored of it, in this order; `key` is only the name (CASE_ANALYSIS …). Borrows from a. */
void analysis_objects(const struct analysis_answer *a, struct small_object ret[ANALYSIS_OBJECTS]);

/* Puts them beside the object of this key (case_answer_key). Fails as sink_ops.put. */
int analysis_store(struct sink *sink, const char *key, const struct analysis_answer *a, struct err *e);
