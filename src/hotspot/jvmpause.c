/* SPDX-License-Identifier: Apache-2.0
 *
 * Two readings of one counter.
 */
#include "hotspot/jvmpause.h"

#include "base/clock.h"
#include "base/mem.h"
#include "hotspot/counters.h"

static int64_t read_ticks(const struct jvm *j, int64_t *ret_per_second)
{
    CLEANUP(counters_done) struct counters c = {0};
    struct err ignored;
    int64_t ticks;

    if (counters_read(&j->proc, &c, &ignored) < 0 || !hsperf_long(&c.perf, "sun.rt.safepointTime", &ticks) ||
        !hsperf_long(&c.perf, "sun.os.hrt.frequency", ret_per_second) || ticks < 0 || *ret_per_second <= 0)
        return -1;
    return ticks;
}

void jvmpause_begin(const struct jvm *j, struct jvmpause *ret)
{
    *ret = (struct jvmpause){.begun_us = 0};
    ret->ticks = read_ticks(j, &ret->per_second);
    ret->begun_us = clock_mono_us();
}

struct pause jvmpause_end(const struct jvm *j, const struct jvmpause *p)
{
    uint64_t took_us = clock_mono_us() - p->begun_us, us;
    int64_t per_second = 0, ticks = p->ticks < 0 ? -1 : read_ticks(j, &per_second);

    /* The JVM can't have stood still for longer than its answer took, whatever the counter says. */
    if (ticks < p->ticks || ticks < 0 || per_second != p->per_second)
        return pause_of(PAUSE_ANSWER, took_us);
    us = (uint64_t)((double)(ticks - p->ticks) * 1e6 / (double)per_second);
    return us <= took_us ? pause_of(PAUSE_SAFEPOINT, us) : pause_of(PAUSE_ANSWER, took_us);
}
