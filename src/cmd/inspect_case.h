/* SPDX-License-Identifier: Apache-2.0
 *
 * The evidence that a command line names by its case: by the beginning of the case's id or of its key. Of several
 * objects the heap dump.
 */
#pragma once

#include "base/err.h"
#include "ship/plan.h"

/* The store's config and the object's key in it (malloc'ed). Several: -FAULT_USAGE, after their URLs on stderr.
 * -FAULT_NO_OBJECT; the store's faults. */
int inspect_case_find(const struct plan_options *plan, const char *operand, struct sink_config *ret, char **ret_key,
                      struct err *e);
