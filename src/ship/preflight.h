/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether the store would take evidence now: to be asked before anything that costs (a JVM that stands still for its
 * dump), and at the start of a watch or guard. Opens the store (credentials, region, CA) and asks it by the smallest
 * request that shows it (sink_ops.probe), under the key that evidence would have. Leaves nothing there. Blocks, and
 * initialises TLS: not for a loop.
 */
#pragma once

#include "place/facts.h"
#include "place/whoami.h"
#include "ship/plan.h"

/* 0, or the fault that evidence would meet. What may pass by itself is tried again until patience_ms are over; 0: one
 * try. *sink: opened if it is NULL, the caller's to close either way (it may be NULL still after a failure). facts: may
 * be NULL. */
int preflight(const struct plan *plan, const struct whoami *who, const struct facts *facts, uint64_t patience_ms,
              struct sink **sink, struct err *e);

/* The key of evidence of that name, as it would be made now; malloc'ed; NULL without memory. */
char *preflight_key(const struct plan *plan, const struct whoami *who, const struct facts *facts, const char *name);
