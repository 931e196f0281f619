/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. How much of a heap is in use, from a JVM's answer to the diagnostic command GC.heap_info (JDK 9 and
 * newer). Each collector has its format (CollectedHeap::print_on, JDK 11 to 25).
 */
#pragma once

#include <stdint.h>

/* Bytes in use of all generations together, without metaspace. Accepts any text. 0, or -EBADMSG if it has no such
 * number. */
int heapinfo_used(const char *text, uint64_t *ret_bytes);
