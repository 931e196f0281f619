/* SPDX-License-Identifier: Apache-2.0
 *
 * Claims: made, found again after a restart, and finished. Whenever we are killed, the next start can go on from what
 * lies in the folder. Nothing here is fsynced: after a power cut a claim may be missing; the evidence then lies under
 * its old name or in the spool, and is found there.
 */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "ship/spool_internal.h"

enum { CLAIM_JSON_MAX = 64 * 1024 };

/* A claim's folder is opened without following links, and its files by it: the application may have put links there. */
static int open_claim(const struct spool *s, const char *id)
{
    int fd = openat(s->spoolfd, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

    return fd < 0 ? -errno : fd;
}

int spool_fd(const struct spool *s)
{
    return s->dirfd;
}

static int write_claim(struct spool *s, const struct claim *c)
{
    CLEANUP(buf_done) struct buf text = {0};
    CLEANUP_FD int dir = open_claim(s, c->id), fd = -1;
    int r = dir < 0 ? dir : claim_encode(c, &text);

    if (r < 0)
        return r;
    fd = openat(dir, "claim.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    if ((r = file_write(fd, text.data, text.size)) < 0)
        return r;
    return renameat(dir, "claim.new", dir, "claim.json") < 0 ? -errno : 0;
}

int spool_add(struct spool *s, const struct claim *c, struct err *e)
{
    int r = mkdirat(s->spoolfd, c->id, 0700) < 0 && errno != EEXIST ? -errno : write_claim(s, c);

    return r < 0 ? err_set(e, r, "cannot write to the state folder %s: %s", s->path, strerror(-r)) : 0;
}

/* -ESTALE: another file was put under the name before the rename. Other errors say nothing about the file. */
static int check_moved_file(int dir, const struct claim *c, const char *machine)
{
    CLEANUP_FD int fd = openat(dir, "evidence", O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct identity now = {0};
    int r = fd < 0 ? -errno : identity_get(fd, machine, &now);

    return r < 0 ? r : S_ISREG(now.mode) && text_eq(now.id, c->id) ? 0 : -ESTALE;
}

/* Undoes the move. False if a newer file has the name: then the moved one stays in the spool, and is shipped. */
static bool move_back(int dir, int dirfd, const char *name)
{
    struct stat st;

    if (renameat2(dir, "evidence", dirfd, name, RENAME_NOREPLACE) == 0)
        return true;
    if (fstatat(dir, "evidence", &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
        return false;
    unlinkat(dir, "evidence", 0);
    return true;
}

int spool_move_in(struct spool *s, struct claim *c, const struct spool_source *from, struct err *e)
{
    CLEANUP_FD int dir = open_claim(s, c->id);
    int r = dir < 0 ? dir : 0;

    assert(c->in_place && from->name && from->machine);
    if (r < 0 || renameat2(from->dirfd, from->name, dir, "evidence", RENAME_NOREPLACE) < 0) {
        r = r < 0 ? r : -errno;
        /* Some file systems support no flags; no other process makes this name. */
        if (r == -EINVAL)
            r = renameat(from->dirfd, from->name, dir, "evidence") < 0 ? -errno : 0;
        if (r < 0)
            return err_set(e, r, "cannot move %s into %s: %s", c->path, s->path, strerror(-r));
    }
    r = check_moved_file(dir, c, from->machine);
    if (r < 0 && move_back(dir, from->dirfd, from->name))
        return r == -ESTALE ? err_set(e, r, "%s was replaced while it was claimed", c->path)
                            : err_set(e, r, "%s cannot be examined: %s", c->path, strerror(-r));
    c->in_place = false;
    /* If this fails, the next start finds a claim that says "in place", and evidence beside it: the evidence counts. */
    write_claim(s, c);
    return 0;
}

int spool_claim_dir(struct spool *s, const struct claim *c)
{
    return open_claim(s, c->id);
}

uint64_t spool_disk(struct spool *s, const struct claim *c)
{
    CLEANUP_DIR DIR *dir = file_opendir(s->spoolfd, c->id);
    uint64_t blocks = 0;
    struct stat st;

    if (!dir)
        return c->disk;
    for (struct dirent *d; (d = readdir(dir));)
        if (strcmp(d->d_name, "..") != 0 && fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
            blocks += (uint64_t)st.st_blocks;
    return blocks * 512;
}

int spool_evidence(struct spool *s, const struct claim *c)
{
    CLEANUP_FD int dir = open_claim(s, c->id);
    int fd = dir < 0 ? dir : openat(dir, "evidence", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    return dir >= 0 && fd < 0 ? -errno : fd;
}

/* Evidence without a readable claim, after a power cut or a change by hand: only its id is known. */
static int make_claim_for(const char *id, const struct stat *st, struct claim *ret)
{
    CLEANUP(claim_done) struct claim c = {0};

    snprintf(c.id, sizeof(c.id), "%s", id);
    c.path = strdup("evidence");
    c.name = strdup("evidence");
    c.kind = kind_of_name("evidence");
    c.cause = strdup(c.kind->cause);
    if (!c.path || !c.name || !c.cause)
        return -ENOMEM;
    c.time_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
    c.found_ns = c.settled_ns = clock_wall_ns();
    c.owner = st->st_uid;
    *ret = c;
    c = (struct claim){0};
    return 0;
}

/* Not through a link. */
static int load_claim_json(int dir, struct buf *ret)
{
    CLEANUP_FD int fd = openat(dir, "claim.json", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    return S_ISREG(st.st_mode) ? file_load_fd(fd, ret) : -EINVAL;
}

/* 0 and a claim; -ENOENT if nothing is left to ship. */
static int load_claim(struct spool *s, const char *id, struct claim *ret)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = CLAIM_JSON_MAX};
    CLEANUP_FD int dir = open_claim(s, id);
    struct stat st = {0};
    bool here;
    int r;

    if (dir < 0)
        return fault_is_transient(dir) ? dir : -ENOENT;
    here = fstatat(dir, "evidence", &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
    r = load_claim_json(dir, &text);
    if (r == 0)
        r = claim_decode(buf_text(&text), text.size, ret);
    if (r == 0 && !text_eq(ret->id, id)) {
        claim_done(ret);
        r = -EBADMSG;
    }
    if (r < 0)
        r = here ? make_claim_for(id, &st, ret) : -ENOENT;
    if (r < 0)
        return r;
    if (here) {
        ret->in_place = false;
        ret->size = (uint64_t)st.st_size;
        ret->disk = (uint64_t)st.st_blocks * 512;
    } else if (!ret->in_place) {
        claim_done(ret); /* shipped and erased; we were killed before the folder was removed */
        return -ENOENT;
    }
    ret->spool = s;
    return 0;
}

int spool_each(struct spool *s, void (*fn)(void *ctx, struct claim *c), void *ctx)
{
    assert(fn);
    CLEANUP_DIR DIR *dir = file_opendir(s->spoolfd, ".");

    if (!dir)
        return -errno;
    for (struct dirent *d; (d = readdir(dir));) {
        unsigned char raw[(IDENTITY_MAX - 1) / 2];
        struct claim *c;
        int r;

        if (strlen(d->d_name) != IDENTITY_MAX - 1 || text_unhex(d->d_name, raw, sizeof(raw)) < 0)
            continue;
        if (!(c = calloc(1, sizeof(*c))))
            return -ENOMEM;
        if ((r = load_claim(s, d->d_name, c)) == 0) {
            fn(ctx, c);
            continue;
        }
        free(c);
        if (r == -ENOENT)
            file_remove_tree(s->spoolfd, d->d_name);
    }
    return 0;
}

/* STATE/kept/TIME-ID-NAME, the name cut so that it fits. */
static int keep_evidence(struct spool *s, const struct claim *c)
{
    CLEANUP_FD int dir = open_claim(s, c->id);
    char to[300], time[CLOCK_TEXT_MAX];

    if (dir < 0)
        return dir;
    if (mkdirat(s->dirfd, "kept", 0700) < 0 && errno != EEXIST)
        return -errno;
    snprintf(to, sizeof(to), "kept/%s-%s-%.200s", clock_format_basic(c->time_ns, time), c->id, c->name);
    return renameat(dir, "evidence", s->dirfd, to) < 0 ? -errno : 0;
}

/* Whether the file was not written to since it was read. */
static bool is_unchanged(const struct claim *c, const struct identity *now)
{
    return now->size == c->size && now->mtime_ns == c->mtime_ns;
}

/* Erases only the file that was shipped: another one may have its name by now. */
static int erase_in_place(const struct claim *c, const char *machine)
{
    CLEANUP_FD int fd = open(c->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct identity now;
    int r;

    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    if ((r = identity_get(fd, machine, &now)) < 0)
        return r;
    if (!text_eq(now.id, c->id))
        return 0;
    if (!is_unchanged(c, &now))
        return -FAULT_CHANGED;
    return unlink(c->path) < 0 && errno != ENOENT ? -errno : 0;
}

static int erase_evidence(struct spool *s, const struct claim *c, const char *machine)
{
    CLEANUP_FD int dir = open_claim(s, c->id);
    CLEANUP_FD int fd = dir < 0 ? -1 : openat(dir, "evidence", O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct identity now;
    int r;

    if (dir < 0)
        return dir == -ENOENT ? 0 : dir;
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    if ((r = identity_get(fd, machine, &now)) < 0)
        return r;
    if (!is_unchanged(c, &now))
        return -FAULT_CHANGED;
    return unlinkat(dir, "evidence", 0) < 0 && errno != ENOENT ? -errno : 0;
}

int spool_finish(struct spool *s, const struct claim *c, const char *machine, bool keep, struct err *e)
{
    int r = 0;

    assert(machine && (s || c->in_place));
    if (c->in_place)
        r = c->erase && !keep ? erase_in_place(c, machine) : 0;
    else
        r = keep ? keep_evidence(s, c) : erase_evidence(s, c, machine);
    if (r == -FAULT_CHANGED)
        return err_set(e, r, "%s was written to after it was shipped: it is not removed", c->path);
    if (r < 0)
        return err_set(e, r, "%s is in the store, but the local copy cannot be %s: %s", c->path,
                       keep ? "kept" : "removed", strerror(-r));
    return s ? file_remove_tree(s->spoolfd, c->id) : 0;
}

int spool_discard(struct spool *s, const struct claim *c)
{
    return file_remove_tree(s->spoolfd, c->id);
}

int spool_drop(struct spool *s, const struct claim *c)
{
    CLEANUP_FD int dir = open_claim(s, c->id);

    if (dir >= 0 && faccessat(dir, "evidence", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return -EBUSY;
    return file_remove_tree(s->spoolfd, c->id);
}
