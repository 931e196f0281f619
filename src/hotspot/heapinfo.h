/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. How much of a heap is in use, from a JVM's answer to the diagnostic command GC.heap_info (JDK 9 and
 * newer): each collector prints in its own way (CollectedHeap::print_on of each, JDK 11 to 25). Knows no other number
 * of it.
 */
#pragma once

#include <stdint.h>

/* Bytes in use of all generations together, without metaspace. Any text will do. 0, or -EBADMSG where the text has
 * none. */
int heapinfo_used(const char *text, uint64_t *ret_bytes);
