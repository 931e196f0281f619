/* SPDX-License-Identifier: Apache-2.0
 *
 * A folder as a store. An object grows under a hidden name beside its place (".HEX.part", made of its id and key),
 * which a later run can go on with; fsync and rename make it visible whole, or not at all. Objects are for this uid
 * only (0600): they hold the memory of processes. Names are file_tree.c's.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/folder/folder_tree.h"
#include "store/sink.h"
#include "store/trial.h"

enum { TEMPORARY_MAX = 64, READ_SIZE = 256 * 1024, OBJECT_MODE = 0600 };

struct upload {
    struct file_store *store;
    const struct object *object;
    const struct upload_events *events;
    int folder;       /* that the object lies in */
    const char *name; /* the object's in it; points into object->key */
    char temporary[TEMPORARY_MAX];
    int fd; /* the temporary file, at its end */
    uint64_t size;
    XXH3_state_t *written; /* of its bytes: what they are read back against, eight times as quick as by SHA-256 */
};

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
    s->path = strdup(*c->url.path ? c->url.path : "/");
    r = s->path ? file_tree_open(s, false, e) : err_set(e, -ENOMEM, "out of memory");
    /* If only the last folder is missing it is made with the first object: `ls` of a mistyped one must not make it. */
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
    CLEANUP_FD int folder = -1;
    CLEANUP_FD int fd = -1;
    const char *name;
    int r = file_tree_parent(s, key, false, &folder, &name, e);

    if (r < 0)
        return r;
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
    int fd = -1, r = file_tree_parent(s, key, false, &fd, &name, e);

    if (r != -FAULT_NO_OBJECT)
        return r < 0 ? r : fd;
    if (s->root >= 0)
        return fcntl(s->root, F_DUPFD_CLOEXEC, 3);
    parent = strndup(s->path, (size_t)(strrchr(s->path, '/') + 1 - s->path)); /* it will be made there */
    fd = parent ? open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    return fd < 0 ? file_tree_fail(s, parent ? errno : ENOMEM, "write to", "", e) : fd;
}

/* A file without a name, of a few bytes: of rights, read-only mounts and full disks it says what a dump will meet. */
static int file_probe(struct sink *sink, const char *key, struct err *e)
{
    struct file_store *s = store_of(sink);
    CLEANUP_FD int folder = deepest_folder(s, key, e);
    CLEANUP_FD int fd = -1;
    int r = 0;

    if (folder < 0)
        return folder;
    fd = openat(folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, OBJECT_MODE);
    if (fd >= 0)
        r = file_write(fd, key, strlen(key));
    else if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL) /* NFS, FUSE … */
        r = faccessat(folder, ".", W_OK | X_OK, AT_EACCESS) < 0 ? -errno : 0;
    else
        r = -errno;
    return r < 0 ? file_tree_fail(s, -r, "write to", "", e) : 0;
}

static int file_remove(struct sink *sink, const char *key, struct err *e)
{
    struct file_store *s = store_of(sink);
    CLEANUP_FD int folder = -1;
    const char *name;
    int r = file_tree_parent(s, key, false, &folder, &name, e);

    if (r < 0)
        return r == -FAULT_NO_OBJECT ? 0 : r;
    if (unlinkat(folder, name, 0) < 0 && errno != ENOENT)
        return file_tree_fail(s, errno, "remove", key, e);
    return 0;
}

static int file_stat(struct sink *sink, const char *key, struct object_info *ret, struct err *e)
{
    struct file_store *s = store_of(sink);
    CLEANUP_FD int folder = -1;
    const char *name;
    struct stat st;
    int r = file_tree_parent(s, key, false, &folder, &name, e);

    if (r < 0)
        return r;
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return file_tree_fail(s, errno, "look at", key, e);
    if (!S_ISREG(st.st_mode))
        return err_set(e, -FAULT_NO_OBJECT, "file: %s/%s is not a file", s->path, key);
    *ret = (struct object_info){.size = (uint64_t)st.st_size};
    return 0;
}

