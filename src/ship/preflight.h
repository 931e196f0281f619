/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether the store would take evidence now. Used before anything that costs the application time (a JVM stands still
 * for its dump), and at the start of a watch or guard. Opens the store (credentials, region, CA) and sends the smallest
 * request that shows it (sink_ops.probe), for the key that evidence would have. Leaves nothing there. Blocks, and
 * initialises TLS: not for a loop.
 */
#pragma once

#include "place/facts.h"
#include "place/whoami.h"
#include "ship/plan.h"

/* All borrowed. */
struct preflight {
    const struct plan *plan;
    const struct whoami *who;
    const struct facts *facts; /* may be NULL */
    uint64_t patience_ms;      /* for how long a fault that may pass is tried again; 0: one try */
};

/* 0, or the fault that evidence would meet. *sink: opened if it is NULL; the caller closes it in any case (after a
 * failure it may still be NULL). */
int preflight_run(const struct preflight *p, struct sink **sink, struct err *e);

/* The key that evidence of that name would get now; malloc'ed; NULL without memory. */
char *preflight_key(const struct preflight *p, const char *name);
