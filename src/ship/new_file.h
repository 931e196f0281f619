/* SPDX-License-Identifier: Apache-2.0
 *
 * A file that a user wants a heap dump in: not there yet, for the user alone, and visible only when it is whole. Never
 * replaces another file.
 */
#pragma once

#include "base/err.h"
#include "hotspot/heapdump.h"

struct new_file {
    int folder;       /* owned */
    char *copy;       /* of the path; owned */
    const char *name; /* in the folder; points into copy */
};

#define NEW_FILE_NONE                                                                                                  \
    {                                                                                                                  \
        .folder = -1, .name = ""                                                                                       \
    }

/* *ret is NEW_FILE_NONE before. Checks that no file has this path, and that one can be made there: called before the
 * JVM is stopped for the dump. -FAULT_EXISTS, -errno. */
int new_file_open(const char *path, struct new_file *ret, struct err *e);
void new_file_done(struct new_file *f);

/* Moves the dump to the new file. 0; -EEXIST if a file has the path by now; -EINTR after a signal; -errno. On failure
 * the dump stays where it is. */
int new_file_take_dump(const struct new_file *to, struct heapdump *d);
