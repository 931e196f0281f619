/* SPDX-License-Identifier: Apache-2.0
 *
 * inotify watches on folders, with decoded events. The caller owns the descriptor and polls it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum inotify_what {
    INOTIFY_CREATED,        /* a file was made, or moved in: name */
    INOTIFY_CLOSED,         /* a file that was open for writing was closed, or moved in: name */
    INOTIFY_FOLDER,         /* a folder was made or moved in: name */
    INOTIFY_FOLDER_REMOVED, /* a folder was deleted or moved out: name */
    INOTIFY_REMOVED,        /* a file was deleted or moved out: name */
    INOTIFY_GONE, /* the watch has ended: its folder was deleted, moved, unmounted, or inotify_watch_remove was called
                   */
    INOTIFY_OVERFLOW /* events were lost: scan everything; watch is -1 */
};

/* name is "" if there is none; it may contain any byte but '/' and NUL. May call inotify_watch_add and
 * inotify_watch_remove. An unknown watch number is to be ignored: events may have been queued before the watch ended.
 */
typedef void inotify_fn(void *ctx, int watch, enum inotify_what what, const char *name);

int inotify_open(void); /* a non-blocking descriptor, or -errno */

/* A watch number, or -errno (-ENOSPC: fs.inotify.max_user_watches; -ENOTDIR also for a symlink). If the folder is
 * watched already, the old watch ends, with its queued events, and a new number is returned: scan the folder after
 * adding. */
int inotify_watch_add(int fd, const char *path);
void inotify_watch_remove(int fd, int watch);

/* Handles pending events, up to 2 MiB of them (poll(2) shows if there are more). 0 or -errno. */
int inotify_read(int fd, inotify_fn *fn, void *ctx);
