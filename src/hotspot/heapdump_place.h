/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a JVM can write a heap dump: the folders to try, and whether one has room. For hotspot/heapdump.c only.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "hotspot/jvm.h"

enum {
    HEAPDUMP_FOLDERS = 3,
    HEAPDUMP_SEGMENTING_JDK = 22 /* from this JDK on several threads write segments, which are merged at the end */
};

/* The folders to try, in order; strings are owned. */
struct heapdump_folders {
    char *path[HEAPDUMP_FOLDERS];
    unsigned count;
};

/* The wanted folder only; if it is NULL that of HeapDumpPath, the working folder, /tmp. Paths are the JVM's. 0 or
 * -ENOMEM; ret, zeroed before, is to be freed in any case. */
int heapdump_folders_find(const struct jvm *j, const char *wanted, struct heapdump_folders *ret);
void heapdump_folders_done(struct heapdump_folders *f);

/* Whether a dump of a heap with so many bytes in use (0: unknown, not checked) fits into a folder: its descriptor, and
 * its path for the message. 0, or -ENOSPC with the numbers. */
int heapdump_check_room(const struct jvm *j, uint64_t in_use, const char *path, int folder, struct err *e);
