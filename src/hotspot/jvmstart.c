/* SPDX-License-Identifier: Apache-2.0
 *
 * inotify on /tmp for new folders, and on each such folder for new files.
 */
#include "hotspot/jvmstart.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

enum { EVENTS_SIZE = 8 * 1024, PATH_SIZE = 4096 };

static const char PREFIX[] = "hsperfdata_";

static void watch_folder(struct jvmstart *s, const char *name)
{
    char path[PATH_SIZE];

    if (snprintf(path, sizeof(path), "%s/%s", s->folder, name) < (int)sizeof(path))
        inotify_add_watch(s->fd, path, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR | IN_DONT_FOLLOW);
}

void jvmstart_open(struct jvmstart *s, const char *folder)
{
    CLEANUP_DIR DIR *tmp = NULL;

    assert(s->fd < 0);
    s->folder = folder;
    s->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (s->fd < 0)
        return;
    s->tmp = inotify_add_watch(s->fd, folder, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
    if ((tmp = file_opendir(AT_FDCWD, folder)))
        for (const struct dirent *d; (d = readdir(tmp));)
            if (text_starts(d->d_name, PREFIX))
                watch_folder(s, d->d_name);
}

static bool is_start(struct jvmstart *s, const struct inotify_event *event)
{
    if (event->mask & IN_Q_OVERFLOW)
        return true;
    if (event->wd != s->tmp)
        return (event->mask & (IN_CREATE | IN_MOVED_TO)) != 0;
    if (!(event->mask & IN_ISDIR) || event->len == 0 || !text_starts(event->name, PREFIX))
        return false;
    watch_folder(s, event->name);
    return true;
}

bool jvmstart_read(struct jvmstart *s)
{
    _Alignas(struct inotify_event) char events[EVENTS_SIZE];
    bool start = false;
    ssize_t n;

    while ((n = read(s->fd, events, sizeof(events))) > 0)
        for (const char *at = events; at < events + n;) {
            const struct inotify_event *event = (const struct inotify_event *)(const void *)at;

            start = is_start(s, event) || start;
            at += sizeof(*event) + event->len;
        }
    return start;
}

void jvmstart_done(struct jvmstart *s)
{
    if (s->fd >= 0)
        close(s->fd);
    *s = (struct jvmstart)JVMSTART_NONE;
}
