/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading an object to its end, over as many connections as it takes: each goes on where the last one broke, and asks
 * for the same ETag, so that no two objects can be mixed. For stores that speak HTTP.
 */
#pragma once

#include "store/sink.h"

struct ranged_request {
    const char *range; /* a Range header's value; NULL: the whole */
    const char *match; /* an If-Match header's value; NULL: any */
    int (*write)(void *ctx, const void *data, size_t size);
    void *ctx;
};

struct ranged_source {
    const char *name; /* of the store's kind: messages begin with it */
    /* One try: 0, or a fault; -FAULT_EXISTS if the ETag is another. answer: as it came, also with a fault. */
    int (*get)(void *ctx, const struct ranged_request *r, struct http_answer *answer, struct err *e);
    void *ctx;
};

/* A small object whole, in one request, as sink_ops.load. */
int ranged_load(const struct ranged_source *from, const char *key, struct buf *ret, struct err *e);

/* reader->known: what the store said of the object; needed. As sink_ops.read. */
int ranged_read(const struct ranged_source *from, const struct object_reader *reader, struct err *e);
