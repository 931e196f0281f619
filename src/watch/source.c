/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of watched folders: opened, searched, and freed.
 */
#include "watch/source.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"
#include "linux/fskind.h"
#include "linux/inotify.h"
#include "watch/pod_folder.h"
#include "watch/source_internal.h"

/* The folder of a FOLDER/GLOB, as it was written; "." if it has none. */
static const char *folder_of_file(const char *file, size_t *ret_size)
{
    const char *slash = strrchr(file, '/');

    *ret_size = slash == file ? 1 : slash ? (size_t)(slash - file) : 1;
    return slash ? file : ".";
}

/* Segment by segment: any of them may have become a symlink since. Takes fd. */
static int walk(int fd, const char *rest)
{
    while (fd >= 0 && *(rest += strspn(rest, "/"))) {
        size_t n = strcspn(rest, "/");
        char name[NAME_MAX + 1];
        int parent = fd, error;

        snprintf(name, sizeof(name), "%.*s", (int)n, rest);
        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        error = errno;
        close(parent);
        errno = error;
        rest += n;
    }
    return fd < 0 ? -errno : fd;
}

/* Nor may anything be mounted there. */
static int open_in_pod(const struct pod_folder *in, const char *rest)
{
    CLEANUP_FD int root = pod_folder_open(in);
    CLEANUP_FD int fd = -1;

    if (root < 0 || !*rest)
        return root < 0 ? root : TAKE_FD(root);
    if ((fd = walk(fcntl(root, F_DUPFD_CLOEXEC, 3), rest)) < 0)
        return TAKE_FD(fd);
    return pod_folder_same_mount(root, fd) ? TAKE_FD(fd) : -EXDEV;
}

int source_open(const struct folder *f)
{
    const char *rest = f->path + strlen(f->root->path);

    return f->root->in_pod ? open_in_pod(f->root->in_pod, rest)
                           : walk(open(f->root->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rest);
}

void folder_free(struct folder *f)
{
    if (!f)
        return;
    pod_folder_free(f->in_pod);
    free(f->path);
    free(f);
}

struct folder *source_find_watch(const struct source *s, int watch, size_t *ret_index)
{
    size_t low = 0, high = s->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (s->folder[middle]->watch < watch)
            low = middle + 1;
        else
            high = middle;
    }
    if (ret_index)
        *ret_index = low;
    return low < s->count && s->folder[low]->watch == watch ? s->folder[low] : NULL;
}

/* Inserts in the order of watch numbers; folders without a watch (-1) come first. */
int source_insert_folder(struct source *s, struct folder *f)
{
    size_t at;

    if (array_reserve(&s->folder, s->count + 1, &s->capacity, sizeof(struct folder *), SIZE_MAX) < 0)
        return -ENOMEM;
    source_find_watch(s, f->watch, &at);
    memmove(s->folder + at + 1, s->folder + at, (s->count - at) * sizeof(struct folder *));
    s->folder[at] = f;
    s->count++;
    return 0;
}

struct folder *source_find_path(const struct source *s, const struct folder *root, const char *path)
{
    for (size_t i = 0; i < s->count; i++)
        if ((s->folder[i]->root == root || !root->in_pod) && text_eq(s->folder[i]->path, path))
            return s->folder[i];
    return NULL;
}

struct folder *source_find_root(const struct source *s, int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return NULL;
    for (size_t i = 0; i < s->count; i++)
        if (s->folder[i]->root == s->folder[i] && s->folder[i]->dev == st.st_dev && s->folder[i]->ino == st.st_ino)
            return s->folder[i];
    return NULL;
}

/* Records the identity of fd, which was just opened under its path. */
void source_note_folder(struct source *s, struct folder *f, int fd, bool parent_network)
{
    struct fskind kind;
    struct stat st;

    f->network = fskind_get(fd, &kind) == 0 && kind.network;
    if (f->network && !parent_network)
        s->events.network(s->events.ctx, f, kind.name);
    s->network |= f->network || f->watch < 0;
    if (fstat(fd, &st) == 0) {
        f->dev = st.st_dev;
        f->ino = st.st_ino;
    }
}

