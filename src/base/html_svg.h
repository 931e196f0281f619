/* SPDX-License-Identifier: Apache-2.0
 *
 * Pictures inside HTML as SVG: rectangles and bars, in a box of given units that the browser stretches. No script, no
 * styles: classes say what is what.
 */
#pragma once

#include "base/html.h"

/* An svg element of width x height units; ended by html_end. The proportions of the picture may change. */
void html_svg_begin(struct html *h, const char *class, unsigned width, unsigned height);

/* A rect element: x, y, width, height; ended by html_end. class may be NULL. */
void html_svg_rect(struct html *h, const char *class, const unsigned at[4]);

/* A bar that is `part` of `whole` long; beside the number that it shows, so it is hidden from screen readers. */
void html_svg_bar(struct html *h, uint64_t part, uint64_t whole);

/* From the middle to the right for growth, to the left for shrinking. */
void html_svg_change(struct html *h, int64_t change, uint64_t most);
