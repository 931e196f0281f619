/* SPDX-License-Identifier: Apache-2.0
 *
 * A watch ends in one way only, whatever the cause: with the kernel's IN_IGNORED, which becomes INOTIFY_GONE. No table
 * of watches is needed: the kernel never uses a number twice.
 */
#include "linux/inotify.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum {
    WATCHED = IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF |
              IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK,
    BUFFER_SIZE = 32 * 1024, /* at least one event: 16 bytes and NAME_MAX + 1 */
    ROUNDS_MAX = 64
};

int inotify_open(void)
{
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

int inotify_watch_add(int fd, const char *path)
{
    assert(fd >= 0);
    int watch = inotify_add_watch(fd, path, WATCHED | IN_MASK_CREATE);

    if (watch >= 0)
        return watch;
    if (errno != EEXIST)
        return -errno;

    /* Watched already, under the name before a move: its IN_MOVE_SELF may still be queued, and would end the watch if
     * it were used again. So the old watch is removed, and a new one is added. */
    watch = inotify_add_watch(fd, path, WATCHED);
    if (watch < 0)
        return -errno;
    inotify_rm_watch(fd, watch);
    watch = inotify_add_watch(fd, path, WATCHED | IN_MASK_CREATE);
    return watch < 0 ? -errno : watch;
}

void inotify_watch_remove(int fd, int watch)
{
    inotify_rm_watch(fd, watch);
}

static void decode(int fd, const struct inotify_event *event, inotify_fn *fn, void *ctx)
{
    const char *name = event->len > 0 ? event->name : "";
    int watch = event->wd;

    if (event->mask & IN_Q_OVERFLOW) {
        fn(ctx, -1, INOTIFY_OVERFLOW, "");
    } else if (event->mask & IN_IGNORED) {
        fn(ctx, watch, INOTIFY_GONE, "");
    } else if (event->mask & IN_MOVE_SELF) {
        /* the kernel would go on watching the folder at its new place; a deletion or unmount ends the watch by itself
         */
        inotify_rm_watch(fd, watch);
    } else if (event->mask & IN_ISDIR) {
        if (event->mask & (IN_CREATE | IN_MOVED_TO))
            fn(ctx, watch, INOTIFY_FOLDER, name);
        else if (event->mask & (IN_DELETE | IN_MOVED_FROM))
            fn(ctx, watch, INOTIFY_FOLDER_REMOVED, name);
    } else if (event->mask & IN_CREATE) {
        fn(ctx, watch, INOTIFY_CREATED, name);
    } else if (event->mask & IN_CLOSE_WRITE) {
        fn(ctx, watch, INOTIFY_CLOSED, name);
    } else if (event->mask & IN_MOVED_TO) {
        fn(ctx, watch, INOTIFY_CREATED, name);
        fn(ctx, watch, INOTIFY_CLOSED, name);
    } else if (event->mask & (IN_MOVED_FROM | IN_DELETE)) {
        fn(ctx, watch, INOTIFY_REMOVED, name);
    }
}

int inotify_read(int fd, inotify_fn *fn, void *ctx)
{
    char buffer[BUFFER_SIZE] __attribute__((aligned(__alignof__(struct inotify_event))));

    /* Bounded, so that a process that creates files without end can't block the loop. */
    for (unsigned round = 0; round < ROUNDS_MAX; round++) {
        ssize_t size = read(fd, buffer, sizeof(buffer));
        if (size < 0) {
            if (errno == EINTR)
                continue;
            return errno == EAGAIN ? 0 : -errno;
        }
        for (size_t at = 0; at + sizeof(struct inotify_event) <= (size_t)size;) {
            const struct inotify_event *event = (const struct inotify_event *)(const void *)(buffer + at);
            decode(fd, event, fn, ctx);
            at += sizeof(*event) + event->len;
        }
    }
    return 0;
}
