/* SPDX-License-Identifier: Apache-2.0
 *
 * Sinks of one store, for many threads: each belongs to the thread that has taken it until it is given back, and keeps
 * its connection meanwhile. All share the credentials of the first (sink_ops.share). Thread-safe.
 */
#pragma once

#include "base/err.h"
#include "store/sink.h"

struct sink_pool;

/* Opens the first one, so that what is wrong with the configuration shows at once. store is borrowed. */
int sink_pool_new(const struct sink_config *store, struct sink_pool **ret, struct err *e);
void sink_pool_free(struct sink_pool *p); /* all are back by then */

/* Opens one if none is free. Fails as sink_open. */
int sink_pool_take(struct sink_pool *p, struct sink **ret, struct err *e);
void sink_pool_give(struct sink_pool *p, struct sink *s); /* NULL: nothing */
