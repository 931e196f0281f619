/* SPDX-License-Identifier: Apache-2.0
 *
 * Which suspect of one heap is which of the other. Ids are addresses, which a collector changes: the same is what has
 * the same holder ("static com.shop.Cart.CACHE (java.util.HashMap)"), or a group of the same class, or what hangs on
 * threads of the same kind and accumulates the same. What was no suspect is looked for among the largest of the other
 * heap's dominator tree.
 */
#pragma once

#include "inspect/comparison.h"

/* Sets the suspects of *ret from two analyses. */
void suspects_match(const json_t *before, const json_t *after, struct comparison *ret);
