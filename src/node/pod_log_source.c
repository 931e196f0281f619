/* SPDX-License-Identifier: Apache-2.0
 *
 * One watch for each folder: the root, a pod, a container. A folder is scanned after it is watched, so that nothing
 * that is made meanwhile is missed.
 */
#include "node/pod_log_source.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "linux/inotify.h"

enum { WATCHES_MAX = 16384, RESTARTS_MAX = 1000000000 };

struct folder {
    int watch;
    char uid[PODUID_MAX];
    char *name; /* of the pod's folder, or "POD/CONTAINER"; owned */
};

struct pod_log_source {
    char *dir;
    const struct pod_log_ops *ops;
    void *ctx;
    int fd, root; /* root: its watch */
    struct folder *folder;
    size_t count, capacity;
    bool lost;   /* events were lost */
    bool gone;   /* the root is */
    int failure; /* a watch could not be added */
};

DEFINE_CLEANUP(struct pod_log_source *, pod_log_source_free)

static void forget_all(struct pod_log_source *s)
{
    while (s->count > 0) {
        inotify_watch_remove(s->fd, s->folder[--s->count].watch);
        free(s->folder[s->count].name);
    }
}

static struct folder *find_folder(const struct pod_log_source *s, int watch)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->folder[i].watch == watch)
            return &s->folder[i];
    return NULL;
}

static void forget(struct pod_log_source *s, struct folder *f)
{
    free(f->name);
    *f = s->folder[--s->count];
}

/* 0 if it has gone meanwhile, too: *ret is NULL then. */
static int add_folder(struct pod_log_source *s, const char *name, const char *uid, const struct folder **ret)
{
    char path[PATH_MAX];
    struct folder f = {.watch = -1};

    *ret = NULL;
    if (snprintf(path, sizeof(path), "%s/%s", s->dir, name) >= (int)sizeof(path))
        return 0;
    if (array_reserve(&s->folder, s->count + 1, &s->capacity, sizeof(*s->folder), WATCHES_MAX) < 0)
        return -ENOSPC;
    if (!(f.name = strdup(name)))
        return -ENOMEM;
    if ((f.watch = inotify_watch_add(s->fd, path)) < 0) {
        free(f.name);
        return f.watch == -ENOENT || f.watch == -ENOTDIR ? 0 : f.watch;
    }
    memcpy(f.uid, uid, strlen(uid) + 1);
    s->folder[s->count] = f;
    *ret = &s->folder[s->count++];
    return 0;
}

/* "3.log" */
static bool parse_log(const char *name, uint64_t *ret)
{
    size_t size = strspn(name, "0123456789");
    char number[16];

    if (size == 0 || size >= sizeof(number) || !text_eq(name + size, ".log"))
        return false;
    memcpy(number, name, size);
    number[size] = '\0';
    return text_parse_uint(number, RESTARTS_MAX, ret) == 0;
}

static void report_log(struct pod_log_source *s, const struct folder *f, const char *file)
{
    uint64_t restarts;

    if (parse_log(file, &restarts))
        s->ops->container(s->ctx, f->uid, text_base_name(f->name), restarts);
}

static DIR *open_folder(const struct pod_log_source *s, const char *name)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", s->dir, name);
    return file_opendir(AT_FDCWD, path);
}

/* name: "POD/CONTAINER" */
static int scan_container(struct pod_log_source *s, const char *name, const char *uid)
{
    const struct folder *f;
    int r = add_folder(s, name, uid, &f);
    CLEANUP_DIR DIR *dir = r == 0 && f ? open_folder(s, name) : NULL;

    for (const struct dirent *d; dir && (d = readdir(dir));)
        report_log(s, f, d->d_name);
    return r;
}

static int add_container(struct pod_log_source *s, const char *pod, const char *uid, const char *name)
{
    char path[2 * NAME_MAX + 2];

    if (*name == '.' || strlen(name) >= CONTAINERNAME_MAX ||
        snprintf(path, sizeof(path), "%s/%s", pod, name) >= (int)sizeof(path))
        return 0;
    return scan_container(s, path, uid);
}

static int64_t made_ns(const DIR *dir)
{
    struct stat st;

    return fstat(dirfd((DIR *)dir), &st) == 0 ? st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec : 0;
}

