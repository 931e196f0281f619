/* SPDX-License-Identifier: Apache-2.0
 *
 * Pictures as inline SVG: no script, no styles; each is said in words, too.
 */
#pragma once

#include "base/html.h"
#include "serve/catalogue.h"

/* Cases a day, in a figure. The range: from q's since to its until, or the last 30 days. */
int page_chart_days(struct html *h, struct catalogue *c, const struct catalogue_query *q, struct err *e);
