/* SPDX-License-Identifier: Apache-2.0
 *
 * An object in a store, to be read anywhere, as plain_reader.h reads: a few small pieces at first, then one after the
 * other. A piece is a request of its own; what follows on another goes on over one connection.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "serve/sink_pool.h"

struct store_source;

/* known: from stat: no other version is read. Borrows sinks; -ENOMEM. */
int store_source_new(struct sink_pool *sinks, const char *key, const struct object_info *known,
                     struct store_source **ret);
void store_source_free(void *source);

/* For struct plain_source. */
ssize_t store_source_read(void *source, void *data, size_t size, uint64_t at);