static int add_pod(struct pod_log_source *s, const char *name)
{
    struct pod_logs_names names;
    char uid[PODUID_MAX];
    const struct folder *f;
    int r;

    if (!pod_logs_parse(name, &names, uid))
        return 0;
    if ((r = add_folder(s, name, uid, &f)) < 0 || !f)
        return r;
    CLEANUP_DIR DIR *dir = open_folder(s, name);

    if (!dir)
        return 0;
    s->ops->pod(s->ctx, uid, &names, made_ns(dir));
    for (const struct dirent *d; (d = readdir(dir)) && r == 0;)
        r = add_container(s, name, uid, d->d_name);
    return r;
}

static int on_root(struct pod_log_source *s, enum inotify_what what, const char *name)
{
    struct pod_logs_names names;
    char uid[PODUID_MAX];

    if (what == INOTIFY_GONE)
        s->gone = true;
    else if (what == INOTIFY_FOLDER)
        return add_pod(s, name);
    else if (what == INOTIFY_FOLDER_REMOVED && pod_logs_parse(name, &names, uid))
        s->ops->removed(s->ctx, uid);
    return 0;
}

/* A pod's folder gets one for each container, and that gets logs. */
static int on_folder(struct pod_log_source *s, struct folder *f, enum inotify_what what, const char *name)
{
    const struct folder copy = *f; /* the list moves when it grows */
    bool is_pod = !strchr(f->name, '/');

    if (what == INOTIFY_GONE)
        forget(s, f);
    else if (what == INOTIFY_CREATED && !is_pod)
        report_log(s, f, name);
    else if (what == INOTIFY_FOLDER && is_pod)
        return add_container(s, copy.name, copy.uid, name);
    return 0;
}

static void on_event(void *ctx, int watch, enum inotify_what what, const char *name)
{
    struct pod_log_source *s = ctx;
    struct folder *f = watch >= 0 && watch != s->root ? find_folder(s, watch) : NULL;
    int r = 0;

    if (what == INOTIFY_OVERFLOW)
        s->lost = true;
    else if (watch == s->root)
        r = on_root(s, what, name);
    else if (f)
        r = on_folder(s, f, what, name);
    if (r < 0)
        s->failure = r;
}

int pod_log_source_scan(struct pod_log_source *s, struct err *e)
{
    CLEANUP_DIR DIR *dir = file_opendir(AT_FDCWD, s->dir);
    int r = dir ? 0 : -errno;

    if (r == 0) {
        s->ops->scan_begins(s->ctx);
        for (const struct dirent *d; dir && (d = readdir(dir)) && r == 0;)
            r = add_pod(s, d->d_name);
    }
    if (r < 0)
        return err_set(e, r, "%s: %s", s->dir, strerror(-r));
    s->ops->scan_ends(s->ctx);
    return 0;
}

int pod_log_source_new(const char *dir, const struct pod_log_ops *ops, void *ctx, struct pod_log_source **ret,
                       struct err *e)
{
    CLEANUP(pod_log_source_free_ptr) struct pod_log_source *s = calloc(1, sizeof(*s));

    assert(dir && ops && ret);
    if (!s || !(s->dir = strdup(dir))) {
        if (s)
            s->fd = -1;
        return err_set(e, -ENOMEM, "out of memory");
    }
    s->ops = ops;
    s->ctx = ctx;
    if ((s->fd = inotify_open()) < 0)
        return err_set(e, s->fd, "inotify: %s", strerror(-s->fd));
    if ((s->root = inotify_watch_add(s->fd, dir)) < 0)
        return err_set(e, s->root, "%s: %s", dir, strerror(-s->root));
    *ret = TAKE_PTR(s);
    return 0;
}

void pod_log_source_free(struct pod_log_source *s)
{
    if (!s)
        return;
    if (s->fd >= 0) {
        forget_all(s);
        close(s->fd);
    }
    free(s->folder);
    free(s->dir);
    free(s);
}

int pod_log_source_fd(const struct pod_log_source *s)
{
    return s->fd;
}

int pod_log_source_act(struct pod_log_source *s, struct err *e)
{
    int r = inotify_read(s->fd, on_event, s);

    if (r == 0)
        r = s->failure;
    if (r < 0)
        return err_set(e, r, "%s: inotify: %s", s->dir, strerror(-r));
    if (s->gone)
        return err_set(e, -ENOENT, "%s: the folder was removed or unmounted", s->dir);
    if (s->lost) {
        s->lost = false;
        forget_all(s);
        return pod_log_source_scan(s, e);
    }
    return 0;
}
