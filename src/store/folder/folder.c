/* SPDX-License-Identifier: Apache-2.0
 *
 * A folder as a store: what it does at once. Objects are for this uid only (0600): they hold the memory of processes.
 * folder_tree.c resolves names, folder_upload.c writes large objects.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/folder/folder_tree.h"
#include "store/folder/folder_upload.h"

static struct file_store *store_of(struct sink *s)
{
    return (struct file_store *)s;
}

static void file_close(struct sink *s)
{
    struct file_store *store = store_of(s);

    mem_close_ptr(&store->root);
    free(store->path);
    free(store);
}

static int file_open(const struct sink_config *c, struct sink **ret, struct err *e)
{
    struct file_store *s = calloc(1, sizeof(*s));
    int r;

    if (!s)
        return err_set(e, -ENOMEM, "out of memory");
    s->sink.ops = &SINK_FILE;
    s->root = -1;
    s->bandwidth = c->http.bandwidth;
    s->path = strdup(*c->url.path ? c->url.path : "/");
    r = s->path ? file_tree_open(s, false, e) : err_set(e, -ENOMEM, "out of memory");
    /* A last folder that is missing is made with the first object, not here: `ls` of a mistyped URL must not make it.
     */
    if (r < 0 && r != -FAULT_NO_OBJECT) {
        file_close(&s->sink);
        return r;
    }
    *ret = &s->sink;
    return 0;
}

/* A regular file for reading; never waits for a FIFO's other end. */
static int open_object(struct file_store *s, const char *key, int *ret_fd, struct stat *ret_stat, struct err *e)
{
    CLEANUP_FD int fd = -1;
    const char *name;
    CLEANUP_FD int folder = file_tree_parent(s, key, false, &name, e);

    if (folder < 0)
        return folder;
    fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, ret_stat) < 0)
        return file_tree_fail(s, errno, "read", key, e);
    if (!S_ISREG(ret_stat->st_mode))
        return err_set(e, -FAULT_NO_OBJECT, "file: %s/%s is not a file", s->path, key);
    *ret_fd = TAKE_FD(fd);
    return 0;
}

/* The folder that an object of this key would lie in, as far down as there is one. */
static int deepest_folder(struct file_store *s, const char *key, struct err *e)
{
    CLEANUP_FREE char *parent = NULL;
    const char *name;
    int fd = file_tree_parent(s, key, false, &name, e);

    if (fd != -FAULT_NO_OBJECT)
        return fd;
    if (s->root >= 0)
        return fcntl(s->root, F_DUPFD_CLOEXEC, 3);
    parent = strndup(s->path, (size_t)(strrchr(s->path, '/') + 1 - s->path)); /* it will be made there */
    fd = parent ? open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    return fd < 0 ? file_tree_fail(s, parent ? errno : ENOMEM, "write to", "", e) : fd;
}

/* Writes a few bytes to a file without a name: fails by rights, read-only mounts and full disks as a dump would. */
static int file_probe(struct sink *sink, const char *key, struct err *e)
{
    struct file_store *s = store_of(sink);
    CLEANUP_FD int folder = deepest_folder(s, key, e);
    CLEANUP_FD int fd = -1;
    int r = 0;

    if (folder < 0)
        return folder;
    fd = openat(folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, FILE_OBJECT_MODE);
    if (fd >= 0)
        r = file_write(fd, key, strlen(key));
    else if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL) /* NFS, FUSE … */
        r = faccessat(folder, ".", W_OK | X_OK, AT_EACCESS) < 0 ? -errno : 0;
    else
        r = -errno;
    return r < 0 ? file_tree_fail(s, -r, "write to", "", e) : 0;
}

/* A folder that its last object has left goes, too, and so do those above it. */
static void remove_empty_folders(struct file_store *s, const char *key)
{
    CLEANUP_FREE char *above = strdup(key);
    struct err ignored;

    for (char *slash; above && (slash = strrchr(above, '/'));) {
        const char *name;

        *slash = '\0';
        CLEANUP_FD int folder = *above ? file_tree_parent(s, above, false, &name, &ignored) : -1;
        if (folder < 0 || unlinkat(folder, name, AT_REMOVEDIR) < 0)
            break;
    }
}

static int file_remove(struct sink *sink, const char *key, struct err *e)
{
    struct file_store *s = store_of(sink);
    const char *name;
    CLEANUP_FD int folder = file_tree_parent(s, key, false, &name, e);

    if (folder < 0)
        return folder == -FAULT_NO_OBJECT ? 0 : folder;
    if (unlinkat(folder, name, 0) < 0 && errno != ENOENT)
        return file_tree_fail(s, errno, "remove", key, e);
    remove_empty_folders(s, key);
    return 0;
}

