/* SPDX-License-Identifier: Apache-2.0
 *
 * Kills in a saved kernel log, for salvage oom FILE.
 */
#pragma once

#include "base/err.h"
#include "oom/oomkill.h"

/* A kill, the callee's until it returns; its time is set where the log says it. */
typedef int oom_file_kill(void *ctx, struct oomkill *k, struct err *e);

/* path: "-" is stdin. A date without a zone is of this machine's; without a year, of the last year that is not in the
 * future. -errno, -FAULT_FORMAT (compressed), or what kill returned. */
int oom_file_read(const char *path, oom_file_kill *kill, void *ctx, struct err *e);
