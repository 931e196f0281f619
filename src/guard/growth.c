/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel charges in batches of 64 pages per processor: over less than a tenth of a second slow growth is lost in
 * noise.
 */
#include "guard/growth.h"

#include <stdbool.h>

enum { SPAN_MS = 125, WINDOW_MS = 1000, SPANS_MIN = 4, LATEST_MIN_MS = 20 };

static const double RATE_MAX = 1e15; /* bytes a second */

/* The point that is back spans older than the newest. */
static unsigned at(const struct growth *g, unsigned back)
{
    return (g->newest + GROWTH_POINTS - back) % GROWTH_POINTS;
}

static void add_point(struct growth *g)
{
    if (g->count > 0)
        g->newest = (g->newest + 1) % GROWTH_POINTS;
    g->point[g->newest].at_ms = g->at_ms;
    g->point[g->newest].bytes = g->bytes;
    g->count += g->count < GROWTH_POINTS;
}

void growth_add(struct growth *g, uint64_t at_ms, int64_t bytes)
{
    if (g->count > 0 && at_ms <= g->at_ms)
        return;
    g->at_ms = at_ms;
    g->bytes = bytes;
    if (g->count == 0 || at_ms - g->point[g->newest].at_ms >= SPAN_MS)
        add_point(g);
}

struct span {
    double bytes, ms;
};

static struct span span_to(const struct growth *g, unsigned back, uint64_t at_ms, int64_t bytes)
{
    return (struct span){(double)bytes - (double)g->point[at(g, back)].bytes,
                         (double)(at_ms - g->point[at(g, back)].at_ms)};
}

/* The span that ended with the point back. */
static struct span span_of(const struct growth *g, unsigned back)
{
    return span_to(g, back + 1, g->point[at(g, back)].at_ms, g->point[at(g, back)].bytes);
}

/* Kept within an int64_t: a limit that is changed to any value makes any room. */
static double rate(struct span s)
{
    double speed = s.ms > 0 ? s.bytes / s.ms * 1000 : 0;

    if (speed < -RATE_MAX)
        return -RATE_MAX;
    return speed > RATE_MAX ? RATE_MAX : speed;
}

double growth_speed(const struct growth *g)
{
    struct span sum = {0}, fastest = {0}, slowest = {0};
    unsigned n = 0;

    for (; n + 1 < g->count && (n < SPANS_MIN || sum.ms < WINDOW_MS); n++) {
        struct span s = span_of(g, n);

        if (n == 0 || rate(s) > rate(fastest))
            fastest = s;
        if (n == 0 || rate(s) < rate(slowest))
            slowest = s;
        sum.bytes += s.bytes;
        sum.ms += s.ms;
    }
    if (n < 2)
        return 0;
    if (sum.bytes <= 0) /* more was freed than allocated: there is no growth trend */
        return rate(sum);
    sum.bytes -= fastest.bytes;
    sum.ms -= fastest.ms;
    if (n >= SPANS_MIN) {
        sum.bytes -= slowest.bytes;
        sum.ms -= slowest.ms;
    }
    return rate(sum);
}

double growth_latest(const struct growth *g)
{
    struct span open;

    if (g->count == 0)
        return 0;
    open = span_to(g, 0, g->at_ms, g->bytes);
    if (open.ms >= LATEST_MIN_MS)
        return rate(open);
    return g->count < 2 ? 0 : rate(span_to(g, 1, g->at_ms, g->bytes));
}

uint64_t growth_time_to(uint64_t room, double speed)
{
    double ms;

    if (speed <= 0 || room == UINT64_MAX)
        return UINT64_MAX;
    ms = (double)room / speed * 1000;
    return ms >= (double)(UINT64_MAX / 2) ? UINT64_MAX : (uint64_t)ms;
}

unsigned pace_ms(uint64_t limit, uint64_t room, uint64_t next, double latest)
{
    double part = limit < 4 ? 1 : (double)limit / 4, leap = part < PACE_LEAP ? part : PACE_LEAP;
    uint64_t quarter = growth_time_to(room, latest > leap ? latest : leap) / 4;
    uint64_t to_next = next == 0 ? UINT64_MAX : growth_time_to(next, latest) / 4;

    if (to_next < quarter)
        quarter = to_next;
    if (quarter < PACE_MIN_MS)
        return PACE_MIN_MS;
    return quarter > PACE_MAX_MS ? PACE_MAX_MS : (unsigned)quarter;
}
