/* SPDX-License-Identifier: Apache-2.0
 *
 * The folder is made, locked, and checked again: before the lock another run may have removed it as an old one.
 */
#include "run/rundir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "ship/claim.h"
#include "ship/spool.h"

enum { TRIES = 16, NAME_BYTES = 64 };

static const char PREFIX[] = "run-";

/* The base folder's descriptor. */
static int open_base(const char *base, struct err *e)
{
    bool root = geteuid() == 0;
    CLEANUP_FD int fd = -1;
    struct stat st = {0};
    int r = file_mkdirs(AT_FDCWD, base, root ? 0711 : 0700);

    if (r == 0 && (fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        r = -errno;
    if (r == 0 && fstat(fd, &st) < 0)
        r = -errno;
    if (r < 0)
        return err_set(e, -FAULT_FOLDER, "%s cannot be used: %s: give --dir a folder that uid %u may write to", base,
                       strerror(-r), (unsigned)geteuid());
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return err_set(e, -FAULT_FOLDER, "%s belongs to uid %u, who could read the dumps: give another --dir", base,
                       (unsigned)st.st_uid);
    return TAKE_FD(fd);
}

/* Removes a run's folder if it is empty, or has only the state folder of a watch that has nothing left to do. */
static void remove_run(int basefd, const char *name)
{
    static const struct {
        const char *name;
        int flags;
    } state[] = {{STATE_NAME "/spool", AT_REMOVEDIR}, {STATE_NAME "/lock", 0}, {STATE_NAME, AT_REMOVEDIR}};
    CLEANUP_FD int fd = -1;

    if (unlinkat(basefd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
        return;
    fd = openat(basefd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    for (size_t i = 0; fd >= 0 && i < ARRAY_SIZE(state); i++)
        if (unlinkat(fd, state[i].name, state[i].flags) < 0)
            return;
    unlinkat(basefd, name, AT_REMOVEDIR);
}

/* Removes empty folders of runs that have ended. */
static void sweep(int basefd)
{
    CLEANUP_DIR DIR *dir = file_opendir(basefd, ".");

    for (struct dirent *d; dir && (d = readdir(dir));) {
        CLEANUP_FD int lock = -1;

        if (!text_starts(d->d_name, PREFIX))
            continue;
        lock = openat(basefd, d->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0)
            remove_run(basefd, d->d_name);
    }
}

/* A new folder, locked. Its descriptor, or -errno; -EEXIST: try another name. */
static int make_one(int basefd, const char *name)
{
    CLEANUP_FD int fd = -1;
    struct stat st, there;

    if (mkdirat(basefd, name, 0700) < 0)
        return -errno;
    fd = openat(basefd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? -EEXIST : -errno;
    if (geteuid() == 0 && fchmod(fd, 01777) < 0)
        return -errno;
    /* Without support for locks no other run can lock the folder to remove it. */
    if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
        return -EEXIST;
    if (fstat(fd, &st) < 0 || fstatat(basefd, name, &there, AT_SYMLINK_NOFOLLOW) < 0 || st.st_ino != there.st_ino)
        return -EEXIST;
    return TAKE_FD(fd);
}

int rundir_make(const char *base, struct rundir *ret, struct err *e)
{
    CLEANUP(rundir_done) struct rundir d = RUNDIR_NONE;
    CLEANUP_FD int basefd = open_base(base, e);
    char name[NAME_BYTES], time[CLOCK_TEXT_MAX];
    int r = -EEXIST;

    if (basefd < 0)
        return basefd;
    sweep(basefd);
    for (int i = 0; i < TRIES && r == -EEXIST; i++) {
        unsigned random = 0;

        if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
            random = (unsigned)getpid() * TRIES + (unsigned)i;
        snprintf(name, sizeof(name), "%s%s-%08x", PREFIX, clock_format_basic(clock_wall_ns(), time), random);
        r = d.lock_fd = make_one(basefd, name);
    }
    if (r < 0)
        return err_set(e, -FAULT_FOLDER,
                       "%s: no folder can be made there: %s: give --dir a folder that uid %u may write to", base,
                       strerror(-r), (unsigned)geteuid());
    if (!(d.base = realpath(base, NULL)))
        return err_set(e, -FAULT_FOLDER, "%s: %s", base, strerror(errno));
    if (asprintf(&d.path, "%s/%s", d.base, name) < 0) {
        d.path = NULL;
        return err_set(e, -ENOMEM, "out of memory");
    }
    *ret = d;
    d = (struct rundir)RUNDIR_NONE;
    return 0;
}

void rundir_done(struct rundir *d)
{
    if (d->path)
        remove_run(AT_FDCWD, d->path);
    if (d->lock_fd >= 0)
        close(d->lock_fd);
    free(d->base);
    free(d->path);
    *d = (struct rundir)RUNDIR_NONE;
}
