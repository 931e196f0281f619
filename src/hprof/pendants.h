/* SPDX-License-Identifier: Apache-2.0
 *
 * Pendants: nodes to which one edge alone leads, and which lead to nothing but pendants; at most three in a row. A
 * String with its characters is two.
 */
#pragma once

#include "hprof/dominators.h"

/* Sets d->pendant. Without g->several there are none. */
int pendants_find(const struct graph *g, struct dominators *d);

static inline bool pendants_has(const struct dominators *d, uint32_t node)
{
    return graph_bit(&d->pendant[0], node) || graph_bit(&d->pendant[1], node) || graph_bit(&d->pendant[2], node);
}

/* Sets over of all pendants below nodes that are none and are reachable, of which over is set. */
void pendants_hang(const struct graph *g, struct dominators *d);
