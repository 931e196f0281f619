/* SPDX-License-Identifier: Apache-2.0
 *
 * The heap dump that a command line names by its case: by the beginning of the case's id or of its key.
 */
#pragma once

#include "base/err.h"
#include "ship/plan.h"

/* The store's config and the dump's key in it (malloc'ed). Several dumps: -FAULT_USAGE, after their URLs on stderr.
 * -FAULT_NO_OBJECT; the store's faults. */
int inspect_case_find(const struct plan_options *plan, const char *operand, struct sink_config *ret, char **ret_key,
                      struct err *e);