int source_watch_folder(struct source *s, const struct folder *f, int fd)
{
    char path[64];

    if (!f->root->in_pod)
        return inotify_watch_add(s->inotify_fd, f->path);
    snprintf(path, sizeof(path), "/proc/self/fd/%d/.", fd);
    return inotify_watch_add(s->inotify_fd, path);
}

void source_watch_root(struct source *s, struct folder *f, int fd)
{
    int r = source_watch_folder(s, f, fd);

    f->watch = r >= 0 ? r : -1;
    if (r < 0)
        s->events.watch_limit(s->events.ctx, f->path, -r);
    source_note_folder(s, f, fd, false);
}

static int add_root(struct source *s, const char *path, bool named_only, struct folder **ret, struct err *e)
{
    struct folder *f = calloc(1, sizeof(*f));
    CLEANUP_FD int fd = -1;
    int r;

    if (!f || !(f->path = strdup(path))) {
        free(f);
        return err_set(e, -ENOMEM, "out of memory");
    }
    f->root = f;
    f->watch = -1;
    f->named_only = named_only;
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || faccessat(fd, ".", R_OK | X_OK, AT_EACCESS) < 0) {
        r = -errno;
        folder_free(f);
        return err_set(e, -FAULT_FOLDER, "cannot watch %s: %s%s", path, strerror(-r),
                       r == -EACCES ? ": run as a user who may read it" : "");
    }
    if ((*ret = source_find_root(s, fd))) {
        folder_free(f); /* given twice, under one name or two */
        return 0;
    }
    source_watch_root(s, f, fd);
    if (source_insert_folder(s, f) < 0) {
        folder_free(f);
        return err_set(e, -ENOMEM, "out of memory");
    }
    *ret = f;
    return 0;
}

static int add_file(struct source *s, const char *file, struct folder **ret, struct err *e)
{
    size_t size;
    const char *folder = folder_of_file(file, &size);
    CLEANUP_FREE char *path = strndup(folder, size);

    if (!path)
        return err_set(e, -ENOMEM, "out of memory");
    return add_root(s, path, true, ret, e);
}

int source_new(const struct source_config *c, const struct source_events *events, struct source **ret, struct err *e)
{
    struct source *s = calloc(1, sizeof(*s));
    struct folder *root;
    int r = 0;

    assert(c->dir_count + c->files.count > 0 || c->pods);
    if (!s)
        return err_set(e, -ENOMEM, "out of memory");
    s->config = *c;
    s->events = *events;
    s->inotify_fd = inotify_open();
    if (c->files.count > 0 && !(s->named = calloc(c->files.count, sizeof(struct folder *)))) {
        source_free(s);
        return err_set(e, -ENOMEM, "out of memory");
    }
    if (s->inotify_fd < 0) {
        r = err_set(e, s->inotify_fd, "inotify: %s: raise fs.inotify.max_user_instances", strerror(-s->inotify_fd));
        source_free(s);
        return r;
    }
    for (unsigned i = 0; r == 0 && i < c->dir_count; i++)
        r = add_root(s, c->dirs[i], false, &root, e);
    for (unsigned i = 0; r == 0 && i < c->files.count; i++)
        r = add_file(s, c->files.item[i], &s->named[i], e);
    if (r < 0) {
        source_free(s);
        return r;
    }
    *ret = s;
    return 0;
}

void source_free(struct source *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->count; i++)
        folder_free(s->folder[i]);
    free(s->folder);
    free(s->named);
    if (s->inotify_fd >= 0)
        close(s->inotify_fd);
    free(s);
}

int source_fd(const struct source *s)
{
    return s->inotify_fd;
}

bool source_has_missing_root(const struct source *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->folder[i]->missing && !s->folder[i]->in_pod)
            return true;
    return false;
}

bool source_has_network(const struct source *s)
{
    return s->network;
}

void source_each(struct source *s, void (*fn)(void *ctx, struct folder *f), void *ctx)
{
    for (size_t i = 0; i < s->count; i++)
        fn(ctx, s->folder[i]);
}

void source_each_root(struct source *s, void (*fn)(void *ctx, struct folder *f), void *ctx)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->folder[i]->root == s->folder[i])
            fn(ctx, s->folder[i]);
}
