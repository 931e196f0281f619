/* SPDX-License-Identifier: Apache-2.0
 *
 * Which file a file is, over renames and restarts: machine (whoami.h), device, inode and birth time; where the file
 * system keeps no birth time, modification time and size instead. The same file gives the same id, so a retry after a
 * crash writes the same key and nothing is stored twice. A stream is what a process says at one moment: no other is the
 * same.
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
    uint64_t disk;    /* bytes that it takes there: of a sparse file, less than its size */
    int64_t birth_ns; /* 0: the file system keeps none */
    int64_t mtime_ns, ctime_ns;
    uid_t uid;
    mode_t mode;
};

/* By descriptor (O_PATH will do). -errno. */
int identity_get(int fd, const char *machine, struct identity *ret);

/* The id of what process pid, begun at started_ns (0 unknown), says from now_ns on. 0 or -ENOMEM. */
int identity_of_stream(const char *machine, pid_t pid, int64_t started_ns, int64_t now_ns, char ret[IDENTITY_MAX]);

/* Nothing was written to it, truncated or replaced in between (a rename changes ctime only). */
bool identity_unchanged(const struct identity *before, const struct identity *after);
