/* SPDX-License-Identifier: Apache-2.0
 *
 * Points of the last ten seconds: the oldest gives the trend, the lowest the rise.
 */
#include "guard/noisy_growth.h"

enum { STEP_MS = 500, WINDOW_MS = NOISY_GROWTH_POINTS * STEP_MS };

void noisy_growth_add(struct noisy_growth *s, uint64_t at_ms, int64_t bytes)
{
    if (s->count > 0 && at_ms < s->point[s->newest].at_ms + STEP_MS)
        return;
    if (s->count > 0)
        s->newest = (s->newest + 1) % NOISY_GROWTH_POINTS;
    s->point[s->newest].at_ms = at_ms;
    s->point[s->newest].bytes = bytes;
    s->count += s->count < NOISY_GROWTH_POINTS;
}

double noisy_growth_speed(const struct noisy_growth *s, uint64_t at_ms, int64_t bytes, double quick, uint64_t error)
{
    double trend = 0, rise = 0;

    for (unsigned i = 0; i < s->count; i++) {
        unsigned k = (s->newest + NOISY_GROWTH_POINTS - i) % NOISY_GROWTH_POINTS;
        double grown = (double)bytes - (double)s->point[k].bytes;
        uint64_t age = at_ms - s->point[k].at_ms;

        /* If points are rarer than that, the previous one counts, however old. */
        if (at_ms < s->point[k].at_ms || (age > WINDOW_MS && i > 1))
            break;
        /* Less history than the window: assume that nothing grew before. */
        trend = grown / (double)(age > WINDOW_MS ? age : WINDOW_MS) * 1000;
        rise = grown > rise ? grown : rise;
    }
    return rise > (double)error && quick > trend ? quick : trend;
}
