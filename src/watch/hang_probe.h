/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether network file systems (FUSE, NFS and the like) respond. A call to one whose server hangs does not return, and
 * not even SIGKILL ends it: so a child makes the first call. A child that hangs is left behind, and examined again in
 * the next round.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "watch/source.h"

enum { HANG_PROBES_MAX = 64, HANG_PROBE_MS = 5000 };

struct hang_probe {
    struct hang_ask {
        uint64_t dev;
        pid_t child; /* 0: it has answered */
        bool hung;
    } ask[HANG_PROBES_MAX];
    unsigned count;
    uint64_t until_ms; /* of this round; monotonic */
    unsigned changed;  /* in this round: number of file systems that began to hang, or respond again */
};

/* Begins a round: one child for each network file system of the source's folders. Beyond HANG_PROBES_MAX, or if no
 * child can be started, a file system counts as responding. */
void hang_probe_begin(struct hang_probe *p, struct source *s);

/* Whether the round is over: all have responded, or HANG_PROBE_MS have passed. Sets each folder's `hung` then. Never
 * waits. */
bool hang_probe_is_over(struct hang_probe *p, struct source *s);
