/* SPDX-License-Identifier: Apache-2.0
 *
 * Our resource limits (setrlimit(2)). The soft limit of descriptors is often 1024, the hard limit far higher: we raise
 * it for ourselves, and restore it for programs that we start for the user.
 */
#pragma once

#include <stdbool.h>

/* Once, at the start: raises the soft limit of descriptors to the hard limit, and ignores SIGXFSZ, so that writing
 * beyond RLIMIT_FSIZE fails with EFBIG. */
void rlimits_raise(void);

/* Whether there are enough descriptors to run at all (libuv aborts without). */
bool rlimits_suffice(void);

enum { RLIMITS_SPARE_MAX = 128 };

/* Whether `count` more descriptors (at most RLIMITS_SPARE_MAX) can be opened: opens and closes them. */
bool rlimits_files_spare(unsigned count);

/* Undoes rlimits_raise, between fork and exec of another program. Async-signal-safe. */
void rlimits_restore(void);
