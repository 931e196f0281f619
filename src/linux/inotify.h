/* SPDX-License-Identifier: Apache-2.0
 *
 * inotify: watches on folders, and the events decoded. Owns the descriptor; the loop polls it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum notify_what {
    NOTIFY_CREATED,        /* a file was made, or moved in: name */
    NOTIFY_CLOSED,         /* a file that was open for writing was closed, or moved in: name */
    NOTIFY_FOLDER,         /* a folder was made or moved in: name */
    NOTIFY_FOLDER_REMOVED, /* a folder was deleted or moved out: name */
    NOTIFY_REMOVED,        /* a file was deleted or moved out: name */
    NOTIFY_GONE,    /* the watch has ended: its folder was deleted, moved, unmounted, or notify_remove was called */
    NOTIFY_OVERFLOW /* events were lost: scan everything; watch is -1 */
};

/* name is "" where there is none; it may hold any byte but '/' and NUL. May call notify_add and notify_remove. A watch
 * number that the caller does not know is to be ignored: events may still be queued behind its end. */
typedef void notify_fn(void *ctx, int watch, enum notify_what what, const char *name);

int notify_open(void); /* a non-blocking descriptor, or -errno */

/* A watch number, or -errno (-ENOSPC: fs.inotify.max_user_watches; -ENOTDIR also for a symlink). A folder that is
 * watched already gets a new number and the old one ends, with what is queued for it: scan the folder after adding. */
int notify_add(int fd, const char *path);
void notify_remove(int fd, int watch);

/* What is there, up to 2 MiB of it (poll(2) says if there is more). 0 or -errno. */
int notify_read(int fd, notify_fn *fn, void *ctx);
