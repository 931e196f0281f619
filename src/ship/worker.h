/* SPDX-License-Identifier: Apache-2.0
 *
 * The worker's end of a watch: ships one claim after the other, as the pool sends them through a channel (ship/wire.h).
 * Blocks. Has no loop, and decides neither which claim is next nor when one is tried again.
 */
#pragma once

#include "place/layout.h"
#include "place/whoami.h"
#include "ship/plan.h"

struct worker_config {
    const struct plan *plan;
    const struct whoami *who;
    char *const *dirs;           /* the watched folders; NULL at the end */
    const struct layout *layout; /* NULL: all evidence is of our own pod */
    int channel;                 /* borrowed */
};

/* Until the other end of the channel is closed: 0, or -errno of the channel. */
int worker_serve(const struct worker_config *c);
