/* SPDX-License-Identifier: Apache-2.0
 *
 * Uploads in parts that a server before us left unfinished in the bucket, when it was killed: aborted after seven days,
 * at our start and every few hours, by a thread of its own. As old as that, those of a shipper that writes to the same
 * prefix without us would be aborted by itself, too.
 */
#pragma once

#include "serve/sink_pool.h"

struct gateway_sweep;

/* Borrows sinks. NULL without a thread, or where the store has no such uploads: then nothing is swept. */
struct gateway_sweep *gateway_sweep_start(struct sink_pool *sinks);
void gateway_sweep_stop(struct gateway_sweep *w); /* NULL: nothing */
