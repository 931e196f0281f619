/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether the store's server can be reached: proxy, name, address, TLS, HTTP, and how its clock compares with ours.
 */
#pragma once

#include <stdbool.h>

#include "probe/finding.h"
#include "ship/plan.h"

/* origin: sink_origin's. True if the server answers, whatever it answers. */
bool probe_connection(const struct findings *f, const struct plan *plan, const char *origin);
