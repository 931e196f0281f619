/* SPDX-License-Identifier: Apache-2.0
 *
 * The entity tag is the digest of the stored bytes where a manifest names it, so that a copy of the store has the same;
 * else it is made of inode, size and time.
 */
#include "serve/root_object.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "serve/root.h"

/* Looks at a name before it opens it: opening a FIFO wakes up its writer. A descriptor or -errno. */
static int open_regular(int root_fd, const char *key, struct stat *ret)
{
    CLEANUP_FD int name = root_open(root_fd, key, O_PATH), fd = -1;
    struct stat before;

    if (name < 0)
        return name;
    if (fstat(name, &before) < 0)
        return -errno;
    if (!S_ISREG(before.st_mode))
        return S_ISDIR(before.st_mode) ? -EISDIR : -ENXIO;
    if ((fd = root_open(root_fd, key, O_RDONLY | O_NONBLOCK | O_NOCTTY)) < 0)
        return fd;
    if (fstat(fd, ret) < 0)
        return -errno;
    return S_ISREG(ret->st_mode) ? TAKE_FD(fd) : -ENXIO;
}

/* Ours have a few KiB. Many small values take twenty times their text in memory: one is parsed at a time. */
enum { READ_MANIFEST_MAX = 160 * 1024 };
static pthread_mutex_t parsing = PTHREAD_MUTEX_INITIALIZER;

/* Whether fd holds a manifest. ret: to be freed by manifest_done. */
static bool read_manifest(int fd, const struct stat *st, struct manifest *ret)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = READ_MANIFEST_MAX};
    int r;

    if (st->st_size <= 0 || st->st_size > READ_MANIFEST_MAX || file_load_fd(fd, &text) < 0)
        return false;
    pthread_mutex_lock(&parsing);
    r = manifest_decode(buf_text(&text), text.size, ret, NULL);
    pthread_mutex_unlock(&parsing);
    return r == 0;
}

static void describe(int root_fd, const char *key, const struct stat *st, struct root_object *o)
{
    CLEANUP(buf_done) struct buf beside = {0};
    CLEANUP_FD int fd = -1;
    struct stat manifest = {0};

    if (buf_printf(&beside, "%s" MANIFEST_SUFFIX, key) < 0 ||
        (fd = open_regular(root_fd, buf_text(&beside), &manifest)) < 0 || !read_manifest(fd, &manifest, &o->manifest))
        return;
    o->described = o->manifest.stored_size == (uint64_t)st->st_size;
    o->sure = o->described && root_time_ns(&manifest.st_mtim) >= root_time_ns(&st->st_mtim);
}

static void make_etag(const struct stat *st, struct root_object *o)
{
    if (o->sure && *o->manifest.stored_sha256)
        snprintf(o->etag, sizeof(o->etag), "\"%.64s\"", o->manifest.stored_sha256);
    else
        snprintf(o->etag, sizeof(o->etag), "\"%" PRIx64 "-%" PRIx64 "-%" PRIx64 "\"", (uint64_t)st->st_ino,
                 (uint64_t)st->st_size, (uint64_t)root_time_ns(&st->st_mtim));
}

int root_object_open(int root_fd, const char *key, struct root_object *ret)
{
    struct root_object o = {.fd = -1};
    struct manifest own = {0};
    struct stat st = {0};

    assert(root_fd >= 0 && key && ret);
    if ((o.fd = open_regular(root_fd, key, &st)) < 0)
        return o.fd;
    o.size = (uint64_t)st.st_size;
    o.modified_ns = root_time_ns(&st.st_mtim);
    o.is_manifest = text_ends(key, MANIFEST_SUFFIX) && read_manifest(o.fd, &st, &own);
    manifest_done(&own);
    describe(root_fd, key, &st, &o);
    make_etag(&st, &o);
    *ret = o;
    return 0;
}

void root_object_done(struct root_object *o)
{
    if (o->fd >= 0)
        close(o->fd);
    o->fd = -1;
    manifest_done(&o->manifest);
}

void root_object_etag(int root_fd, const char *key, char ret[ROOT_OBJECT_ETAG_MAX])
{
    struct root_object o = {.fd = -1};
    CLEANUP_FD int name = root_open(root_fd, key, O_PATH);
    struct stat st = {0};

    *ret = '\0';
    if (name < 0 || fstat(name, &st) < 0)
        return;
    describe(root_fd, key, &st, &o);
    make_etag(&st, &o);
    memcpy(ret, o.etag, sizeof(o.etag));
    manifest_done(&o.manifest);
}

void root_object_report(const char *key, int result)
{
    if (result != -ENOENT && result != -ENOTDIR)
        log_event(EVENT_NOT_SERVED, LOG_STR("key", key),
                  LOG_STR("error", result == -ENXIO   ? "it is no regular file"
                                   : result == -ELOOP ? "a link leads there"
                                                      : strerror(-result)));
}
