/* SPDX-License-Identifier: Apache-2.0
 *
 * One object on its way into a folder. It grows under a hidden name beside its place (".HEX.part", made of its id and
 * key), which a later run can go on with; fsync and rename make it visible whole, or not at all.
 */
#include "store/folder/folder_upload.h"

#include <assert.h>
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
#include "net/bandwidth.h"
#include "store/folder/folder_tree.h"
#include "store/readback.h"

enum { TEMPORARY_MAX = 64 };

struct upload {
    struct file_store *store;
    const struct object *object;
    const struct upload_events *events;
    int folder;       /* that the object lies in */
    const char *name; /* the object's in it; points into object->key */
    char temporary[TEMPORARY_MAX];
    int fd; /* the temporary file, at its end */
    uint64_t size;
    struct bandwidth_sender sender;
    XXH3_state_t *written; /* of its bytes, for verify: eight times as fast as SHA-256 */
};

/* Digests of what is read back. A resume needs both, as the journal has the SHA-256 of the parts. */
struct reading {
    XXH3_state_t *hash;
    struct readback *sha256; /* NULL: not by SHA-256 */
    uint64_t size;
};

static int digest_reading(void *ctx, const void *data, size_t size)
{
    struct reading *r = ctx;

    r->size += size;
    XXH3_64bits_update(r->hash, data, size);
    return r->sha256 ? readback_add(r->sha256, data, size) : 0;
}

/* Named after id and key: the objects of a case share an id and are written at the same time. */
static bool name_temporary(struct upload *u)
{
    const struct object *o = u->object;
    uint64_t key = XXH3_64bits(o->key, strlen(o->key));

    if (strlen(o->id) != 16 || strspn(o->id, "0123456789abcdef") != 16)
        return false;
    snprintf(u->temporary, sizeof(u->temporary), ".%016" PRIx64 ".part", (uint64_t)strtoull(o->id, NULL, 16) ^ key);
    return true;
}

void file_upload_free(struct upload *u)
{
    if (!u)
        return;
    mem_close_ptr(&u->fd);
    mem_close_ptr(&u->folder);
    XXH3_freeState(u->written);
    bandwidth_sender_done(u->store->bandwidth, &u->sender);
    free(u);
}

DEFINE_CLEANUP(struct upload *, file_upload_free)

