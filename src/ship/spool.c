/* SPDX-License-Identifier: Apache-2.0
 *
 * The state folder: claims made, found again after a restart, and finished. Every step leaves something that the next
 * start understands, whenever we are killed. Nothing here is fsynced: after a power cut a claim may be missing, the
 * evidence then lies under its old name or in the spool, and is found there.
 */
#include "ship/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "linux/fskind.h"

struct spool {
    int dirfd;  /* STATE */
    int lockfd; /* -1: not owned */
    char *path; /* for messages */
};

enum { CLAIM_JSON_MAX = 64 * 1024, RELATIVE_MAX = 64 };

/* "spool/ID/NAME" */
static const char *in_claim(const struct claim *c, const char *name, char out[RELATIVE_MAX])
{
    snprintf(out, RELATIVE_MAX, "spool/%s%s%s", c->id, *name ? "/" : "", name);
    return out;
}

/* What may pass by itself is worth another try; a folder that cannot be used stays so. */
static int state_fault(int error)
{
    return fault_passes(-error) ? -error : -FAULT_STATE;
}

/* The kernel asks a FUSE server when a file is closed, and a process that ends waits for its answer, whatever signal it
 * gets; not so for a folder. */
static bool is_fuse(int fd)
{
    struct fskind kind;

    return fskind_get(fd, &kind) == 0 && text_eq(kind.name, "fuse");
}

