/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks the store at the start of a watch or guard, long before the first evidence: a wrong key is found by a log
 * line, not by a lost dump. Runs in a small process beside the loop, and logs by itself. Each probe runs in a process
 * of its own, so that TLS and HTTP take no memory in between.
 */
#pragma once

#include "ship/plan.h"

struct storecheck_config {
    const struct plan *plan;
    const char *ready; /* a file that exists while the last check held; NULL: none */
    int stop_fd;       /* a pipe or socket whose other end closes when the check is to end */
};

/* Starts "salvage COMMAND REST..." (rest ends with NULL) to do that; it ends when *ret_fd is closed. The caller reaps
 * it. 0 or -errno. */
int storecheck_launch(char *command, char *const *rest, int *ret_fd);

/* Asks until the store would take evidence, with ready for as long as stop_fd is open. 0 or -errno. */
int storecheck_run(const struct storecheck_config *c);
