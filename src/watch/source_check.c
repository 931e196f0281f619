/* SPDX-License-Identifier: Apache-2.0
 *
 * Changes of the watched folders themselves: inotify's events, and folders that were removed, came back, or are covered
 * by a mount.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "linux/inotify.h"
#include "ship/claim.h"
#include "ship/spool.h"
#include "watch/source_internal.h"

enum { CHANGES_MAX = 10000 };

static void take_out(struct source *s, size_t at)
{
    memmove(s->folder + at, s->folder + at + 1, (s->count - at - 1) * sizeof(struct folder *));
    s->count--;
}

/* Folders below one that is no longer under its path: they have moved with it, or are covered. */
void source_forget_below(struct source *s, const struct folder *root, const char *path)
{
    size_t size = strlen(path);

    for (size_t i = 0; i < s->count;) {
        struct folder *f = s->folder[i];

        if (f->root == f || (root->in_pod && f->root != root) || strncmp(f->path, path, size) != 0 ||
            f->path[size] != '/') {
            i++;
            continue;
        }
        s->events.gone(s->events.ctx, f);
        if (f->watch >= 0)
            inotify_watch_remove(s->inotify_fd, f->watch);
        f->root->below--;
        take_out(s, i);
        folder_free(f);
    }
}

/* A folder, the same or another, is under the root's path again. */
static void find_root_again(struct source *s, struct folder *f, size_t at)
{
    CLEANUP_FD int fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || faccessat(fd, ".", R_OK | X_OK, AT_EACCESS) < 0)
        return;
    take_out(s, at);
    f->missing = false;
    source_watch_root(s, f, fd);
    source_insert_folder(s, f);
    s->events.back(s->events.ctx, f);
    source_scan_folder(s, f);
}

/* The folder watched as f is no longer under its path. If another one is there, it is watched instead. */
static void forget_folder(struct source *s, struct folder *f, size_t at)
{
    CLEANUP_FREE char *path = strdup(f->path);
    struct folder *parent, *root = f->root;
    char *name;

    s->events.gone(s->events.ctx, f);
    take_out(s, at);
    if (f->root == f) {
        f->watch = -1; /* stays known: claims point to it */
        f->missing = true;
        source_insert_folder(s, f);
        source_forget_below(s, f, f->path);
        if (f->in_pod)
            s->events.pod_changed(s->events.ctx, f);
        return;
    }
    root->below--;
    folder_free(f);
    if (!path || !(name = strrchr(path, '/')))
        return;
    source_forget_below(s, root, path);
    *name = '\0';
    if ((parent = source_find_path(s, root, path)))
        source_add_folder(s, parent, name + 1);
}

static bool is_in_place(const struct folder *f)
{
    CLEANUP_FD int fd = !f->missing && f->root->in_pod ? source_open(f) : -1;
    struct stat st;

    if (f->missing)
        return false;
    return (f->root->in_pod ? fd >= 0 && fstat(fd, &st) == 0 : stat(f->path, &st) == 0) && st.st_dev == f->dev &&
           st.st_ino == f->ino;
}

void source_check(struct source *s)
{
    unsigned changes = 0; /* bounded: folders may be renamed back and forth all the time */

    for (size_t i = 0; i < s->count && changes < CHANGES_MAX; i++) {
        struct folder *f = s->folder[i];
        bool missing = f->missing;

        if (f->hung || (missing && f->in_pod) || is_in_place(f))
            continue;
        if (!missing) {
            changes++;
            if (f->watch >= 0)
                inotify_watch_remove(s->inotify_fd, f->watch);
            forget_folder(s, f, i);
            i = (size_t)-1; /* the array has changed: start again */
            continue;
        }
        find_root_again(s, f, i);
        if (!f->missing)
            i = (size_t)-1;
    }
}

static void on_inotify(void *ctx, int watch, enum inotify_what what, const char *name)
{
    struct source *s = ctx;
    size_t at = 0;
    struct folder *f = source_find_watch(s, watch, &at);

    if (what == INOTIFY_OVERFLOW) {
        s->events.overflow(s->events.ctx);
        return;
    }
    if (!f || (what != INOTIFY_GONE && !name))
        return;
    switch (what) {
    case INOTIFY_CREATED:
        if (source_wants(s, f, name))
            s->events.file(s->events.ctx, f, name, SIGHT_CREATED);
        break;
    case INOTIFY_CLOSED:
        if (source_wants(s, f, name))
            s->events.file(s->events.ctx, f, name, SIGHT_CLOSED);
        break;
    case INOTIFY_REMOVED:
        if (source_wants(s, f, name))
            s->events.file(s->events.ctx, f, name, SIGHT_REMOVED);
        break;
    case INOTIFY_FOLDER:
        if (!text_eq(name, STATE_NAME))
            source_add_folder(s, f, name);
        break;
    case INOTIFY_FOLDER_REMOVED:
        if (text_eq(name, STATE_NAME))
            s->events.state_gone(s->events.ctx, f);
        break;
    case INOTIFY_GONE:
        forget_folder(s, f, at);
        break;
    case INOTIFY_OVERFLOW:
        break;
    }
}

void source_read(struct source *s)
{
    inotify_read(s->inotify_fd, on_inotify, s);
}