static int file_put(struct sink *sink, const char *key, const void *data, size_t size, const char *content_type,
                    struct err *e)
{
    struct file_store *s = store_of(sink);
    CLEANUP_FD int folder = -1;
    const char *name;
    struct stat st;
    int r = file_tree_parent(s, key, true, &folder, &name, e);

    (void)content_type;
    if (r < 0)
        return r;
    r = file_replace(folder, name, data, size, OBJECT_MODE);
    if (r < 0)
        return file_tree_fail(s, -r, "write", key, e);
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return file_tree_fail(s, errno, "look at", key, e);
    if ((uint64_t)st.st_size != size)
        return err_set(e, -FAULT_CORRUPT, "file: %s/%s has %jd bytes instead of %zu", s->path, key,
                       (intmax_t)st.st_size, size);
    return 0;
}

static int file_list(struct sink *sink, const char *prefix,
                     int (*fn)(void *ctx, const struct sink_listing_entry *entry), void *ctx, struct err *e)
{
    return file_tree_list(store_of(sink), prefix, fn, ctx, e);
}

/* From the descriptor's position, at most size bytes. 0, -errno, or what fn returned. */
static int pour(int fd, uint64_t size, int (*fn)(void *ctx, const void *data, size_t size), void *ctx)
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

struct outlet {
    int (*fn)(void *ctx, const void *data, size_t size);
    void *ctx;
    bool failed; /* it was fn that did */
};

static int through_outlet(void *ctx, const void *data, size_t size)
{
    struct outlet *o = ctx;
    int r = o->fn(o->ctx, data, size);

    o->failed = r < 0;
    return r;
}

static int file_read_object(struct sink *sink, const char *key, uint64_t offset, uint64_t *ret_size,
                            int (*fn)(void *ctx, const void *data, size_t size), void *ctx, struct err *e)
{
    struct file_store *s = store_of(sink);
    struct outlet outlet = {.fn = fn, .ctx = ctx};
    CLEANUP_FD int fd = -1;
    struct stat st = {0};
    int r = open_object(s, key, &fd, &st, e);

    if (r < 0)
        return r;
    if (offset > (uint64_t)st.st_size)
        return err_set(e, -FAULT_REFUSED, "file: %s/%s has only %jd bytes", s->path, key, (intmax_t)st.st_size);
    if (lseek(fd, (off_t)offset, SEEK_SET) < 0)
        return file_tree_fail(s, errno, "read", key, e);
    if (ret_size)
        *ret_size = (uint64_t)st.st_size;
    r = pour(fd, (uint64_t)st.st_size - offset, through_outlet, &outlet);
    return r < 0 && !outlet.failed ? file_tree_fail(s, -r, "read", key, e) : r;
}

static int into_buf(void *ctx, const void *data, size_t size)
{
    return buf_add(ctx, data, size);
}

static int file_load_object(struct sink *sink, void **lane, const char *key, struct buf *ret, struct err *e)
{
    int r = file_read_object(sink, key, 0, NULL, into_buf, ret, e);

    (void)lane;
    return r == -EMSGSIZE ? err_set(e, r, "file: %s is larger than it should be", key) : r;
}

static void file_load_end(void *lane)
{
    (void)lane;
}

/* What is read of an object, and how it is digested: the past by both, as its SHA-256 is in the journal. */
struct reading {
    XXH3_state_t *hash;
    struct check *check; /* NULL: not by SHA-256 */
    uint64_t size;
};

static int digest_reading(void *ctx, const void *data, size_t size)
{
    struct reading *r = ctx;

    r->size += size;
    XXH3_64bits_update(r->hash, data, size);
    return r->check ? check_add(r->check, data, size) : 0;
}

/* 16 hex digits are what ids are; in a token from a journal they may be anything. */
static bool is_temporary(const char *name)
{
    return name[0] == '.' && strspn(name + 1, "0123456789abcdef") == 16 && text_eq(name + 17, ".part");
}

