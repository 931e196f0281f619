/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. What a javacore says of itself in its first lines (OpenJ9's javadump.cpp): the event that it was made
 * for (1TISIGINFO), when (1TIDATETIME), under which name (1TIFILENAME), the JVM, its process and command line (1CI...).
 * Foreign bytes: pure.
 */
#pragma once

#include "place/origin.h"

/* text: its beginning; *ret gets what is found there. */
void javacore_origin(const char *text, size_t size, struct origin *ret);
