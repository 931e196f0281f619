/* SPDX-License-Identifier: Apache-2.0
 *
 * The executables of a core, opened for the process that reads it (linux/sandboxed_process.h): its paths are foreign.
 * Only regular ELF files below one folder are handed out, links lead nowhere else, and there is an end to it.
 */
#pragma once

#include "base/err.h"

struct inspect_files {
    int root; /* -1: none */
    unsigned handed;
};

#define INSPECT_FILES_NONE                                                                                             \
    (struct inspect_files)                                                                                             \
    {                                                                                                                  \
        .root = -1                                                                                                     \
    }

/* root: "/", or where a container's files are. */
int inspect_files_open(struct inspect_files *f, const char *root, struct err *e);
void inspect_files_close(struct inspect_files *f);

/* For struct sandboxed_task: a descriptor, or -errno. */
int inspect_files_hand_out(struct inspect_files *f, const char *path);
