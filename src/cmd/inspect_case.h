/* SPDX-License-Identifier: Apache-2.0
 *
 * The evidence that a command line names by its case: by the beginning of the case's id or of its key. Of several
 * objects the heap dump, the core, or the crash log.
 */
#pragma once

#include "cmd/inspect_input.h"

/* Sets config and key, and crash_logs, if the object's case has one. Several objects: -FAULT_USAGE, after their URLs on
 * stderr. -FAULT_NO_OBJECT; the store's faults. */
int inspect_case_find(const struct plan_options *plan, const char *operand, struct inspect_input *in, struct err *e);
