/* SPDX-License-Identifier: Apache-2.0
 *
 * Rectangles whose areas are in proportion to weights, as near to squares as can be (Bruls, Huizing, van Wijk:
 * "Squarified Treemaps", 2000).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct treemap_box {
    double x, y, width, height;
};

/* Lays out `count` weights, the largest first, in a box: into out[count]. A weight of 0, and all weights of a box
 * without area, get no area. Together they fill the box. */
void treemap_layout(const uint64_t *weight, size_t count, const struct treemap_box *box, struct treemap_box *out);
