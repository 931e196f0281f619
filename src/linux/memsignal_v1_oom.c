/* SPDX-License-Identifier: Apache-2.0
 *
 * v1: memory.oom_control. The kernel reports before it kills and before it counts; the counter's rise may be seen only
 * at the next reading. It also notifies all listeners when the cgroup is removed, which is not an OOM.
 */
#include <errno.h>

#include "linux/memsignal.h"

static int open_oom(struct memsignal *s, const struct memsignal_want *w, struct err *e)
{
    int r = memsignal_eventfd(s, "memory.oom_control", "", e);

    (void)w;
    if (r == 0)
        memcg_events(s->memcg, false, &s->seen); /* before Linux 4.13 nothing is counted */
    return r;
}

static int read_oom(struct memsignal *s, struct memsignal_event *ret)
{
    struct cgroup_events now;
    uint64_t fired = memsignal_drain(s);
    int r = memcg_events(s->memcg, false, &now);

    if (r == -ENODEV)
        return r;
    if (r == 0)
        memsignal_compare(s, &now, ret);
    if (fired)
        ret->what |= MEMSIGNAL_OOM;
    return 0;
}

const struct memsignal_ops MEMSIGNAL_V1_OOM = {
    .name = "v1.oom",
    .v1 = true,
    .open = open_oom,
    .read = read_oom,
};
