/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the OOM kills of a saved kernel log, for salvage oom FILE.
 */
#pragma once

#include "base/err.h"
#include "oom/oomkill.h"

/* Called for each kill, which it may change until it returns. k->time_ns is set if the log has times. */
typedef int oom_file_kill(void *ctx, struct oomkill *k, struct err *e);

/* path: "-" is stdin. A date without a time zone is in this machine's; one without a year is the latest that is not
 * in the future. 0, -errno, -FAULT_FORMAT (compressed), or what kill returned. */
int oom_file_read(const char *path, oom_file_kill *kill, void *ctx, struct err *e);
