/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The origin of a HotSpot crash log, by its first lines (VMError::report in vmError.cpp, JDK 5 to 25):
 * signal or error, process, JVM, command line, time.
 */
#pragma once

#include "base/summary.h"
#include "place/origin.h"

/* text: the beginning of the log. Sets the fields of *ret that are found. */
void hserr_origin(const char *text, size_t size, struct origin *ret);

/* text: all of the log. "SIGSEGV (0xb) in C [libzip.so+0x12d3]; thread "main"; VM not at safepoint; OpenJDK ...". 0;
 * -EBADMSG: it is no such log; -ENOMEM. */
int hserr_summary(const void *data, size_t size, struct summary *ret);
