/* SPDX-License-Identifier: Apache-2.0
 *
 * Folders, watches and scans.
 */
#include "watch/source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"
#include "linux/fskind.h"
#include "linux/inotify.h"
#include "ship/claim.h"
#include "ship/kind.h"

struct source {
    struct source_config config;
    struct source_events events;
    struct folder **named; /* of each of config.files, the folder it lies in */
    int notify_fd;
    struct folder **folder; /* in the order of their watch numbers, which the kernel only counts up */
    size_t count, capacity;
    bool network;
};

enum { DEPTH_MAX = 32, GLOB_MAX = 256, CHANGES_MAX = 10000 };

/* Whether name fits one of the globs; an item may hold several, as in the environment. */
static bool any_glob(const struct opt_list *list, const char *name)
{
    for (unsigned i = 0; i < list->count; i++)
        for (const char *p = list->item[i]; *p;) {
            size_t n = strcspn(p, " \t\n");
            char glob[GLOB_MAX];

            if (n > 0 && n < sizeof(glob)) {
                memcpy(glob, p, n);
                glob[n] = '\0';
                if (fnmatch(glob, name, FNM_PERIOD) == 0)
                    return true;
            }
            p += n + strspn(p + n, " \t\n");
        }
    return false;
}

/* The folder of a FOLDER/GLOB, as it was written; "." where there is none. */
static const char *folder_of_file(const char *file, size_t *ret_size)
{
    const char *slash = strrchr(file, '/');

    *ret_size = slash == file ? 1 : slash ? (size_t)(slash - file) : 1;
    return slash ? file : ".";
}

static bool is_named(const struct source *s, const struct folder *f, const char *name)
{
    for (unsigned i = 0; i < s->config.files.count; i++)
        if (s->named[i] == f && fnmatch(text_base_name(s->config.files.item[i]), name, FNM_PERIOD) == 0)
            return true;
    return false;
}

enum interest source_interest(const struct source *s, const struct folder *f, const char *name)
{
    if (kind_is_segment(name))
        return INTEREST_NONE;
    if (is_named(s, f, name))
        return INTEREST_ORDER;
    if (f->named_only || any_glob(&s->config.exclude, name))
        return INTEREST_NONE;
    if (s->config.include.count > 0)
        return any_glob(&s->config.include, name) ? INTEREST_ORDER : INTEREST_NONE;
    /* A hidden name is one that its writer has not finished with, or a tool's own. */
    if (*name == '.')
        return INTEREST_NONE;
    if (kind_is_proposed(name))
        return INTEREST_NAME;
    return strstr(f->path + strlen(f->root->path), "/.") ? INTEREST_NONE : INTEREST_ANY;
}

static bool wanted(const struct source *s, const struct folder *f, const char *name)
{
    return source_interest(s, f, name) >= INTEREST_ANY;
}

int source_open(const struct folder *f)
{
    const char *rest = f->path + strlen(f->root->path);
    int fd = open(f->root->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    /* One segment at a time: any of them could have become a symlink since. */
    while (fd >= 0 && *(rest += strspn(rest, "/"))) {
        size_t n = strcspn(rest, "/");
        char name[NAME_MAX + 1];
        int parent = fd;

        snprintf(name, sizeof(name), "%.*s", (int)n, rest);
        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0) {
            int r = -errno;

            close(parent);
            return r;
        }
        close(parent);
        rest += n;
    }
    return fd < 0 ? -errno : fd;
}

static void folder_free(struct folder *f)
{
    if (!f)
        return;
    free(f->path);
    free(f);
}

static struct folder *folder_of_watch(const struct source *s, int watch, size_t *ret_index)
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

/* Keeps the order of watch numbers; folders without a watch (-1) come first. */
static int keep_folder(struct source *s, struct folder *f)
{
    size_t at;

    if (s->count == s->capacity) {
        size_t capacity = s->capacity ? s->capacity * 2 : 16;
        struct folder **folder = reallocarray(s->folder, capacity, sizeof(struct folder *));

        if (!folder)
            return -ENOMEM;
        s->folder = folder;
        s->capacity = capacity;
    }
    folder_of_watch(s, f->watch, &at);
    memmove(s->folder + at + 1, s->folder + at, (s->count - at) * sizeof(struct folder *));
    s->folder[at] = f;
    s->count++;
    return 0;
}

static struct folder *folder_at(const struct source *s, const char *path)
{
    for (size_t i = 0; i < s->count; i++)
        if (text_eq(s->folder[i]->path, path))
            return s->folder[i];
    return NULL;
}

static struct folder *root_at(const struct source *s, int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return NULL;
    for (size_t i = 0; i < s->count; i++)
        if (s->folder[i]->root == s->folder[i] && s->folder[i]->dev == st.st_dev && s->folder[i]->ino == st.st_ino)
            return s->folder[i];
    return NULL;
}

