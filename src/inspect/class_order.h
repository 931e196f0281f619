/* SPDX-License-Identifier: Apache-2.0
 *
 * The histogram of a heap in order.
 */
#pragma once

#include "hprof/heap.h"

/* The numbers of all types, those with most bytes first; malloc'ed. */
uint32_t *class_order(const struct heap *h);
