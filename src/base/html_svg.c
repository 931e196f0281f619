/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole units: a thousand to a bar are finer than any screen.
 */
#include "base/html_svg.h"

#include <stdio.h>

enum { BAR_UNITS = 1000 };

void html_svg_rect(struct html *h, const char *class, const unsigned at[4])
{
    static const char *const names[] = {"x", "y", "width", "height"};

    html_begin_class(h, "rect", class);
    for (unsigned i = 0; i < 4; i++)
        html_attr_number(h, names[i], at[i]);
}

void html_svg_begin(struct html *h, const char *class, unsigned width, unsigned height)
{
    char box[48];

    snprintf(box, sizeof(box), "0 0 %u %u", width, height);
    html_begin_class(h, "svg", class);
    html_attr(h, "viewBox", box);
    html_attr(h, "preserveAspectRatio", "none");
}

void html_svg_bar(struct html *h, uint64_t part, uint64_t whole)
{
    /* Numbers of a stored answer may be anything: a part may be more than its whole. */
    unsigned width = part < whole ? (unsigned)((double)part / (double)whole * BAR_UNITS) : whole ? BAR_UNITS : 0;

    html_svg_begin(h, "bar", BAR_UNITS, 10);
    html_attr(h, "aria-hidden", "true");
    html_svg_rect(h, "rest", (unsigned[]){0, 0, BAR_UNITS, 10});
    html_end(h);
    html_svg_rect(h, NULL, (unsigned[]){0, 0, width, 10});
    html_end(h);
    html_end(h);
}

void html_svg_change(struct html *h, int64_t change, uint64_t most)
{
    double size = change < 0 ? -(double)change : (double)change, part = most ? size / (double)most : 0;
    unsigned half = BAR_UNITS / 2, width = (unsigned)((part < 1 ? part : 1) * half);

    html_svg_begin(h, "bar", BAR_UNITS, 10);
    html_attr(h, "aria-hidden", "true");
    html_svg_rect(h, "rest", (unsigned[]){0, 0, BAR_UNITS, 10});
    html_end(h);
    html_svg_rect(h, change < 0 ? "less" : NULL, (unsigned[]){change < 0 ? half - width : half, 0, width, 10});
    html_end(h);
    html_end(h);
}
