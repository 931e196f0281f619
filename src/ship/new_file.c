/* SPDX-License-Identifier: Apache-2.0
 *
 * Renames where both lie on one file system, else copies.
 */
#include "ship/new_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "linux/interrupt.h"

enum { COPY_STEP = 1024 * 1024 };

void new_file_done(struct new_file *f)
{
    if (f->folder >= 0)
        close(f->folder);
    free(f->copy);
}

/* Makes a temporary file and removes it: shows whether the JVM's dump will have a place. */
static int try_folder(const struct new_file *to, const char *path, struct err *e)
{
    char name[NAME_MAX + 1];
    int fd;

    if (snprintf(name, sizeof(name), ".%s.part", to->name) >= (int)sizeof(name))
        return err_set(e, -ENAMETOOLONG, "%s: %s", path, strerror(ENAMETOOLONG));
    fd = openat(to->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(e, errno == EEXIST ? -FAULT_EXISTS : -errno, "no file can be made beside %s: %s", path,
                       strerror(errno));
    close(fd);
    unlinkat(to->folder, name, 0);
    return 0;
}

int new_file_open(const char *path, struct new_file *ret, struct err *e)
{
    CLEANUP_FREE char *folder = strdup(path);
    struct stat st;

    assert(ret->folder < 0 && !ret->copy);
    ret->copy = strdup(path);
    if (!folder || !ret->copy)
        return err_set(e, -ENOMEM, "out of memory");
    ret->name = basename(ret->copy);
    ret->folder = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (ret->folder < 0)
        return err_set(e, -errno, "%s: %s", path, strerror(errno));
    if (fstatat(ret->folder, ret->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return err_set(e, -FAULT_EXISTS, "%s is there already: it is not written over", path);
    return try_folder(ret, path, e);
}

static int copy_bytes(int from, int to)
{
    CLEANUP_FREE char *step = malloc(COPY_STEP);
    ssize_t n;
    int r = step ? 0 : -ENOMEM;

    for (uint64_t at = 0; r == 0; at += (uint64_t)n) {
        n = file_pread(from, step, COPY_STEP, at);
        if (n <= 0)
            return (int)n;
        r = interrupt_caught() ? -EINTR : file_write(to, step, (size_t)n);
    }
    return r;
}

/* Under a temporary name until it is whole. */
static int copy(struct heapdump *d, const struct new_file *to)
{
    CLEANUP_FD int fd = -1;
    char name[NAME_MAX + 1];
    int r;

    if (snprintf(name, sizeof(name), ".%s.part", to->name) >= (int)sizeof(name))
        return -ENAMETOOLONG;
    fd = openat(to->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    r = copy_bytes(d->fd, fd);
    if (r == 0 && fsync(fd) < 0)
        r = -errno;
    if (r == 0)
        r = file_rename_new(to->folder, name, to->folder, to->name);
    if (r < 0)
        unlinkat(to->folder, name, 0);
    else
        heapdump_remove(d);
    return r;
}

int new_file_take_dump(const struct new_file *to, struct heapdump *d)
{
    assert(to->folder >= 0 && to->copy && d->fd >= 0);
    /* The JVM's user owns the dump. It becomes the caller's, with mode 0600: it holds customers' data. Where the owner
     * can't be changed, the dump is copied. */
    int r = fchown(d->fd, geteuid(), getegid()) < 0 || fchmod(d->fd, 0600) < 0 ? -EXDEV
                                                                               : heapdump_move(d, to->folder, to->name);

    return r == -EXDEV ? copy(d, to) : r;
}
