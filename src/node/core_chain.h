/* SPDX-License-Identifier: Apache-2.0
 *
 * The handler that was in core_pattern before us: a core that we don't take goes to it whole; with --chain it gets a
 * copy of the others, too.
 */
#pragma once

#include "base/err.h"
#include "node/crash_facts.h"

/* Starts it with the core of `c` on a pipe. *ret_pipe: to write the core to; -1 with 0: the pattern starts no program,
 * or no core_pattern can be known of the process. -FAULT_NO_PROCESS. */
int core_chain_start(const char *pattern, const struct crash *c, const struct crash_facts *f, int *ret_pipe,
                     struct err *e);

/* Becomes it, with the core on stdin. Returns only if that fails, or the pattern starts no program (0). */
int core_chain_become(const char *pattern, const struct crash *c, const struct crash_facts *f, int core, struct err *e);
