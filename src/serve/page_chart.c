/* SPDX-License-Identifier: Apache-2.0
 *
 * Bars in a box of given units, stretched by the browser to the width that there is.
 */
#include "serve/page_chart.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/html_svg.h"
#include "base/text.h"

#define DAY_NS (24LL * 3600 * 1000000000LL)

enum { DAYS = 30, DAYS_MAX = 120, STEP = 10, WIDTH = 8, HEIGHT = 60 };

struct days {
    int64_t first, count; /* days since 1970 */
    unsigned cases[DAYS_MAX], most, sum;
};

static const char *day_text(int64_t day, char out[CLOCK_TEXT_MAX])
{
    clock_format(day * DAY_NS, out);
    out[strlen("2026-11-21")] = '\0';
    return out;
}

static int take_day(void *ctx, const char *day, unsigned count)
{
    struct days *d = ctx;
    char whole[CLOCK_TEXT_MAX];
    int64_t ns, at;

    snprintf(whole, sizeof(whole), "%.10sT00:00:00Z", day);
    if (clock_parse(whole, &ns) < 0)
        return 0;
    at = ns / DAY_NS - d->first;
    if (at < 0 || at >= d->count)
        return 0;
    d->cases[at] += count;
    d->sum += count;
    if (d->cases[at] > d->most)
        d->most = d->cases[at];
    return 0;
}

static void write_bars(struct html *h, const struct days *d)
{
    char label[160], first[CLOCK_TEXT_MAX], last[CLOCK_TEXT_MAX];

    snprintf(label, sizeof(label), "Cases a day from %s to %s: %u in all, at most %u a day", day_text(d->first, first),
             day_text(d->first + d->count - 1, last), d->sum, d->most);
    html_svg_begin(h, NULL, (unsigned)d->count * STEP - (STEP - WIDTH), HEIGHT);
    html_attr(h, "role", "img");
    html_attr(h, "aria-label", label);
    for (unsigned i = 0; i < d->count; i++) {
        unsigned height = d->cases[i] && d->most ? 2 + d->cases[i] * (HEIGHT - 2) / d->most : 1;

        html_svg_rect(h, d->cases[i] ? NULL : "zero", (unsigned[]){i * STEP, HEIGHT - height, WIDTH, height});
        html_begin(h, "title");
        html_printf(h, "%s: %u", day_text(d->first + i, first), d->cases[i]);
        html_end(h);
        html_end(h);
    }
    html_end(h);
}

int page_chart_days(struct html *h, struct catalogue *c, const struct catalogue_query *q, struct err *e)
{
    int64_t last = (q->until_ns ? q->until_ns - 1 : clock_wall_ns()) / DAY_NS;
    struct days d = {.first = q->since_ns ? q->since_ns / DAY_NS : last - DAYS + 1};
    struct catalogue_query all = *q;
    char text[CLOCK_TEXT_MAX];
    int r;

    d.count = last - d.first + 1;
    if (d.count < 1)
        return 0;
    if (d.count > DAYS_MAX) {
        d.first = last - DAYS_MAX + 1;
        d.count = DAYS_MAX;
    }
    all.after = NULL;
    all.since_ns = d.first * DAY_NS;
    if ((r = catalogue_days(c, &all, take_day, &d, e)) < 0)
        return r;
    html_begin(h, "figure");
    html_begin(h, "figcaption");
    html_begin(h, "span");
    html_printf(h, "%u case%s in %lld days", d.sum, d.sum == 1 ? "" : "s", (long long)d.count);
    html_end(h);
    html_begin(h, "span");
    if (d.most)
        html_printf(h, "at most %u a day", d.most);
    html_end(h);
    html_end(h);
    write_bars(h, &d);
    html_begin_class(h, "div", "axis");
    html_attr(h, "aria-hidden", "true");
    html_element(h, "span", NULL, day_text(d.first, text));
    html_element(h, "span", NULL, day_text(last, text));
    html_end(h);
    html_end(h);
    return 0;
}
