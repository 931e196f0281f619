/* SPDX-License-Identifier: Apache-2.0
 *
 * Write, sync, name. The kernel is asked to write out early, so that the sync at the end has little left to do.
 */
#include "serve/incoming.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "serve/root.h"

enum {
    FLUSH_STEP = 8 * 1024 * 1024,
    LARGE_BYTES = 8 * 1024 * 1024,
    COMPARE_STEP = 64 * 1024,
    FOLDER_MODE = 0700,
    LOCK_TRIES = 50,
    LOCK_PAUSE_MS = 20,
    NAME_TRIES = 3
};

static int make_durable(int fd, const char *name)
{
    return mkdirat(fd, name, FOLDER_MODE) < 0 ? -errno : file_fsync_folder(fd);
}

static int fail(int error, const char *doing, struct err *e)
{
    if (error == ENOSPC || error == EDQUOT)
        return err_set(e, -FAULT_FULL, "no room left on the disk (%s): delete old cases", doing);
    return err_set(e, -error, "the upload cannot be stored (%s): %s", doing, strerror(error));
}

/* A sweep locks what it looks at for a moment. */
static int lock(const struct incoming *in, struct err *e)
{
    for (int tries = 0; flock(in->fd, LOCK_EX | LOCK_NB) < 0; tries++) {
        if (errno != EWOULDBLOCK)
            return fail(errno, "lock", e);
        if (tries == LOCK_TRIES)
            return err_set(e, -FAULT_BUSY, "another process has this upload");
        clock_sleep_ms(LOCK_PAUSE_MS);
    }
    return 0;
}

/* It has another name until it is locked: what is not locked is swept (upload_sweep.h). */
static int create(struct incoming *in, const char *name, struct err *e)
{
    int r;

    snprintf(in->name, sizeof(in->name), ".%s", name);
    if ((in->folder = uploads_folder(in->uploads, e)) < 0)
        return in->folder;
    in->fd = openat(in->folder, in->name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, INCOMING_MODE);
    if (in->fd < 0)
        return fail(errno, "create", e);
    if ((r = lock(in, e)) < 0)
        return r;
    if (renameat(in->folder, in->name, in->folder, name) < 0)
        return fail(errno, "create", e);
    snprintf(in->name, sizeof(in->name), "%s", name);
    return 0;
}

int incoming_create(struct uploads *u, const struct upload_asked *asked, const char *name, struct incoming *ret,
                    struct err *e)
{
    struct incoming in = {.uploads = u, .folder = -1, .fd = -1};
    int r = upload_room_claim(uploads_room(u), asked, &in.claim, e);

    assert(strlen(name) + 1 < INCOMING_NAME_MAX);
    if (r < 0)
        return r;
    digest_init(&in.digest);
    if ((r = create(&in, name, e)) < 0) {
        incoming_done(&in, true);
        return r;
    }
    *ret = in;
    return 0;
}

int incoming_new(struct uploads *u, const struct upload_asked *asked, struct incoming *ret, struct err *e)
{
    unsigned char id[16];
    char hex[2 * sizeof(id) + 1], name[INCOMING_NAME_MAX];

    if (getrandom(id, sizeof(id), 0) != (ssize_t)sizeof(id))
        return fail(errno, "random number", e);
    text_hex(id, sizeof(id), hex);
    snprintf(name, sizeof(name), "%s.tmp", hex);
    return incoming_create(u, asked, name, ret, e);
}

