/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks the store at the start of a watch or guard, long before the first evidence: a log line reports a wrong key,
 * not a lost dump. Runs in a small process beside the loop, which logs the result. Each probe runs in a process of its
 * own, so that TLS and HTTP take no memory in between.
 */
#pragma once

#include "ship/plan.h"

struct storecheck_config {
    const struct plan *plan;
    const char *ready; /* a file that exists while the last check was successful; NULL: none */
    int stop_fd;       /* a pipe or socket; the check ends when its other end closes. A socket gets WIRE_FACTS */
};

/* Starts "salvage COMMAND REST..." (rest ends with NULL) for the check; it ends when *ret_fd is closed. The caller
 * reaps it. 0 or -errno. */
int storecheck_launch(char *command, char *const *rest, int *ret_fd);

/* Probes until the store would take evidence; with `ready`, until stop_fd is closed. 0 or -errno. */
int storecheck_run(const struct storecheck_config *c);
