/* SPDX-License-Identifier: Apache-2.0
 *
 * Which file a file is, over renames and restarts: machine, device, inode and birth time; where the file system keeps
 * no birth time, modification time and size instead. The same file gives the same id, so a retry after a crash
 * writes the same key and nothing is stored twice.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { IDENTITY_MAX = 17 }; /* 16 hex digits and NUL */

struct identity {
    char id[IDENTITY_MAX];
    bool by_birth; /* known from the file's first moment on; else only valid once it no longer changes */
    uint64_t dev, ino;
    uint64_t size;
    int64_t birth_ns; /* 0: the file system keeps none */
    int64_t mtime_ns, ctime_ns;
    uid_t uid;
    mode_t mode;
};

/* By descriptor (O_PATH will do). -errno. */
int identity_get(int fd, const char *machine, struct identity *ret);

/* Nothing was written to it, truncated or replaced in between (a rename changes ctime only). */
bool identity_unchanged(const struct identity *before, const struct identity *after);