/* The pieces of one case have one id, and are written side by side. */
static bool name_temporary(struct upload *u)
{
    const struct object *o = u->object;
    uint64_t key = XXH3_64bits(o->key, strlen(o->key));

    if (strlen(o->id) != 16 || strspn(o->id, "0123456789abcdef") != 16)
        return false;
    snprintf(u->temporary, sizeof(u->temporary), ".%016" PRIx64 ".part", (uint64_t)strtoull(o->id, NULL, 16) ^ key);
    return true;
}

static void file_upload_free(struct upload *u)
{
    if (!u)
        return;
    mem_close_ptr(&u->fd);
    mem_close_ptr(&u->folder);
    XXH3_freeState(u->written);
    free(u);
}

DEFINE_CLEANUP(struct upload *, file_upload_free)

static int begin(struct upload *u, struct err *e)
{
    /* A new inode: whoever may still be writing to the old one does no harm. */
    if (unlinkat(u->folder, u->temporary, 0) < 0 && errno != ENOENT)
        return file_tree_fail(u->store, errno, "replace the temporary file of", u->object->key, e);
    u->fd = openat(u->folder, u->temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, OBJECT_MODE);
    if (u->fd < 0)
        return file_tree_fail(u->store, errno, "write", u->object->key, e);
    return 0;
}

static int gone(const struct upload *u, const char *why, struct err *e)
{
    return err_set(e, -FAULT_GONE, "file: the upload of %s/%s cannot go on: its temporary file %s", u->store->path,
                   u->object->key, why);
}

