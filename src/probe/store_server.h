/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a file server is `salvage serve`, and where this token may write there: its rights are by namespace.
 */
#pragma once

#include "probe/finding.h"
#include "probe/server_rights.h"
#include "ship/plan.h"

/* Asks about `namespace`, where evidence from here would go; if the token may not write there but in another that it
 * names, about that, with a warning. False: it is no salvage server, or does not say. */
bool probe_server(const struct findings *f, const struct plan *plan, const char *namespace, struct server_rights *ret);
