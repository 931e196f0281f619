/* SPDX-License-Identifier: Apache-2.0
 *
 * What of the options can be judged on this machine before anything is asked of a store: the endpoint and region that
 * they come to, files that they name, the proxy. For commands, at their start; not for the processes that they start
 * later with the same options, which a file that is just being replaced must not end.
 */
#pragma once

#include "ship/plan.h"

/* state, ready: as given; NULL without. 0; -FAULT_USAGE; -FAULT_CREDENTIALS for what is in the credentials' file. */
int plancheck(const struct plan *plan, const char *state, const char *ready, struct err *e);

/* The proxy, for all commands but the one that starts an application with the same environment. */
int plancheck_proxy(const struct plan *plan, struct err *e);
