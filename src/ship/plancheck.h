/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks options on this machine, without a request to the store: endpoint and region, the files that they name, the
 * proxy. For commands, when they start. Not for the processes that they start later with the same options: a file that
 * is being replaced at that moment must not end those.
 */
#pragma once

#include "ship/plan.h"

/* state, ready: as given, or NULL. 0; -FAULT_USAGE; -FAULT_CREDENTIALS for a bad credentials file. */
int plancheck(const struct plan *plan, const char *state, const char *ready, struct err *e);

/* The proxy. Not for `run`, whose environment is the application's. */
int plancheck_proxy(const struct plan *plan, struct err *e);