static int file_stat(struct sink *sink, const char *key, struct object_info *ret, struct err *e)
{
    struct file_store *s = store_of(sink);
    const char *name;
    CLEANUP_FD int folder = file_tree_parent(s, key, false, &name, e);
    struct stat st;

    if (folder < 0)
        return folder;
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return file_tree_fail(s, errno, "look at", key, e);
    if (!S_ISREG(st.st_mode))
        return err_set(e, -FAULT_NO_OBJECT, "file: %s/%s is not a file", s->path, key);
    *ret = (struct object_info){.size = (uint64_t)st.st_size};
    return 0;
}

static int file_put(struct sink *sink, const struct small_object *o, struct err *e)
{
    struct file_store *s = store_of(sink);
    const char *name;
    CLEANUP_FD int folder = file_tree_parent(s, o->key, true, &name, e);
    struct stat st;
    int r;

    if (folder < 0)
        return folder;
    r = file_replace(folder, name, o->data, o->size, FILE_OBJECT_MODE);
    if (r < 0)
        return file_tree_fail(s, -r, "write", o->key, e);
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return file_tree_fail(s, errno, "look at", o->key, e);
    if ((uint64_t)st.st_size != o->size)
        return err_set(e, -FAULT_CORRUPT, "file: %s/%s has %jd bytes instead of %zu", s->path, o->key,
                       (intmax_t)st.st_size, o->size);
    return 0;
}

static int file_list(struct sink *sink, const char *prefix,
                     int (*fn)(void *ctx, const struct sink_listing_entry *entry), void *ctx, struct err *e)
{
    return file_tree_list(store_of(sink), prefix, fn, ctx, e);
}

struct outlet {
    const struct object_reader *reader;
    bool failed; /* its fn did, and not the reading */
};

static int through_outlet(void *ctx, const void *data, size_t size)
{
    struct outlet *o = ctx;
    int r = o->reader->fn(o->reader->ctx, data, size);

    o->failed = r < 0;
    return r;
}

static int file_read_object(struct sink *sink, const struct object_reader *reader, struct err *e)
{
    struct file_store *s = store_of(sink);
    struct outlet outlet = {.reader = reader};
    const char *key = reader->key;
    CLEANUP_FD int fd = -1;
    struct stat st = {0};
    int r;

    assert(key && reader->fn);
    if ((r = open_object(s, key, &fd, &st, e)) < 0)
        return r;
    if (reader->offset > (uint64_t)st.st_size)
        return err_set(e, -FAULT_REFUSED, "file: %s/%s has only %jd bytes", s->path, key, (intmax_t)st.st_size);
    if (lseek(fd, (off_t)reader->offset, SEEK_SET) < 0)
        return file_tree_fail(s, errno, "read", key, e);
    if (reader->ret_size)
        *reader->ret_size = (uint64_t)st.st_size;
    r = file_tree_pour(fd, (uint64_t)st.st_size - reader->offset, through_outlet, &outlet);
    return r < 0 && !outlet.failed ? file_tree_fail(s, -r, "read", key, e) : r;
}

static int into_buf(void *ctx, const void *data, size_t size)
{
    return buf_add(ctx, data, size);
}

static int file_load_object(struct sink *sink, void **connection, const char *key, struct buf *ret, struct err *e)
{
    int r = file_read_object(sink, &(struct object_reader){.key = key, .fn = into_buf, .ctx = ret}, e);

    (void)connection;
    return r == -EMSGSIZE ? err_set(e, r, "file: %s is larger than it should be", key) : r;
}

static void file_load_end(void *connection)
{
    (void)connection;
}

const struct sink_ops SINK_FILE = {
    .name = "file",
    .part_min = 2 << 20,
    .part_max = 3 << 20, /* small: their only purpose is that one is written while the next is filled */
    .parts_max = UINT32_MAX,
    .resumes = true,
    .open = file_open,
    .close = file_close,
    .probe = file_probe,
    .stat = file_stat,
    .put = file_put,
    .remove = file_remove,
    .list = file_list,
    .read = file_read_object,
    .load = file_load_object,
    .load_end = file_load_end,
    .upload_new = file_upload_new,
    .write = file_upload_write,
    .commit = file_upload_commit,
    .verify = file_upload_verify,
    .abort = file_upload_abort,
    .upload_free = file_upload_free,
    .abort_token = file_upload_abort_token,
};
