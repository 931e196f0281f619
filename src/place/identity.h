/* SPDX-License-Identifier: Apache-2.0
 *
 * The identity of a file, stable over renames and restarts: machine (whoami.h), device, inode and birth time; without a
 * birth time modification time and size. The same file has the same id, so a retry after a crash writes the same key
 * and nothing is stored twice. A stream, the output of a process at one moment, has a unique id.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { IDENTITY_MAX = 17 }; /* 16 hex digits and NUL */

struct identity {
    char id[IDENTITY_MAX];
    bool by_birth; /* valid from the file's creation on; else only once it no longer changes */
    uint64_t dev, ino;
    uint64_t size;
    uint64_t disk;    /* bytes on disk: of a sparse file less than its size */
    int64_t birth_ns; /* 0: the file system keeps none */
    int64_t mtime_ns, ctime_ns;
    uid_t uid;
    mode_t mode;
};

/* By descriptor (O_PATH is enough). 0 or -errno. */
int identity_get(int fd, const char *machine, struct identity *ret);

/* The id of a stream from process pid, started at started_ns (0 unknown), taken at now_ns. 0 or -ENOMEM. */
int identity_of_stream(const char *machine, pid_t pid, int64_t started_ns, int64_t now_ns, char ret[IDENTITY_MAX]);

/* Whether the file was not written to, truncated or replaced in between (a rename changes ctime only). */
bool identity_unchanged(const struct identity *before, const struct identity *after);