static int begin(struct upload *u, struct err *e)
{
    /* A new inode: a process that still writes to the old one does no harm. */
    if (unlinkat(u->folder, u->temporary, 0) < 0 && errno != ENOENT)
        return file_tree_fail(u->store, errno, "replace the temporary file of", u->object->key, e);
    u->fd = openat(u->folder, u->temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_OBJECT_MODE);
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
    CLEANUP(readback_done) struct readback check = {0};
    struct stat st;
    char hex[65];
    int r;

    u->fd = openat(u->folder, u->temporary, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (u->fd < 0)
        return errno == ENOENT ? gone(u, "is gone", e)
                               : file_tree_fail(u->store, errno, "open the temporary file of", u->object->key, e);
    if (fstat(u->fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1)
        return gone(u, "is not one", e);
    r = readback_init(&check);
    if (r == 0)
        r = file_tree_pour(u->fd, past->stored_end, digest_reading, &(struct reading){u->written, &check, 0});
    if (r == 0)
        r = readback_hex(&check, hex);
    if (r < 0)
        return file_tree_fail(u->store, -r, "read the temporary file of", u->object->key, e);
    if (check.size != past->stored_end || !text_eq(hex, past->stored_digest))
        return gone(u, "has not kept what was written", e);
    if (ftruncate(u->fd, (off_t)past->stored_end) < 0 || lseek(u->fd, 0, SEEK_END) < 0)
        return file_tree_fail(u->store, errno, "cut the temporary file of", u->object->key, e);
    u->size = past->stored_end;
    return 0;
}

int file_upload_new(struct sink *sink, const struct upload_start *start, struct upload **ret, struct err *e)
{
    struct file_store *s = (struct file_store *)sink;
    const struct object *o = start->object;
    const struct upload_past *past = start->past;
    const struct upload_events *events = start->events;
    CLEANUP(file_upload_free_ptr) struct upload *u = calloc(1, sizeof(*u));
    int r;

    assert(o && o->key && o->id && events && events->done);
    if (!u)
        return err_set(e, -ENOMEM, "out of memory");
    *u = (struct upload){.store = s, .object = o, .events = events, .folder = -1, .fd = -1};
    if (!(u->written = XXH3_createState()) || XXH3_64bits_reset(u->written) != XXH_OK)
        return err_set(e, -ENOMEM, "out of memory");
    if (!name_temporary(u))
        return err_set(e, -FAULT_REFUSED, "file: '%s' is no id", o->id);
    u->folder = file_tree_parent(s, o->key, !past, &u->name, e);
    if (u->folder < 0)
        return past && u->folder == -FAULT_NO_OBJECT ? gone(u, "is gone", e) : u->folder;
    r = past ? take_up(u, past, e) : begin(u, e);
    if (r < 0)
        return r;
    if (!past && events->token)
        events->token(events->ctx, u->temporary);
    *ret = TAKE_PTR(u);
    return 0;
}

/* A folder may be a network's. */
static int write_paced(struct upload *u, const struct part *p)
{
    size_t piece = bandwidth_piece_of(u->store->bandwidth);
    int r = 0;

    for (size_t at = 0; at < p->size && r == 0; at += piece < p->size - at ? piece : p->size - at) {
        size_t size = piece < p->size - at ? piece : p->size - at;

        bandwidth_wait(u->store->bandwidth, &u->sender, size);
        r = file_write(u->fd, p->data + at, size);
    }
    return r;
}

int file_upload_write(struct upload *u, struct part *p, struct err *e)
{
    assert(u->fd >= 0 && p->number > 0);
    int r = write_paced(u, p);

    if (r == 0) {
        /* Start writing back now, so that commit waits less. */
        (void)sync_file_range(u->fd, (off_t)u->size, (off_t)p->size, SYNC_FILE_RANGE_WRITE);
        u->size += p->size;
        XXH3_64bits_update(u->written, p->data, p->size);
    }
    u->events->done(u->events->ctx, p, r == 0 ? "" : NULL);
    return r < 0 ? file_tree_fail(u->store, -r, "write", u->object->key, e) : 0;
}

int file_upload_commit(struct upload *u, const struct whole *w, struct err *e)
{
    int r;

    assert(u->fd >= 0);
    if (u->size != w->size)
        return err_set(e, -FAULT_CORRUPT, "file: %s/%s: %" PRIu64 " of %" PRIu64 " bytes were written", u->store->path,
                       u->object->key, u->size, w->size);
    if (fsync(u->fd) < 0 || renameat(u->folder, u->temporary, u->folder, u->name) < 0)
        return file_tree_fail(u->store, errno, "write", u->object->key, e);
    r = file_fsync_folder(u->folder);
    return r < 0 ? file_tree_fail(u->store, -r, "write", u->object->key, e) : 0;
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
int file_upload_verify(struct upload *u, const struct whole *w, bool read, struct err *e)
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
        r = file_tree_pour(fd, UINT64_MAX, digest_reading, &back);
    r = r < 0 ? file_tree_fail(u->store, -r, "read back", u->object->key, e) : compare(u, &back, w, e);
    XXH3_freeState(back.hash);
    return r;
}

void file_upload_abort(struct upload *u)
{
    unlinkat(u->folder, u->temporary, 0);
}

/* A token comes from a journal, which may hold anything. */
static bool is_temporary(const char *name)
{
    return name[0] == '.' && strspn(name + 1, "0123456789abcdef") == 16 && text_eq(name + 17, ".part");
}

int file_upload_abort_token(struct sink *sink, const char *key, const char *token, struct err *e)
{
    struct file_store *s = (struct file_store *)sink;
    CLEANUP_FD int folder = -1;
    const char *name;

    if (!is_temporary(token))
        return err_set(e, -FAULT_REFUSED, "file: '%s' is no temporary file of ours", token);
    folder = file_tree_parent(s, key, false, &name, e);
    if (folder < 0)
        return folder == -FAULT_NO_OBJECT ? 0 : folder;
    if (unlinkat(folder, token, 0) < 0 && errno != ENOENT)
        return file_tree_fail(s, errno, "remove the temporary file of", key, e);
    return 0;
}
