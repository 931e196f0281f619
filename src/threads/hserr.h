/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. What HotSpot's crash log says in its first lines (VMError::report in vmError.cpp, JDK 5 to 25): the
 * signal or the error, process, JVM, command line, time. Foreign bytes: pure.
 */
#pragma once

#include "place/origin.h"

/* text: its beginning; *ret gets what is found there. */
void hserr_origin(const char *text, size_t size, struct origin *ret);
