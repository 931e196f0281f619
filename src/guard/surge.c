/* SPDX-License-Identifier: Apache-2.0
 *
 * Points of the last ten seconds: the oldest gives the trend, the lowest the rise.
 */
#include "guard/surge.h"

enum { STEP_MS = 500, WINDOW_MS = SURGE_POINTS * STEP_MS };

void surge_add(struct surge *s, uint64_t at_ms, int64_t bytes)
{
    if (s->count > 0 && at_ms < s->point[s->newest].at_ms + STEP_MS)
        return;
    if (s->count > 0)
        s->newest = (s->newest + 1) % SURGE_POINTS;
    s->point[s->newest].at_ms = at_ms;
    s->point[s->newest].bytes = bytes;
    s->count += s->count < SURGE_POINTS;
}

double surge_speed(const struct surge *s, uint64_t at_ms, int64_t bytes, double quick, uint64_t error)
{
    double trend = 0, rise = 0;

    for (unsigned i = 0; i < s->count; i++) {
        unsigned k = (s->newest + SURGE_POINTS - i) % SURGE_POINTS;
        double grown = (double)bytes - (double)s->point[k].bytes;
        uint64_t age = at_ms - s->point[k].at_ms;

        /* Of points that come less often the last one tells, as old as it is. */
        if (at_ms < s->point[k].at_ms || (age > WINDOW_MS && i > 1))
            break;
        /* Of a shorter time than the whole window: as if nothing had grown before. */
        trend = grown / (double)(age > WINDOW_MS ? age : WINDOW_MS) * 1000;
        rise = grown > rise ? grown : rise;
    }
    return rise > (double)error && quick > trend ? quick : trend;
}