/* What fd, just opened under its path, is. */
static void note_folder(struct source *s, struct folder *f, int fd, bool parent_network)
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

static void watch_root(struct source *s, struct folder *f, int fd)
{
    int r = notify_add(s->notify_fd, f->path);

    f->watch = r >= 0 ? r : -1;
    if (r < 0)
        s->events.watch_limit(s->events.ctx, f->path, -r);
    note_folder(s, f, fd, false);
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
    if ((*ret = root_at(s, fd))) {
        folder_free(f); /* given twice, under one name or two */
        return 0;
    }
    watch_root(s, f, fd);
    if (keep_folder(s, f) < 0) {
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

    if (!s)
        return err_set(e, -ENOMEM, "out of memory");
    s->config = *c;
    s->events = *events;
    s->notify_fd = notify_open();
    if (c->files.count > 0 && !(s->named = calloc(c->files.count, sizeof(struct folder *)))) {
        source_free(s);
        return err_set(e, -ENOMEM, "out of memory");
    }
    if (s->notify_fd < 0) {
        r = err_set(e, s->notify_fd, "inotify: %s: raise fs.inotify.max_user_instances", strerror(-s->notify_fd));
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
    if (s->notify_fd >= 0)
        close(s->notify_fd);
    free(s);
}

int source_fd(const struct source *s)
{
    return s->notify_fd;
}

bool source_misses(const struct source *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->folder[i]->missing)
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

static unsigned depth_of(const struct folder *f)
{
    unsigned depth = 0;

    for (const char *p = f->path + strlen(f->root->path); (p = strchr(p, '/')); p++)
        depth++;
    return depth;
}

static void scan_folder(struct source *s, struct folder *f);

/* What is gone needs no second scan. */
static void report_trouble(struct source *s, const struct folder *f, int error)
{
    if (fault_passes(error))
        s->events.trouble(s->events.ctx, f, error);
}

/* The root that is known for some of its files alone, if it is this folder below another one. */
static struct folder *root_below(const struct source *s, const struct folder *parent, const char *name)
{
    CLEANUP_FD int parent_fd = s->config.files.count > 0 ? source_open(parent) : -1;
    CLEANUP_FD int fd = parent_fd >= 0 ? openat(parent_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC) : -1;
    struct folder *f = fd >= 0 ? root_at(s, fd) : NULL;

    return f && f->named_only ? f : NULL;
}

/* A folder below another: watched, and scanned, for what was put into it before the watch was there. */
static void add_folder(struct source *s, struct folder *parent, const char *name)
{
    CLEANUP_FREE char *path = NULL;
    CLEANUP_FD int fd = -1;
    struct folder *f;
    int watch, r;

    if (text_eq(name, STATE_NAME)) {
        s->events.state(s->events.ctx, parent, name);
        return;
    }
    if (!s->config.recursive || parent->named_only || depth_of(parent) >= DEPTH_MAX ||
        asprintf(&path, "%s/%s", parent->path, name) < 0)
        return;
    if ((f = root_below(s, parent, name))) {
        f->named_only = false; /* all of it is watched from now on */
        scan_folder(s, f);
        return;
    }
    if ((f = folder_at(s, path))) {
        scan_folder(s, f);
        return;
    }
    watch = notify_add(s->notify_fd, path);
    if (watch < 0 && watch != -ENOSPC && watch != -ENOMEM)
        return; /* gone again, a symlink, or not ours to read */
    if (watch < 0)
        s->events.watch_limit(s->events.ctx, path, -watch);
    f = calloc(1, sizeof(*f));
    if (!f) {
        report_trouble(s, parent, -ENOMEM);
        return;
    }
    *f = (struct folder){.path = TAKE_PTR(path), .root = parent->root, .watch = watch < 0 ? -1 : watch};
    r = fd = source_open(f);
    if (fd >= 0)
        note_folder(s, f, fd, parent->network);
    if (r < 0 || (r = keep_folder(s, f)) < 0) {
        report_trouble(s, parent, r);
        if (watch >= 0)
            notify_remove(s->notify_fd, watch);
        folder_free(f);
        return;
    }
    scan_folder(s, f);
}

static void scan_folder(struct source *s, struct folder *f)
{
    CLEANUP_DIR DIR *dir = NULL;
    int fd = source_open(f);

    if (fd < 0) {
        report_trouble(s, f, fd);
        return;
    }
    if (!(dir = fdopendir(fd))) {
        report_trouble(s, f, -errno);
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
            add_folder(s, f, d->d_name);
        else if ((d->d_type == DT_REG || d->d_type == DT_UNKNOWN) && wanted(s, f, d->d_name))
            s->events.file(s->events.ctx, f, d->d_name, SIGHT_SCANNED);
    }
    report_trouble(s, f, -errno);
}

void source_scan(struct source *s)
{
    /* New folders join the array while it is walked: by pointer and from a copy. */
    size_t count = s->count;
    CLEANUP_FREE struct folder **all = count ? malloc(count * sizeof(struct folder *)) : NULL;

    if (!all) {
        if (count)
            report_trouble(s, s->folder[0], -ENOMEM);
        return;
    }
    memcpy(all, s->folder, count * sizeof(struct folder *));
    for (size_t i = 0; i < count; i++)
        if (all[i]->root == all[i])
            scan_folder(s, all[i]);
}

static void take_out(struct source *s, size_t at)
{
    memmove(s->folder + at, s->folder + at + 1, (s->count - at - 1) * sizeof(struct folder *));
    s->count--;
}

/* Those below a folder that is not under its path any more: they have moved with it, or are covered. */
static void forget_below(struct source *s, const char *path)
{
    size_t size = strlen(path);

    for (size_t i = 0; i < s->count;) {
        struct folder *f = s->folder[i];

        if (f->root == f || strncmp(f->path, path, size) != 0 || f->path[size] != '/') {
            i++;
            continue;
        }
        s->events.gone(s->events.ctx, f);
        if (f->watch >= 0)
            notify_remove(s->notify_fd, f->watch);
        take_out(s, i);
        folder_free(f);
    }
}

/* A root whose folder is there again, or another one. */
static void find_root_again(struct source *s, struct folder *f, size_t at)
{
    CLEANUP_FD int fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || faccessat(fd, ".", R_OK | X_OK, AT_EACCESS) < 0)
        return;
    take_out(s, at);
    f->missing = false;
    watch_root(s, f, fd);
    keep_folder(s, f);
    s->events.back(s->events.ctx, f);
    scan_folder(s, f);
}

/* What is watched as f is not under its path any more. Another folder there is watched instead. */
static void forget_watch(struct source *s, struct folder *f, size_t at)
{
    CLEANUP_FREE char *path = strdup(f->path);
    struct folder *parent;
    char *name;

    s->events.gone(s->events.ctx, f);
    take_out(s, at);
    if (f->root == f) {
        f->watch = -1; /* stays known: claims point to it */
        f->missing = true;
        keep_folder(s, f);
        forget_below(s, f->path);
        return;
    }
    folder_free(f);
    if (!path || !(name = strrchr(path, '/')))
        return;
    forget_below(s, path);
    *name = '\0';
    if ((parent = folder_at(s, path)))
        add_folder(s, parent, name + 1);
}

static bool is_in_place(const struct folder *f)
{
    struct stat st;

    return !f->missing && stat(f->path, &st) == 0 && st.st_dev == f->dev && st.st_ino == f->ino;
}

void source_check(struct source *s)
{
    unsigned changes = 0; /* bounded: folders may be renamed to and fro without end meanwhile */

    for (size_t i = 0; i < s->count && changes < CHANGES_MAX; i++) {
        struct folder *f = s->folder[i];
        bool missing = f->missing;

        if (is_in_place(f))
            continue;
        if (!missing) {
            changes++;
            if (f->watch >= 0)
                notify_remove(s->notify_fd, f->watch);
            forget_watch(s, f, i);
            i = (size_t)-1; /* the array is another one; what is in place now stays so */
            continue;
        }
        find_root_again(s, f, i);
        if (!f->missing)
            i = (size_t)-1;
    }
}

static void on_notify(void *ctx, int watch, enum notify_what what, const char *name)
{
    struct source *s = ctx;
    size_t at = 0;
    struct folder *f = folder_of_watch(s, watch, &at);

    if (what == NOTIFY_OVERFLOW) {
        s->events.overflow(s->events.ctx);
        return;
    }
    if (!f || (what != NOTIFY_GONE && !name))
        return;
    switch (what) {
    case NOTIFY_CREATED:
        if (wanted(s, f, name))
            s->events.file(s->events.ctx, f, name, SIGHT_CREATED);
        break;
    case NOTIFY_CLOSED:
        if (wanted(s, f, name))
            s->events.file(s->events.ctx, f, name, SIGHT_CLOSED);
        break;
    case NOTIFY_REMOVED:
        if (wanted(s, f, name))
            s->events.file(s->events.ctx, f, name, SIGHT_REMOVED);
        break;
    case NOTIFY_FOLDER:
        if (!text_eq(name, STATE_NAME))
            add_folder(s, f, name);
        break;
    case NOTIFY_FOLDER_REMOVED:
        if (text_eq(name, STATE_NAME))
            s->events.state_gone(s->events.ctx, f);
        break;
    case NOTIFY_GONE:
        forget_watch(s, f, at);
        break;
    case NOTIFY_OVERFLOW:
        break;
    }
}

void source_read(struct source *s)
{
    notify_read(s->notify_fd, on_notify, s);
}
