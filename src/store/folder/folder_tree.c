/* SPDX-License-Identifier: Apache-2.0
 *
 * Walking the folders of a file store. Holds one descriptor per level, and goes no deeper than DEPTH_MAX.
 */
#include "store/folder/folder_tree.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "linux/fskind.h"

enum {
    DEPTH_MAX = 32,
    READ_SIZE = 256 * 1024,
    OPEN_FOLDER = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
    FOLDER_MODE = 0755
};

static int fail_full(const struct file_store *s, int error, struct err *e)
{
    char free_text[TEXT_SIZE_MAX];
    struct fskind k = {0};

    if (error == EDQUOT)
        return err_set(e, -FAULT_FULL, "file: the quota at %s is used up: delete old cases or raise it", s->path);
    if (s->root < 0 || fskind_get(s->root, &k) < 0)
        return err_set(e, -FAULT_FULL, "file: no room left at %s: delete old cases", s->path);
    return err_set(e, -FAULT_FULL, "file: no room left at %s (%s free): delete old cases", s->path,
                   text_format_size(k.free_bytes, free_text));
}

int file_tree_fail(const struct file_store *s, int error, const char *doing, const char *key, struct err *e)
{
    const char *slash = *key ? "/" : "";

    switch (error) {
    case ENOSPC:
    case EDQUOT:
        return fail_full(s, error, e);
    case EROFS:
        return err_set(e, -FAULT_DENIED, "file: cannot %s %s%s%s: the file system is mounted read-only", doing, s->path,
                       slash, key);
    case EACCES:
    case EPERM:
        return err_set(e, -FAULT_DENIED, "file: cannot %s %s%s%s: %s for uid %u: check its owner and mode", doing,
                       s->path, slash, key, strerror(error), (unsigned)geteuid());
    case ENOENT:
        return err_set(e, -FAULT_NO_OBJECT, "file: %s%s%s does not exist", s->path, slash, key);
    case ELOOP:
    case ENOTDIR:
        return err_set(e, -FAULT_REFUSED,
                       "file: cannot %s %s%s%s: a folder on its path is not one (symlinks are not followed)", doing,
                       s->path, slash, key);
    case EISDIR:
    case ENAMETOOLONG:
    case EINVAL:
    case EFBIG:
        return err_set(e, -FAULT_REFUSED, "file: cannot %s %s%s%s: %s", doing, s->path, slash, key, strerror(error));
    case ESTALE:
    case ETIMEDOUT:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENOTCONN:
        return err_set(e, -FAULT_UNREACHABLE, "file: cannot %s %s%s%s: %s: is the file server up?", doing, s->path,
                       slash, key, strerror(error));
    default:
        return err_set(e, -error, "file: cannot %s %s%s%s: %s", doing, s->path, slash, key, strerror(error));
    }
}

/* One step down; fd is open for reading, so that a folder made in it can be made durable. */
static int step(int fd, const char *name, bool make)
{
    int next = openat(fd, name, OPEN_FOLDER), r;

    if (next >= 0 || errno != ENOENT || !make)
        return next < 0 ? -errno : next;
    if (mkdirat(fd, name, FOLDER_MODE) < 0) {
        if (errno != EEXIST)
            return -errno;
    } else if ((r = file_fsync_folder(fd)) < 0) {
        return r;
    }
    next = openat(fd, name, OPEN_FOLDER);
    return next < 0 ? -errno : next;
}

int file_tree_open(struct file_store *s, bool make, struct err *e)
{
    const char *name = strrchr(s->path, '/') + 1;
    CLEANUP_FREE char *parent = strndup(s->path, (size_t)(name - s->path));
    CLEANUP_FD int above = -1;

    if (s->root >= 0)
        return 0;
    s->root = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->root >= 0)
        return 0;
    if (errno != ENOENT || !parent)
        return file_tree_fail(s, parent ? errno : ENOMEM, "open", "", e);
    above = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (above < 0)
        return err_set(e, -FAULT_NO_BUCKET, "file: the folder %s does not exist, nor the one it would lie in", s->path);
    if (!make)
        return err_set(e, -FAULT_NO_OBJECT, "file: the folder %s does not exist", s->path);
    int r = step(above, name, true);
    if (r < 0)
        return file_tree_fail(s, -r, "make", "", e);
    s->root = r;
    return 0;
}

/* Down from the root along the segments of path: the last one's descriptor, or negative. */
static int walk(struct file_store *s, const char *path, bool make, struct err *e)
{
    CLEANUP_FREE char *copy = strdup(path);
    CLEANUP_FD int fd = -1;
    int r = file_tree_open(s, make, e);

    if (r < 0)
        return r;
    fd = openat(s->root, ".", OPEN_FOLDER);
    if (!copy || fd < 0)
        return file_tree_fail(s, copy ? errno : ENOMEM, "open", "", e);
    for (char *name = copy, *end; *name; name = end) {
        end = strchrnul(name, '/');
        if (*end)
            *end++ = '\0';
        if (!*name)
            continue;
        if (text_eq(name, ".") || text_eq(name, ".."))
            return file_tree_fail(s, EINVAL, "open", path, e);
        int next = step(fd, name, make);
        if (next < 0)
            return file_tree_fail(s, -next, make ? "make the folder" : "open", path, e);
        close(fd);
        fd = next;
    }
    return TAKE_FD(fd);
}

