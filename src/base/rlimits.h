/* SPDX-License-Identifier: Apache-2.0
 *
 * Our own resource limits (setrlimit(2)). The soft limit of descriptors is often 1024 where the hard one is far higher:
 * we need ours, and a program that we start for the user gets back the limits it would have had without us.
 */
#pragma once

#include <stdbool.h>

/* Once, at the start: the soft limit of descriptors becomes the hard one; a file that grows beyond RLIMIT_FSIZE is an
 * error of write(2), EFBIG, and no SIGXFSZ. */
void rlimits_raise(void);

/* Whether there are descriptors enough to say, at least, that there are too few (libuv aborts without). */
bool rlimits_suffice(void);

enum { RLIMITS_SPARE_MAX = 128 };

/* Whether so many more descriptors can be opened (no more than RLIMITS_SPARE_MAX): by opening them. */
bool rlimits_files_spare(unsigned count);

/* Between fork and exec of a program that is not ours: undoes rlimits_raise. Safe in a signal handler. */
void rlimits_restore(void);
