/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The origin of a HotSpot crash log, by its first lines (VMError::report in vmError.cpp, JDK 5 to 25):
 * signal or error, process, JVM, command line, time.
 */
#pragma once

#include "place/origin.h"

/* text: the beginning of the log. Sets the fields of *ret that are found. */
void hserr_origin(const char *text, size_t size, struct origin *ret);
