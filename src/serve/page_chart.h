/* SPDX-License-Identifier: Apache-2.0
 *
 * Pictures as inline SVG: no script, no styles; each is said in words, too.
 */
#pragma once

#include "serve/catalogue.h"
#include "serve/html.h"

/* Cases a day, in a figure. The range: from q's since to its until, or the last 30 days. */
int page_chart_days(struct html *h, struct catalogue *c, const struct catalogue_query *q, struct err *e);

/* A bar that is `part` of `whole` long; beside the number that it shows, so it is hidden from screen readers. */
void page_chart_bar(struct html *h, uint64_t part, uint64_t whole);

/* From the middle to the right for growth, to the left for shrinking. */
void page_chart_change(struct html *h, int64_t change, uint64_t most);
