/* SPDX-License-Identifier: Apache-2.0
 *
 * v1: memory.pressure_level (mm/vmpressure.c). Computed from how many of 512 scanned pages could be reclaimed, so it
 * shows reclaim at work: memory that grows into free room in one leap gives no notice before the limit.
 */
#include <stdio.h>

#include "linux/memsignal.h"

static int open_pressure(struct memsignal *s, const struct memsignal_want *w, struct err *e)
{
    static const char *const levels[] = {"low", "medium", "critical"};
    static const char *const modes[] = {"", ",hierarchy", ",local"}; /* since Linux 4.13 */
    char argument[32];

    snprintf(argument, sizeof(argument), "%s%s", levels[w->level], modes[w->mode]);
    return memsignal_eventfd(s, "memory.pressure_level", argument, e);
}

static int read_pressure(struct memsignal *s, struct memsignal_event *ret)
{
    ret->what = memsignal_drain(s) ? MEMSIGNAL_PRESSURE : 0;
    return 0;
}

const struct memsignal_ops MEMSIGNAL_V1_PRESSURE = {
    .name = "v1.pressure",
    .v1 = true,
    .open = open_pressure,
    .read = read_pressure,
};
