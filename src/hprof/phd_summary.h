/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The classes of a portable heap dump that have most bytes.
 */
#pragma once

#include <stddef.h>

#include "base/summary.h"

/* "1.2 GiB in 20102441 objects; most: byte[] 611.2 MiB (1200)" and the largest classes. Sizes are as in
 * hprof/phd_layout.h. 0; -EBADMSG: it is none; -ENOMEM. */
int phd_summary(const void *data, size_t size, struct summary *ret);
