/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The origin of a javacore, by its first lines (OpenJ9's javadump.cpp): the event (1TISIGINFO), time
 * (1TIDATETIME), file name (1TIFILENAME), JVM, process and command line (1CI...).
 */
#pragma once

#include "place/origin.h"

/* text: the beginning of the javacore. Sets the fields of *ret that are found. */
void javacore_origin(const char *text, size_t size, struct origin *ret);
