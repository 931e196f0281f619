/* SPDX-License-Identifier: Apache-2.0
 *
 * Scans: all names in a folder and in the folders below it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"
#include "linux/inotify.h"
#include "ship/claim.h"
#include "ship/spool.h"
#include "watch/pod_folder.h"
#include "watch/source_internal.h"

enum { DEPTH_MAX = 32 };

unsigned source_depth(const struct folder *f)
{
    unsigned depth = 0;

    for (const char *p = f->path + strlen(f->root->path); (p = strchr(p, '/')); p++)
        depth++;
    return depth;
}

/* A folder that was removed needs no second scan. */
static void report_scan_error(struct source *s, const struct folder *f, int error)
{
    if (fault_is_transient(error))
        s->events.trouble(s->events.ctx, f, error);
}

/* The root that was given for some of its files only, if this folder below another one is the same. */
static struct folder *root_below(const struct source *s, const struct folder *parent, const char *name)
{
    CLEANUP_FD int parent_fd = s->config.files.count > 0 ? source_open(parent) : -1;
    CLEANUP_FD int fd = parent_fd >= 0 ? openat(parent_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC) : -1;
    struct folder *f = fd >= 0 ? source_find_root(s, fd) : NULL;

    return f && f->named_only ? f : NULL;
}

/* Whether a folder below a root in a pod is watched, too. */
static bool is_within_limits(struct source *s, const struct folder *parent)
{
    struct folder *root = parent->root;

    if (root->below < SOURCE_POD_FOLDERS_MAX && source_depth(parent) < SOURCE_POD_DEPTH_MAX)
        return true;
    if (!root->below_limited)
        s->events.pod_limited(s->events.ctx, root);
    root->below_limited = true;
    return false;
}

/* By the descriptor: the path of a folder in a pod leads nowhere. Not one that is a root itself. */
static int watch_in_pod(struct source *s, const struct folder *f)
{
    CLEANUP_FD int fd = source_open(f);

    return fd < 0 ? fd : source_find_root(s, fd) ? -EEXIST : source_watch_folder(s, f, fd);
}

/* A folder below another: watched, then scanned for what was put into it before the watch. */
void source_add_folder(struct source *s, struct folder *parent, const char *name)
{
    const struct pod_folder *in_pod = parent->root->in_pod;
    CLEANUP_FREE char *path = NULL;
    CLEANUP_FD int fd = -1;
    struct folder *f;
    int watch, r;

    if (in_pod && in_pod->below) {
        if (text_eq(name, in_pod->below))
            s->events.pod_changed(s->events.ctx, parent->root);
        return;
    }

    if (text_eq(name, STATE_NAME)) {
        s->events.state(s->events.ctx, parent, name);
        return;
    }
    if ((!s->config.recursive && !in_pod) || parent->named_only || source_depth(parent) >= DEPTH_MAX ||
        !source_selects_folder(s, parent, name) || asprintf(&path, "%s/%s", parent->path, name) < 0)
        return;
    if ((f = root_below(s, parent, name))) {
        f->named_only = false; /* from now on all of its names count */
        source_scan_folder(s, f);
        return;
    }
    if ((f = source_find_path(s, parent->root, path))) {
        source_scan_folder(s, f);
        return;
    }
    if (in_pod && !is_within_limits(s, parent))
        return;
    watch = in_pod ? watch_in_pod(s, &(struct folder){.path = path, .root = parent->root})
                   : inotify_watch_add(s->inotify_fd, path);
    if (watch < 0 && watch != -ENOSPC && watch != -ENOMEM)
        return; /* removed, a symlink, or unreadable */
    if (watch < 0)
        s->events.watch_limit(s->events.ctx, path, -watch);
    f = calloc(1, sizeof(*f));
    if (!f) {
        report_scan_error(s, parent, -ENOMEM);
        return;
    }
    *f = (struct folder){.path = TAKE_PTR(path), .root = parent->root, .watch = watch < 0 ? -1 : watch};
    r = fd = source_open(f);
    if (fd >= 0)
        source_note_folder(s, f, fd, parent->network);
    if (r < 0 || (r = source_insert_folder(s, f)) < 0) {
        report_scan_error(s, parent, r);
        if (watch >= 0)
            inotify_watch_remove(s->inotify_fd, watch);
        folder_free(f);
        return;
    }
    f->root->below++;
    source_scan_folder(s, f);
}

void source_scan_folder(struct source *s, struct folder *f)
{
    CLEANUP_DIR DIR *dir = NULL;
    int fd = f->hung ? -EAGAIN : source_open(f);

    if (f->hung)
        return;
    if (fd < 0) {
        report_scan_error(s, f, fd);
        return;
    }
    if (!(dir = fdopendir(fd))) {
        report_scan_error(s, f, -errno);
        close(fd);
        return;
    }
    for (struct dirent *d; (errno = 0, d = readdir(dir));) {
        struct stat st;
        bool folder = d->d_type == DT_DIR;

        if (text_eq(d->d_name, ".") || text_eq(d->d_name, ".."))
            continue;
        if (d->d_type == DT_UNKNOWN)
            folder = fstatat(fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
        if (folder)
            source_add_folder(s, f, d->d_name);
        else if ((d->d_type == DT_REG || d->d_type == DT_UNKNOWN) && source_wants(s, f, d->d_name))
            s->events.file(s->events.ctx, f, d->d_name, SIGHT_SCANNED);
    }
    report_scan_error(s, f, -errno);
}

void source_scan(struct source *s)
{
    /* New folders are added to the array while it is walked: so a copy of its pointers is walked. */
    size_t count = s->count;
    CLEANUP_FREE struct folder **all = count ? malloc(count * sizeof(struct folder *)) : NULL;

    if (!all) {
        if (count)
            report_scan_error(s, s->folder[0], -ENOMEM);
        return;
    }
    memcpy(all, s->folder, count * sizeof(struct folder *));
    for (size_t i = 0; i < count; i++)
        if (all[i]->root == all[i])
            source_scan_folder(s, all[i]);
}
