/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes of an object in a store, to be read as from a file: a thread reads the store and fills a pipe, which holds it
 * back while nobody reads.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "serve/sink_pool.h"

struct store_stream;

struct store_stream_range {
    const char *key;
    const struct object_info *known; /* from stat: no other version is read */
    uint64_t offset, size;           /* bytes; size > 0, and not beyond the end */
};

/* Borrows from range only for this call. */
int store_stream_open(struct sink_pool *sinks, const struct store_stream_range *range, struct store_stream **ret,
                      struct err *e);
void store_stream_close(struct store_stream *s); /* breaks off what is left */

/* Up to size bytes: their number, 0 at the end of the range; -EIO: the store failed, the log says why. */
ssize_t store_stream_read(struct store_stream *s, void *data, size_t size);
