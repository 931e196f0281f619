/* SPDX-License-Identifier: Apache-2.0
 *
 * PAGEMAP_SCAN of /proc/PID/pagemap (Linux 6.7, Documentation/admin-guide/mm/pagemap.rst): the kernel walks its page
 * tables, and passes over terabytes that are reserved only at once.
 */
#pragma once

#include <stdint.h>

/* pagemap: borrowed. The address of the first page in [start, end) that is in memory or swapped out, end if there is
 * none. start where the kernel can't say; both are addresses of pages. */
uint64_t pagemap_next(int pagemap, uint64_t start, uint64_t end);
