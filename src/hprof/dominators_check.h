/* SPDX-License-Identifier: Apache-2.0
 *
 * Dominators a second time, by another algorithm, that shares nothing with the first: Cooper, Harvey, Kennedy, "A
 * Simple, Fast Dominance Algorithm" (2001). Slow, and takes 20 bytes a node.
 */
#pragma once

#include "hprof/dominators.h"

/* 0: d is right; -EILSEQ: it is not; -ENOMEM. */
int dominators_check(const struct graph *g, const struct dominators *d);