static int open_again(struct incoming *in, const char *name, struct err *e)
{
    struct stat st;

    snprintf(in->name, sizeof(in->name), "%s", name);
    if ((in->folder = uploads_folder(in->uploads, e)) < 0)
        return in->folder;
    in->fd = openat(in->folder, in->name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (in->fd < 0 && errno == ENOENT)
        return err_set(e, -FAULT_NO_OBJECT, "there is no such upload");
    if (in->fd < 0 || fstat(in->fd, &st) < 0)
        return fail(errno, "open", e);
    if (lseek(in->fd, 0, SEEK_END) < 0)
        return fail(errno, "seek", e);
    in->size = in->flushed = (uint64_t)st.st_size;
    return lock(in, e);
}

int incoming_open(struct uploads *u, const struct upload_asked *asked, const char *name, struct incoming *ret,
                  struct err *e)
{
    struct incoming in = {.uploads = u, .folder = -1, .fd = -1};
    struct upload_asked again = *asked;
    int r;

    digest_init(&in.digest);
    r = open_again(&in, name, e);

    again.there = in.size;
    if (r == 0)
        r = upload_room_claim(uploads_room(u), &again, &in.claim, e);
    if (r < 0) {
        incoming_done(&in, false);
        return r;
    }
    *ret = in;
    return 0;
}

int incoming_expect(struct incoming *in, uint64_t bytes, struct err *e)
{
    return upload_room_expect(uploads_room(in->uploads), &in->claim, bytes, e);
}

int incoming_catch_up(struct incoming *in, const char *saved, struct err *e)
{
    unsigned char data[COMPARE_STEP];
    uint64_t at;
    ssize_t n;

    if (!saved || digest_load(&in->digest, saved) < 0 || digest_bytes(&in->digest) > in->size)
        digest_init(&in->digest);
    for (at = digest_bytes(&in->digest); at < in->size; at += (uint64_t)n) {
        if ((n = file_pread(in->fd, data, sizeof(data), at)) <= 0)
            return fail(n < 0 ? (int)-n : EIO, "read again", e);
        digest_update(&in->digest, data, (size_t)n);
    }
    return 0;
}

/* Only begins it: the caller does not wait for the disk. */
static void flush(struct incoming *in)
{
    if (in->size - in->flushed < FLUSH_STEP)
        return;
    (void)sync_file_range(in->fd, (off_t)in->flushed, (off_t)(in->size - in->flushed), SYNC_FILE_RANGE_WRITE);
    in->flushed = in->size;
}

int incoming_write(struct incoming *in, const void *data, size_t size, struct err *e)
{
    uint64_t max = uploads_config(in->uploads)->object_max;
    char text[TEXT_SIZE_MAX];
    int r;

    assert(in->fd >= 0);
    if (max && (size > max || in->size > max - size))
        return err_set(e, -EFBIG, "an object may have no more than %s here", text_format_size(max, text));
    if ((r = upload_room_write(uploads_room(in->uploads), &in->claim, size, e)) < 0)
        return r;
    r = in->writer ? disk_writer_add(in->writer, data, size) : file_write(in->fd, data, size);
    if (r < 0)
        return fail(-r, "write", e);
    digest_update(&in->digest, data, size);
    in->size += size;
    if (in->writer)
        in->flushed = in->size;
    else
        flush(in);
    return 0;
}

void incoming_write_behind(struct incoming *in, uint64_t bytes)
{
    in->behind = bytes >= LARGE_BYTES;
    in->direct = bytes >= uploads_direct_min(in->uploads);
}

void *incoming_space(struct incoming *in, size_t *size)
{
    if (in->behind && !in->writer)
        in->writer =
            disk_writer_new(uploads_writers(in->uploads), &(struct disk_writer_file){in->fd, in->size, in->direct});
    return in->writer ? disk_writer_space(in->writer, size) : NULL;
}

int incoming_rest(struct incoming *in, struct err *e)
{
    int r = in->writer ? disk_writer_flush(in->writer) : 0;

    if (r < 0)
        return fail(-r, "write", e); /* the writer stays, and says so again */
    disk_writer_free(in->writer);
    in->writer = NULL;
    return 0;
}

int incoming_sync(struct incoming *in, struct err *e)
{
    int r = in->writer ? disk_writer_flush(in->writer) : 0;

    if (r < 0)
        return fail(-r, "write", e);
    while ((r = fdatasync(in->fd)) < 0 && errno == EINTR)
        ;
    return r < 0 ? fail(errno, "sync", e) : 0;
}

int incoming_truncate(struct incoming *in, uint64_t size, struct err *e)
{
    int r = incoming_rest(in, e);

    assert(size <= in->size);
    if (r < 0)
        return r;
    if (ftruncate(in->fd, (off_t)size) < 0 || lseek(in->fd, 0, SEEK_END) < 0)
        return fail(errno, "truncate", e);
    in->size = in->flushed = size;
    digest_init(&in->digest); /* incoming_catch_up */
    return incoming_sync(in, e);
}

/* The folder of key, made where it is missing; *ret_name is key's last part. */
static int open_parent(const struct uploads *u, const char *key, const char **ret_name)
{
    CLEANUP_FD int fd = root_open(uploads_root(u), "", O_RDONLY | O_DIRECTORY);
    char part[NAME_MAX + 1];

    *ret_name = text_base_name(key);
    for (const char *slash; fd >= 0 && (slash = strchr(key, '/')); key = slash + 1) {
        snprintf(part, sizeof(part), "%.*s", (int)(slash - key), key);
        int r = make_durable(fd, part), below;

        if (r < 0 && r != -EEXIST)
            return r;
        below = openat(fd, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (below < 0)
            return errno == ELOOP ? -ENOTDIR : -errno;
        close(fd);
        fd = below;
    }
    return fd < 0 ? fd : TAKE_FD(fd);
}

/* 1 if the other file has the same bytes, 0 if not. */
static int same_bytes(const struct incoming *in, int folder, const char *name)
{
    CLEANUP_FD int other = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    unsigned char ours[COMPARE_STEP / 2], theirs[COMPARE_STEP / 2];
    struct stat st;

    if (other < 0 || fstat(other, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EISDIR;
    if ((uint64_t)st.st_size != in->size)
        return 0;
    for (uint64_t at = 0; at < in->size;) {
        ssize_t n = file_pread(in->fd, ours, sizeof(ours), at), m = file_pread(other, theirs, sizeof(theirs), at);

        if (n < 0 || m < 0)
            return (int)(n < 0 ? n : m);
        if (n == 0 || n != m || memcmp(ours, theirs, (size_t)n) != 0)
            return 0;
        at += (uint64_t)n;
    }
    return 1;
}

static int give_name(struct incoming *in, int folder, const char *name, bool replace, enum incoming_end *ret)
{
    int r = file_rename_new(in->folder, in->name, folder, name);

    *ret = INCOMING_STORED;
    if (r != -EEXIST)
        return r;
    if (replace) {
        *ret = INCOMING_REPLACED;
        return renameat(in->folder, in->name, folder, name) < 0 ? -errno : 0;
    }
    *ret = INCOMING_THERE;
    r = same_bytes(in, folder, name);
    if (r == 1)
        unlinkat(in->folder, in->name, 0);
    return r == 1 ? 0 : r < 0 ? r : -EEXIST;
}

/* *ret_folder: where it lies then. */
static int make_visible(struct incoming *in, const struct incoming_target *target, int *ret_folder,
                        enum incoming_end *ret)
{
    CLEANUP_FD int folder = -1;
    const char *name;
    int r;

    if ((folder = open_parent(in->uploads, target->key, &name)) < 0)
        return folder;
    r = give_name(in, folder, name, target->replace, ret);
    *ret_folder = r < 0 ? -1 : TAKE_FD(folder);
    return r;
}

int incoming_commit(struct incoming *in, const struct incoming_target *target, enum incoming_end *ret, struct err *e)
{
    CLEANUP_FD int folder = -1;
    int r = incoming_sync(in, e);

    assert(target && target->key && ret);
    if (r < 0)
        return r;
    for (int tries = 0; tries == 0 || (r == -ENOENT && tries < NAME_TRIES); tries++)
        r = make_visible(in, target, &folder, ret); /* an empty folder may be removed under our hands (remove.c) */
    if (r == -EEXIST)
        return err_set(e, -FAULT_EXISTS, "there is another object of this name: it is not replaced");
    if (r == -ENOTDIR || r == -EISDIR || r == -ENOTEMPTY)
        return err_set(e, -FAULT_REFUSED, "a folder has this name, or an object that of a folder on its path");
    if (r < 0)
        return fail(-r, "name", e);
    in->name[0] = '\0'; /* there is nothing left to drop */
    if ((r = file_fsync_folder(folder)) < 0)
        return fail(-r, "sync the folder", e);
    upload_room_release(uploads_room(in->uploads), &in->claim, *ret != INCOMING_THERE);
    return 0;
}

void incoming_done(struct incoming *in, bool drop)
{
    if (!in->uploads)
        return;
    disk_writer_free(in->writer);
    if (drop && in->name[0] && in->folder >= 0 && in->fd >= 0)
        unlinkat(in->folder, in->name, 0);
    if (in->fd >= 0)
        close(in->fd);
    if (in->folder >= 0)
        close(in->folder);
    upload_room_release(uploads_room(in->uploads), &in->claim, false);
    *in = (struct incoming){.folder = -1, .fd = -1};
}

int incoming_there(const struct uploads *u, const char *key, uint64_t *ret_size)
{
    CLEANUP_FD int fd = root_open(uploads_root(u), key, O_PATH | O_NOFOLLOW);
    struct stat st;

    if (fd == -ENOENT)
        return 0;
    if (fd < 0 || fstat(fd, &st) < 0)
        return fd < 0 ? fd : -errno;
    if (!S_ISREG(st.st_mode))
        return -EISDIR;
    *ret_size = (uint64_t)st.st_size;
    return 1;
}

int incoming_make_folder(const struct uploads *u, const char *key)
{
    const char *name = text_base_name(key);
    CLEANUP_FREE char *above = strndup(key, (size_t)(name - key));
    CLEANUP_FD int fd = -1;

    assert(*name);
    if (root_hides(key))
        return -EACCES;
    if (!above)
        return -ENOMEM;
    fd = root_open(uploads_root(u), above, O_RDONLY | O_DIRECTORY);
    return fd < 0 ? fd : make_durable(fd, name);
}
