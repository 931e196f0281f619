/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening a state folder: refuses one that others could redirect, and locks it. Reads no claim.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"
#include "linux/fskind.h"
#include "ship/spool_internal.h"

/* An error that may pass is tried again; a folder that can't be used stays so. */
static int state_fault(int error)
{
    return fault_is_transient(-error) ? -error : -FAULT_STATE;
}

/* Closing a file on FUSE waits for the server's answer, in a process that is being killed, too; closing a folder does
 * not. So there the lock is on the folder. */
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

/* In an application's folder, a state folder of another user is refused: links in it would redirect our writes. */
static bool is_ours_alone(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 022) == 0;
}

/* A folder given by --state may belong to root and be writable for others (an emptyDir is 0777): there the spool folder
 * is checked. */
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
    s->spoolfd = TAKE_FD(fd);
    return 0;
}

int spool_open(int dirfd, const char *path, bool own, struct spool **ret, struct err *e)
{
    struct spool *s = calloc(1, sizeof(*s));
    int r;

    assert(path && ret);
    if (!s || !(s->path = strdup(path))) {
        free(s);
        return err_set(e, -ENOMEM, "out of memory");
    }
    s->dirfd = s->spoolfd = s->lockfd = -1;
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
    if (s->spoolfd >= 0)
        close(s->spoolfd);
    if (s->dirfd >= 0)
        close(s->dirfd);
    free(s->path);
    free(s);
}
