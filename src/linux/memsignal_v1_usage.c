/* SPDX-License-Identifier: Apache-2.0
 *
 * v1: a threshold of memory.usage_in_bytes. It fires on each crossing, up or down, without the direction: the receiver
 * takes a sample. The kernel checks only after 128 pages were charged on one CPU: half a MiB for each CPU may be
 * missed.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "linux/memsignal.h"

static int open_usage(struct memsignal *s, const struct memsignal_want *w, struct err *e)
{
    char bytes[24];

    if (w->usage_bytes == 0)
        return err_set(e, -EINVAL, "a threshold of 0 bytes is never crossed");
    snprintf(bytes, sizeof(bytes), "%" PRIu64, w->usage_bytes);
    return memsignal_eventfd(s, "memory.usage_in_bytes", bytes, e);
}

static int read_usage(struct memsignal *s, struct memsignal_event *ret)
{
    ret->what = memsignal_drain(s) ? MEMSIGNAL_CROSSED : 0;
    return 0;
}

const struct memsignal_ops MEMSIGNAL_V1_USAGE = {
    .name = "v1.usage",
    .v1 = true,
    .open = open_usage,
    .read = read_usage,
};
