/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. One option in a JVM's answer to "VM.flags -all" (jvmFlag.cpp, print_on), which has a line for each:
 *
 *   ccstr HeapDumpPath                  = /dumps/a b.hprof         {manageable} {command line}
 *   ccstr HeapDumpPath                 := /dumps/a b.hprof         {manageable}                     JDK 8
 *
 * Accepts any bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Points into the answer. */
struct vmflag {
    const char *value; /* without trailing blanks; "" for none */
    size_t size;
    const char *origin; /* who set it: "default", "command line", "management" (JMX, jcmd), "attach" …; NULL unknown */
    size_t origin_size;
};

/* Parses the first line of that option. False, and ret untouched, if there is none. */
bool vmflags_find(const char *text, size_t size, const char *name, struct vmflag *ret);

bool vmflags_is(const struct vmflag *f, const char *value);
bool vmflags_set_by(const struct vmflag *f, const char *origin);
