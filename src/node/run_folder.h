/* SPDX-License-Identifier: Apache-2.0
 *
 * RUN, the folder that the components of an agent share: STATE/run, or one in memory where the configuration names no
 * state. Its content is of use only while they run.
 */
#pragma once

#include "base/err.h"

/* malloc'ed; state may be NULL. The same for the same agent at each start. NULL: out of memory. */
char *run_folder_path(const char *state);

/* Makes it, for us alone. -FAULT_STATE: it can't be made, or others could write to it. */
int run_folder_make(const char *path, struct err *e);