static int take_up(struct upload *u, const struct upload_past *past, struct err *e)
{
    CLEANUP(check_done) struct check check = {0};
    struct stat st;
    char hex[65];
    int r;

    u->fd = openat(u->folder, u->temporary, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (u->fd < 0)
        return errno == ENOENT ? gone(u, "is gone", e)
                               : file_tree_fail(u->store, errno, "open the temporary file of", u->object->key, e);
    if (fstat(u->fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1)
        return gone(u, "is not one", e);
    r = check_init(&check);
    if (r == 0)
        r = pour(u->fd, past->stored_end, digest_reading, &(struct reading){u->written, &check, 0});
    if (r == 0)
        r = check_hex(&check, hex);
    if (r < 0)
        return file_tree_fail(u->store, -r, "read the temporary file of", u->object->key, e);
    if (check.size != past->stored_end || !text_eq(hex, past->stored_digest))
        return gone(u, "has not kept what was written", e);
    if (ftruncate(u->fd, (off_t)past->stored_end) < 0 || lseek(u->fd, 0, SEEK_END) < 0)
        return file_tree_fail(u->store, errno, "cut the temporary file of", u->object->key, e);
    u->size = past->stored_end;
    return 0;
}

static int file_upload_new(struct sink *sink, const struct object *o, const struct upload_past *past,
                           const struct upload_events *events, struct upload **ret, struct err *e)
{
    struct file_store *s = store_of(sink);
    CLEANUP(file_upload_free_ptr) struct upload *u = calloc(1, sizeof(*u));
    int r;

    if (!u)
        return err_set(e, -ENOMEM, "out of memory");
    *u = (struct upload){.store = s, .object = o, .events = events, .folder = -1, .fd = -1};
    if (!(u->written = XXH3_createState()) || XXH3_64bits_reset(u->written) != XXH_OK)
        return err_set(e, -ENOMEM, "out of memory");
    if (!name_temporary(u))
        return err_set(e, -FAULT_REFUSED, "file: '%s' is no id", o->id);
    r = file_tree_parent(s, o->key, !past, &u->folder, &u->name, e);
    if (r < 0)
        return past && r == -FAULT_NO_OBJECT ? gone(u, "is gone", e) : r;
    r = past ? take_up(u, past, e) : begin(u, e);
    if (r < 0)
        return r;
    if (!past && events->token)
        events->token(events->ctx, u->temporary);
    *ret = TAKE_PTR(u);
    return 0;
}

static int file_write_part(struct upload *u, struct part *p, struct err *e)
{
    int r = file_write(u->fd, p->data, p->size);

    if (r == 0) {
        /* The disk may begin now; then there is little left to wait for in commit. */
        (void)sync_file_range(u->fd, (off_t)u->size, (off_t)p->size, SYNC_FILE_RANGE_WRITE);
        u->size += p->size;
        XXH3_64bits_update(u->written, p->data, p->size);
    }
    u->events->done(u->events->ctx, p, r == 0 ? "" : NULL);
    return r < 0 ? file_tree_fail(u->store, -r, "write", u->object->key, e) : 0;
}

static int file_commit(struct upload *u, const struct whole *w, struct err *e)
{
    if (u->size != w->size)
        return err_set(e, -FAULT_CORRUPT, "file: %s/%s: %" PRIu64 " of %" PRIu64 " bytes were written", u->store->path,
                       u->object->key, u->size, w->size);
    if (fsync(u->fd) < 0 || renameat(u->folder, u->temporary, u->folder, u->name) < 0 || fsync(u->folder) < 0)
        return file_tree_fail(u->store, errno, "write", u->object->key, e);
    return 0;
}

static int compare(const struct upload *u, const struct reading *back, const struct whole *w, struct err *e)
{
    if (back->size != w->size)
        return err_set(e, -FAULT_CORRUPT, "file: %s/%s has %" PRIu64 " bytes instead of %" PRIu64 ": it was damaged",
                       u->store->path, u->object->key, back->size, w->size);
    if (XXH3_64bits_digest(back->hash) != XXH3_64bits_digest(u->written))
        return err_set(e, -FAULT_CORRUPT, "file: %s/%s reads back differently than it was written: it was damaged",
                       u->store->path, u->object->key);
    return 0;
}

/* By its name, as a reader would. */
static int file_verify(struct upload *u, const struct whole *w, bool read, struct err *e)
{
    struct reading back = {0};
    CLEANUP_FD int fd = -1;
    int r;

    if (!read)
        return 1;
    fd = openat(u->folder, u->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return file_tree_fail(u->store, errno, "read back", u->object->key, e);
    if (!(back.hash = XXH3_createState()) || XXH3_64bits_reset(back.hash) != XXH_OK)
        r = -ENOMEM;
    else
        r = pour(fd, UINT64_MAX, digest_reading, &back);
    r = r < 0 ? file_tree_fail(u->store, -r, "read back", u->object->key, e) : compare(u, &back, w, e);
    XXH3_freeState(back.hash);
    return r;
}

static void file_abort(struct upload *u)
{
    unlinkat(u->folder, u->temporary, 0);
}

static int file_abort_token(struct sink *sink, const char *key, const char *token, struct err *e)
{
    struct file_store *s = store_of(sink);
    CLEANUP_FD int folder = -1;
    const char *name;
    int r;

    if (!is_temporary(token))
        return err_set(e, -FAULT_REFUSED, "file: '%s' is no temporary file of ours", token);
    r = file_tree_parent(s, key, false, &folder, &name, e);
    if (r < 0)
        return r == -FAULT_NO_OBJECT ? 0 : r;
    if (unlinkat(folder, token, 0) < 0 && errno != ENOENT)
        return file_tree_fail(s, errno, "remove the temporary file of", key, e);
    return 0;
}

const struct sink_ops SINK_FILE = {
    .name = "file",
    .part_min = 2 << 20,
    .part_max = 3 << 20, /* small: one is written while the next is filled, and that is all they are for */
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
    .write = file_write_part,
    .commit = file_commit,
    .verify = file_verify,
    .abort = file_abort,
    .upload_free = file_upload_free,
    .abort_token = file_abort_token,
};
