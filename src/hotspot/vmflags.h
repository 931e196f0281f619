/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. What a running JVM says of one of its options in its answer to the command "VM.flags -all"
 * (jvmFlag.cpp, print_on), one line for each:
 *
 *   ccstr HeapDumpPath                  = /dumps/a b.hprof         {manageable} {command line}
 *   ccstr HeapDumpPath                 := /dumps/a b.hprof         {manageable}                     JDK 8
 *
 * Parses only. The bytes are untrusted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Points into the answer. */
struct vmflag {
    const char *value; /* without the blanks behind it; "" for none */
    size_t size;
    const char *origin; /* who set it: "default", "command line", "management" (JMX, jcmd), "attach" …; NULL unknown */
    size_t origin_size;
};

/* The first line of that option. False if there is none; ret is then untouched. */
bool vmflags_find(const char *text, size_t size, const char *name, struct vmflag *ret);

bool vmflags_is(const struct vmflag *f, const char *value);
bool vmflags_set_by(const struct vmflag *f, const char *origin);
