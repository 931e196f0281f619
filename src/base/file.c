/* SPDX-License-Identifier: Apache-2.0
 *
 * Short counts, EINTR, fsync of the folder, temporary names.
 */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

enum { LOAD_STEP = 16 * 1024, NAME_TRIES = 16, TREE_DEPTH_MAX = 32 };

ssize_t file_read(int fd, void *data, size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t n = read(fd, (char *)data + done, size - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

ssize_t file_pread(int fd, void *data, size_t size, uint64_t offset)
{
    size_t done = 0;

    if (size > SSIZE_MAX || offset > (uint64_t)INT64_MAX - size)
        return -EINVAL;
    while (done < size) {
        ssize_t n = pread(fd, (char *)data + done, size - done, (off_t)(offset + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

int file_write(int fd, const void *data, size_t size)
{
    const char *from = data;

    while (size > 0) {
        ssize_t n = write(fd, from, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        from += n;
        size -= (size_t)n;
    }
    return 0;
}

int file_load_fd(int fd, struct buf *ret)
{
    size_t before = ret->size;
    char step[LOAD_STEP];
    ssize_t n;
    int r = 0;

    while (r == 0 && (n = file_read(fd, step, sizeof(step))) != 0)
        r = n < 0 ? (int)n : buf_add(ret, step, (size_t)n);
    if (r < 0 && ret->data) {
        ret->size = before;
        ret->data[before] = '\0';
    }
    return r;
}

int file_load(int dirfd, const char *path, struct buf *ret)
{
    /* Another user may have put a FIFO there, which would block us for ever. */
    CLEANUP_FD int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    return S_ISREG(st.st_mode) ? file_load_fd(fd, ret) : S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
}

int file_fsync_folder(int fd)
{
    while (fsync(fd) < 0) {
        if (errno == EINVAL || errno == ENOTSUP)
            return 0;
        if (errno != EINTR)
            return -errno;
    }
    return 0;
}

static int open_folder(int dirfd, const char *path)
{
    int fd = openat(dirfd, *path ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    return fd;
}

/* Opens the folder that path is in; *ret_name is the last part of path. */
static int open_parent(int dirfd, const char *path, const char **ret_name)
{
    const char *slash = strrchr(path, '/');
    CLEANUP_FREE char *parent = NULL;

    *ret_name = text_base_name(path);
    if (!**ret_name)
        return *path ? -EISDIR : -ENOENT;
    if (!slash)
        return open_folder(dirfd, ".");
    parent = strndup(path, slash == path ? 1 : (size_t)(slash - path));
    return parent ? open_folder(dirfd, parent) : -ENOMEM;
}

/* A new hidden file: listings of the folder skip it. Its name is derived from the final one, so that a file left by a
 * killed process is found and removed. */
static int create_temporary(int dirfd, const char *path, mode_t mode, char name[static 32])
{
    snprintf(name, 32, ".%016llx.tmp", (unsigned long long)XXH3_64bits(path, strlen(path)));
    for (int i = 0; i < NAME_TRIES; i++) {
        int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

        if (fd >= 0 || errno != EEXIST)
            return fd < 0 ? -errno : fd;
        unlinkat(dirfd, name, 0);
    }
    return -EEXIST;
}

static int write_out(int fd, const void *data, size_t size)
{
    int r = file_write(fd, data, size);

    return r < 0 ? r : fsync(fd) < 0 ? -errno : 0;
}

struct replacement {
    const char *path;
    const void *data;
    size_t size;
    mode_t mode;
    bool locked;
};

/* Returns the new file's descriptor if it is locked, else 0. */
static int replace(int dirfd, const struct replacement *n)
{
    CLEANUP_FD int folder = -1, fd = -1;
    const char *name;
    char temporary[32];
    int r;

    folder = open_parent(dirfd, n->path, &name);
    if (folder < 0)
        return folder;
    fd = create_temporary(folder, name, n->mode, temporary);
    if (fd < 0)
        return fd;
    r = write_out(fd, n->data, n->size);
    if (r == 0 && n->locked)
        r = flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
    else if (close(TAKE_FD(fd)) < 0 && r == 0 && errno != EINTR)
        r = -errno; /* NFS reports a full disk here */
    if (r == 0 && renameat(folder, temporary, folder, name) < 0)
        r = -errno;
    if (r < 0) {
        unlinkat(folder, temporary, 0);
        return r;
    }
    r = file_fsync_folder(folder);
    return n->locked ? TAKE_FD(fd) : r; /* the rename is done, so the caller needs the lock even if fsync failed */
}

int file_replace(int dirfd, const char *path, const void *data, size_t size, mode_t mode)
{
    return replace(dirfd, &(struct replacement){path, data, size, mode, false});
}

int file_replace_locked(int dirfd, const char *path, const void *data, size_t size, mode_t mode)
{
    return replace(dirfd, &(struct replacement){path, data, size, mode, true});
}

int file_rename_new(int from_dirfd, const char *from, int to_dirfd, const char *to)
{
    if (renameat2(from_dirfd, from, to_dirfd, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -errno;
    if (linkat(from_dirfd, from, to_dirfd, to, 0) < 0)
        return -errno;
    unlinkat(from_dirfd, from, 0);
    return 0;
}

/* Makes one folder; its parents exist. */
static int make_folder(int dirfd, char *path, mode_t mode)
{
    CLEANUP_FD int parent = -1;
    const char *name;
    struct stat st;

    if (mkdirat(dirfd, path, mode) == 0) {
        parent = open_parent(dirfd, path, &name);
        return parent < 0 ? parent : file_fsync_folder(parent);
    }
    if (errno != EEXIST)
        return -errno;
    if (fstatat(dirfd, path, &st, 0) < 0)
        return -errno;
    return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int file_mkdirs(int dirfd, const char *path, mode_t mode)
{
    CLEANUP_FREE char *copy = strdup(path);
    int r = !copy ? -ENOMEM : *copy ? 0 : -ENOENT;
    size_t i = 0;

    while (r == 0) {
        char kept;

        i += strspn(copy + i, "/");
        if (!copy[i])
            break;
        i += strcspn(copy + i, "/");
        kept = copy[i];
        copy[i] = '\0';
        r = make_folder(dirfd, copy, mode);
        copy[i] = kept;
    }
    return r;
}

DIR *file_opendir(int dirfd, const char *path)
{
    int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), error;
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);

    if (fd >= 0 && !dir) {
        error = errno;
        close(fd);
        errno = error;
    }
    return dir;
}

static int remove_folder(int dirfd, const char *name, unsigned depth);

static int remove_entry(int dirfd, const char *name, unsigned depth)
{
    if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno == EISDIR || errno == EPERM) { /* Linux says EISDIR, POSIX EPERM */
        int saved = errno, r = remove_folder(dirfd, name, depth + 1);

        return r == -ENOTDIR ? -saved : r;
    }
    return -errno;
}

static int empty_folder(DIR *folder, unsigned depth)
{
    const struct dirent *entry;
    int r;

    while ((errno = 0, entry = readdir(folder))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if ((r = remove_entry(dirfd(folder), entry->d_name, depth)) < 0)
            return r;
    }
    return -errno;
}

static int remove_folder(int dirfd, const char *name, unsigned depth)
{
    CLEANUP_DIR DIR *folder = NULL;
    int r;

    if (depth > TREE_DEPTH_MAX)
        return -ELOOP;
    if (!(folder = file_opendir(dirfd, name)))
        return errno == ENOENT ? 0 : -errno;
    if ((r = empty_folder(folder, depth)) < 0)
        return r;
    return unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

int file_remove_tree(int dirfd, const char *path)
{
    CLEANUP_FREE char *copy = strdup(path);
    size_t length = strlen(path);

    if (!copy)
        return -ENOMEM;
    /* A slash at the end would follow a link. */
    while (length > 1 && copy[length - 1] == '/')
        copy[--length] = '\0';
    return remove_folder(dirfd, copy, 0);
}