static int take_lock(struct spool *s, struct err *e)
{
    if (is_fuse(s->dirfd))
        s->lockfd = openat(s->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    else
        s->lockfd = openat(s->dirfd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (s->lockfd < 0)
        return err_set(e, state_fault(errno), "%s/lock: %s", s->path, strerror(errno));
    if (flock(s->lockfd, LOCK_EX | LOCK_NB) < 0)
        return err_set(e, -FAULT_LOCKED, "%s: another salvage watches here: stop it first, or give --state", s->path);
    return 0;
}

/* In an application's folder a state folder that is not ours is a trap: links in it would lead our writes elsewhere. */
static bool is_ours_alone(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 022) == 0;
}

/* A folder given by --state may be root's, and open to others (an emptyDir is 0777): its spool folder is checked. */
static bool is_of_another(int fd)
{
    struct stat st;

    return fstat(fd, &st) < 0 || (st.st_uid != geteuid() && st.st_uid != 0);
}

static int open_spool_folder(struct spool *s, struct err *e)
{
    CLEANUP_FD int fd = -1;

    if (mkdirat(s->dirfd, "spool", 0700) == 0 || errno == EEXIST)
        fd = openat(s->dirfd, "spool", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return err_set(e, state_fault(errno), "cannot use the state folder %s: %s: give --state DIR", s->path,
                       errno == ENOTDIR || errno == ELOOP ? "its 'spool' is no folder" : strerror(errno));
    if (!is_ours_alone(fd))
        return err_set(e, -FAULT_STATE,
                       "%s/spool is another user's, or others may write to it: remove it, or give --state DIR",
                       s->path);
    return 0;
}

int spool_open(int dirfd, const char *path, bool own, struct spool **ret, struct err *e)
{
    struct spool *s = calloc(1, sizeof(*s));
    int r;

    if (!s || !(s->path = strdup(path))) {
        free(s);
        return err_set(e, -ENOMEM, "out of memory");
    }
    s->dirfd = s->lockfd = -1;
    if (mkdirat(dirfd, path, 0700) < 0 && errno != EEXIST) {
        r = err_set(e, state_fault(errno), "cannot make the state folder %s: %s: give --state DIR", path,
                    strerror(errno));
        goto fail;
    }
    s->dirfd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (s->dirfd < 0) {
        r = err_set(e, state_fault(errno), "cannot use the state folder %s: %s: give --state DIR", path,
                    errno == ELOOP || errno == ENOTDIR ? "it is a link, or no folder" : strerror(errno));
        goto fail;
    }
    if (dirfd == AT_FDCWD ? is_of_another(s->dirfd) : !is_ours_alone(s->dirfd)) {
        r = err_set(e, -FAULT_STATE,
                    "the state folder %s is another user's, or others may write to it: remove it, or "
                    "give --state DIR",
                    path);
        goto fail;
    }
    if ((r = open_spool_folder(s, e)) < 0)
        goto fail;
    if (own && (r = take_lock(s, e)) < 0)
        goto fail;
    *ret = s;
    return 0;
fail:
    spool_close(s);
    return r;
}

bool spool_is_watched(int dirfd, const char *path)
{
    CLEANUP_FD int state = openat(dirfd, path, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    const char *lock = state >= 0 && is_fuse(state) ? "." : "lock";
    CLEANUP_FD int fd = state < 0 ? -1 : openat(state, lock, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return state >= 0 && errno == EACCES;
    if (flock(fd, LOCK_SH | LOCK_NB) < 0)
        return errno == EWOULDBLOCK;
    flock(fd, LOCK_UN);
    return false;
}

void spool_close(struct spool *s)
{
    if (!s)
        return;
    if (s->lockfd >= 0)
        close(s->lockfd);
    if (s->dirfd >= 0)
        close(s->dirfd);
    free(s->path);
    free(s);
}

int spool_fd(const struct spool *s)
{
    return s->dirfd;
}

static int write_claim(struct spool *s, const struct claim *c)
{
    CLEANUP(buf_done) struct buf text = {0};
    CLEANUP_FD int fd = -1;
    char temporary[RELATIVE_MAX], path[RELATIVE_MAX];
    int r = claim_encode(c, &text);

    if (r < 0)
        return r;
    fd = openat(s->dirfd, in_claim(c, "claim.new", temporary), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                0600);
    if (fd < 0)
        return -errno;
    if ((r = file_write(fd, text.data, text.size)) < 0)
        return r;
    return renameat(s->dirfd, temporary, s->dirfd, in_claim(c, "claim.json", path)) < 0 ? -errno : 0;
}

int spool_add(struct spool *s, const struct claim *c, struct err *e)
{
    char path[RELATIVE_MAX];
    int r = mkdirat(s->dirfd, in_claim(c, "", path), 0700) < 0 && errno != EEXIST ? -errno : write_claim(s, c);

    return r < 0 ? err_set(e, r, "cannot write to the state folder %s: %s", s->path, strerror(-r)) : 0;
}

/* Between the look and the rename somebody may have put something else under the name: -ESTALE. Another error says
 * nothing about the file. */
static int check_what_was_moved(struct spool *s, const struct claim *c, const char *machine)
{
    char path[RELATIVE_MAX];
    CLEANUP_FD int fd = openat(s->dirfd, in_claim(c, "evidence", path), O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct identity now = {0};
    int r = fd < 0 ? -errno : identity_get(fd, machine, &now);

    return r < 0 ? r : S_ISREG(now.mode) && text_eq(now.id, c->id) ? 0 : -ESTALE;
}

/* True unless it is a file whose name has a newer holder still: that one stays, and is shipped. */
static bool give_back(struct spool *s, const char *path, int dirfd, const char *name)
{
    struct stat st;

    if (renameat2(s->dirfd, path, dirfd, name, RENAME_NOREPLACE) == 0)
        return true;
    if (fstatat(s->dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
        return false;
    unlinkat(s->dirfd, path, 0);
    return true;
}

int spool_move_in(struct spool *s, struct claim *c, int dirfd, const char *name, const char *machine, struct err *e)
{
    char path[RELATIVE_MAX];
    int r;

    if (renameat2(dirfd, name, s->dirfd, in_claim(c, "evidence", path), RENAME_NOREPLACE) < 0) {
        r = -errno;
        /* Some file systems know no flags; only we make this name. */
        if (r == -EINVAL)
            r = renameat(dirfd, name, s->dirfd, path) < 0 ? -errno : 0;
        if (r < 0)
            return err_set(e, r, "cannot move %s into %s: %s", c->path, s->path, strerror(-r));
    }
    r = check_what_was_moved(s, c, machine);
    if (r < 0 && give_back(s, path, dirfd, name))
        return r == -ESTALE ? err_set(e, r, "%s was replaced while it was claimed", c->path)
                            : err_set(e, r, "%s cannot be examined: %s", c->path, strerror(-r));
    c->in_place = false;
    /* If this fails, the next start finds the evidence beside a claim that says "in place", and believes the file. */
    write_claim(s, c);
    return 0;
}

int spool_claim_dir(struct spool *s, const struct claim *c)
{
    char path[RELATIVE_MAX];
    int fd = openat(s->dirfd, in_claim(c, "", path), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

    return fd < 0 ? -errno : fd;
}

uint64_t spool_disk(struct spool *s, const struct claim *c)
{
    char path[RELATIVE_MAX];
    CLEANUP_DIR DIR *dir = file_opendir(s->dirfd, in_claim(c, "", path));
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
    char path[RELATIVE_MAX];
    int fd = openat(s->dirfd, in_claim(c, "evidence", path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    return fd < 0 ? -errno : fd;
}

/* Evidence without a readable claim: after a power cut, or a hand in the folder. What we know is its id. */
static int invent_claim(const char *id, const struct stat *st, struct claim *ret)
{
    CLEANUP(claim_done) struct claim c = {0};

    memcpy(c.id, id, sizeof(c.id));
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

/* 0 and a claim; -ENOENT if nothing is left to ship. */
static int load_claim(struct spool *s, const char *id, struct claim *ret)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = CLAIM_JSON_MAX};
    struct claim key = {0};
    char path[RELATIVE_MAX];
    struct stat st = {0};
    bool here;
    int r;

    snprintf(key.id, sizeof(key.id), "%s", id);
    here = fstatat(s->dirfd, in_claim(&key, "evidence", path), &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
    r = file_load(s->dirfd, in_claim(&key, "claim.json", path), &text);
    if (r == 0)
        r = claim_decode(buf_text(&text), text.size, ret);
    if (r == 0 && !text_eq(ret->id, id)) {
        claim_done(ret);
        r = -EBADMSG;
    }
    if (r < 0)
        r = here ? invent_claim(key.id, &st, ret) : -ENOENT;
    if (r < 0)
        return r;
    if (here) {
        ret->in_place = false;
        ret->size = (uint64_t)st.st_size;
        ret->disk = (uint64_t)st.st_blocks * 512;
    } else if (!ret->in_place) {
        claim_done(ret); /* shipped and erased, killed before the folder went */
        return -ENOENT;
    }
    ret->spool = s;
    return 0;
}

int spool_each(struct spool *s, void (*fn)(void *ctx, struct claim *c), void *ctx)
{
    CLEANUP_DIR DIR *dir = file_opendir(s->dirfd, "spool");

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
        if (r == -ENOENT) {
            struct claim gone = {0};
            char path[RELATIVE_MAX];

            memcpy(gone.id, d->d_name, sizeof(gone.id));
            file_remove_tree(s->dirfd, in_claim(&gone, "", path));
        }
    }
    return 0;
}

/* STATE/kept/TIME-ID-NAME, the name cut so that it fits. */
static int keep_evidence(struct spool *s, const struct claim *c)
{
    char from[RELATIVE_MAX], to[300], time[CLOCK_TEXT_MAX];

    if (mkdirat(s->dirfd, "kept", 0700) < 0 && errno != EEXIST)
        return -errno;
    snprintf(to, sizeof(to), "kept/%s-%s-%.200s", clock_format_basic(c->time_ns, time), c->id, c->name);
    return renameat(s->dirfd, in_claim(c, "evidence", from), s->dirfd, to) < 0 ? -errno : 0;
}

/* It was not written to since it was read. */
static bool is_as_shipped(const struct claim *c, const struct identity *now)
{
    return now->size == c->size && now->mtime_ns == c->mtime_ns;
}

/* Only the very file that was shipped: the name may be another file's by now. */
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
    if (!is_as_shipped(c, &now))
        return -FAULT_CHANGED;
    return unlink(c->path) < 0 && errno != ENOENT ? -errno : 0;
}

static int erase_evidence(struct spool *s, const struct claim *c, const char *machine)
{
    char path[RELATIVE_MAX];
    CLEANUP_FD int fd = openat(s->dirfd, in_claim(c, "evidence", path), O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct identity now;
    int r;

    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    if ((r = identity_get(fd, machine, &now)) < 0)
        return r;
    if (!is_as_shipped(c, &now))
        return -FAULT_CHANGED;
    return unlinkat(s->dirfd, path, 0) < 0 && errno != ENOENT ? -errno : 0;
}

int spool_finish(struct spool *s, const struct claim *c, const char *machine, bool keep, struct err *e)
{
    char path[RELATIVE_MAX];
    int r = 0;

    if (c->in_place)
        r = c->erase && !keep ? erase_in_place(c, machine) : 0;
    else
        r = keep ? keep_evidence(s, c) : erase_evidence(s, c, machine);
    if (r == -FAULT_CHANGED)
        return err_set(e, r, "%s was written to after it was shipped: it is not removed", c->path);
    if (r < 0)
        return err_set(e, r, "%s is in the store, but the local copy cannot be %s: %s", c->path,
                       keep ? "kept" : "removed", strerror(-r));
    return s ? file_remove_tree(s->dirfd, in_claim(c, "", path)) : 0;
}

int spool_discard(struct spool *s, const struct claim *c)
{
    char path[RELATIVE_MAX];

    return file_remove_tree(s->dirfd, in_claim(c, "", path));
}

int spool_drop(struct spool *s, const struct claim *c)
{
    char path[RELATIVE_MAX];

    if (faccessat(s->dirfd, in_claim(c, "evidence", path), F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return -EBUSY;
    return file_remove_tree(s->dirfd, in_claim(c, "", path));
}