int file_tree_parent(struct file_store *s, const char *key, bool make, const char **ret_name, struct err *e)
{
    assert(key && ret_name);
    const char *slash = strrchr(key, '/'), *name = text_base_name(key);
    CLEANUP_FREE char *folder = slash ? strndup(key, (size_t)(slash - key)) : strdup("");
    int fd;

    if (!folder)
        return file_tree_fail(s, ENOMEM, "open", key, e);
    if (!*name || text_eq(name, ".") || text_eq(name, ".."))
        return err_set(e, -FAULT_REFUSED, "file: '%s' is no name for an object", key);
    /* Another process may remove an empty folder just as we make one in it. */
    for (int tries = 0; (fd = walk(s, folder, make, e)) == -FAULT_NO_OBJECT && make && tries < 3;)
        tries++;
    if (fd >= 0)
        *ret_name = name;
    return fd;
}

struct listing {
    struct file_store *store;
    struct buf key; /* of the folder we are in, with a '/' behind it; "" at the root */
    int (*fn)(void *ctx, const struct sink_listing_entry *entry);
    void *ctx;
    uint64_t seen;
    struct err *e;
};

static int list_folder(struct listing *l, int fd, unsigned depth);

/* l->key is that of the entry by now. */
static int list_entry(struct listing *l, int fd, const char *name, unsigned depth)
{
    struct stat st;

    if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : file_tree_fail(l->store, errno, "look at", buf_text(&l->key), l->e);
    if (S_ISREG(st.st_mode)) {
        struct sink_listing_entry entry = {
            .key = buf_text(&l->key),
            .size = (uint64_t)st.st_size,
            .time_ns = st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec,
        };
        return l->fn(l->ctx, &entry);
    }
    if (!S_ISDIR(st.st_mode) || depth >= DEPTH_MAX)
        return 0;
    int next = openat(fd, name, OPEN_FOLDER);
    if (next < 0) {
        if (errno == ENOENT || errno == EACCES || errno == ENOTDIR || errno == ELOOP)
            return 0;
        return file_tree_fail(l->store, errno, "open", buf_text(&l->key), l->e);
    }
    if (buf_add_text(&l->key, "/") < 0) {
        close(next);
        return file_tree_fail(l->store, ENOMEM, "list", "", l->e);
    }
    return list_folder(l, next, depth + 1);
}

/* Takes fd. */
static int list_folder(struct listing *l, int fd, unsigned depth)
{
    CLEANUP_DIR DIR *d = fdopendir(fd);
    size_t size = l->key.size;
    int r = 0;

    if (!d) {
        r = file_tree_fail(l->store, errno, "list", buf_text(&l->key), l->e);
        close(fd);
        return r;
    }
    while (r == 0) {
        errno = 0;
        const struct dirent *entry = readdir(d);
        if (!entry)
            return errno ? file_tree_fail(l->store, errno, "list", buf_text(&l->key), l->e) : 0;
        if (entry->d_name[0] == '.')
            continue;
        if (++l->seen > SINK_LISTED_MAX)
            return err_set(l->e, -FAULT_REFUSED, "file: %s has more than %d files: name a place, or a folder in it",
                           l->store->path, SINK_LISTED_MAX);
        if (buf_add_text(&l->key, entry->d_name) < 0)
            return file_tree_fail(l->store, ENOMEM, "list", "", l->e);
        r = list_entry(l, dirfd(d), entry->d_name, depth);
        l->key.size = size;
        l->key.data[size] = '\0';
    }
    return r;
}

int file_tree_list(struct file_store *s, const char *prefix,
                   int (*fn)(void *ctx, const struct sink_listing_entry *entry), void *ctx, struct err *e)
{
    assert(prefix && fn);
    CLEANUP_FREE char *folder = strdup(prefix);
    struct listing l = {.store = s, .fn = fn, .ctx = ctx, .e = e};
    int fd, r;

    if (!folder)
        return file_tree_fail(s, ENOMEM, "list", "", e);
    for (size_t size = strlen(folder); size > 0 && folder[size - 1] == '/'; size--)
        folder[size - 1] = '\0';
    fd = walk(s, folder, false, e);
    if (fd == -FAULT_NO_OBJECT)
        return s->root < 0 ? err_prefix(e, -FAULT_NO_BUCKET, "nothing to list") : 0;
    if (fd < 0)
        return fd;
    if (*folder && buf_printf(&l.key, "%s/", folder) < 0) {
        close(fd);
        return file_tree_fail(s, ENOMEM, "list", "", e);
    }
    r = list_folder(&l, fd, 0);
    buf_done(&l.key);
    return r;
}

int file_tree_pour(int fd, uint64_t size, int (*fn)(void *ctx, const void *data, size_t size), void *ctx)
{
    CLEANUP_FREE void *block = malloc(READ_SIZE);

    if (!block)
        return -ENOMEM;
    while (size > 0) {
        ssize_t n = file_read(fd, block, size < READ_SIZE ? (size_t)size : READ_SIZE);
        if (n <= 0)
            return (int)n;
        int r = fn(ctx, block, (size_t)n);
        if (r < 0)
            return r;
        size -= (uint64_t)n;
    }
    return 0;
}
