/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of pods come from the environment of the process that died, so only valid Kubernetes names become folders, and
 * no link is followed.
 */
#include "node/core_spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "linux/volume.h"

enum { PIECE = 1024 * 1024, PAGE = 4096, DEPTH_MAX = 6, ENTRIES_MAX = 100000, FREE_PART = 6, LEAST = 64 * 1024 };

/* A part that no handler holds locked is what one that was killed has left: a core that is cut, and evidence. */
static void finish_orphan(int folder, const char *part)
{
    CLEANUP_FD int fd = openat(folder, part, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    char name[NAME_MAX + 1];

    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
        return;
    snprintf(name, sizeof(name), "%.*s", (int)(strlen(part) - strlen(".part") - 1), part + 1);
    file_rename_new(folder, part, folder, name);
}

/* Bytes on disk below a folder; one with too many entries counts as full. */
static uint64_t used(int at, const char *name, unsigned depth, unsigned *entries)
{
    CLEANUP_DIR DIR *dir = file_opendir(at, name);
    const struct dirent *d;
    uint64_t sum = 0;
    struct stat st;

    while (dir && (d = readdir(dir))) {
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        if (++*entries > ENTRIES_MAX)
            return UINT64_MAX / 2;
        if (fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        sum += (uint64_t)st.st_blocks * 512;
        if (S_ISREG(st.st_mode) && text_starts(d->d_name, ".core.") && text_ends(d->d_name, ".part"))
            finish_orphan(dirfd(dir), d->d_name);
        if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
            sum += used(dirfd(dir), d->d_name, depth + 1, entries);
    }
    return sum;
}

uint64_t core_spool_room(const struct core_spool *s)
{
    uint64_t size = 0, room = 0, reserve, in_use;
    unsigned entries = 0;

    if (file_mkdirs(AT_FDCWD, s->folder, 0700) < 0 || volume_space_at(s->folder, &size, &room) < 0)
        return 0;
    in_use = used(AT_FDCWD, s->folder, 0, &entries);
    reserve = size / FREE_PART;
    room = room > reserve ? room - reserve : 0;
    if (in_use >= s->size_max)
        return 0;
    room = room < s->size_max - in_use ? room : s->size_max - in_use;
    return room < LEAST ? 0 : room;
}

/* RFC 1123's characters, as Kubernetes has them. */
static bool is_name(const char *text)
{
    size_t size = text ? strlen(text) : 0;

    return size > 0 && size < 254 && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.") == size && text[0] != '.';
}

static int enter(int *fd, const char *name)
{
    int inner;

    if (mkdirat(*fd, name, 0700) < 0 && errno != EEXIST)
        return -errno;
    inner = openat(*fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (inner < 0)
        return -errno;
    close(*fd);
    *fd = inner;
    return 0;
}

int core_spool_folder(const struct core_spool *s, const struct whoami *who, char ret_path[CORE_SPOOL_NAME_MAX],
                      struct err *e)
{
    int r = file_mkdirs(AT_FDCWD, s->folder, 0700);
    CLEANUP_FD int fd = r < 0 ? -1 : open(s->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    *ret_path = '\0';
    if (r == 0 && fd < 0)
        r = -errno;
    if (r == 0 && is_name(who->namespace) && is_name(who->pod)) {
        if ((r = enter(&fd, who->namespace)) == 0)
            r = enter(&fd, who->pod);
        snprintf(ret_path, CORE_SPOOL_NAME_MAX, "%s/%s/", who->namespace, who->pod);
    }
    return r < 0 ? err_set(e, r, "%s: %s", s->folder, strerror(-r)) : TAKE_FD(fd);
}

static bool is_zero(const char *page, size_t size)
{
    return page[0] == 0 && memcmp(page, page + 1, size - 1) == 0;
}

/* Pages of zeros become holes. */
static int write_sparse(int fd, const char *data, size_t size)
{
    int r = 0;

    for (size_t at = 0; at < size && r == 0;) {
        size_t n = size - at < PAGE ? size - at : PAGE;
        bool zero = is_zero(data + at, n);
        size_t end = at + n;

        while (end < size) {
            n = size - end < PAGE ? size - end : PAGE;
            if (is_zero(data + end, n) != zero)
                break;
            end += n;
        }
        if (zero)
            r = lseek(fd, (off_t)(end - at), SEEK_CUR) < 0 ? -errno : 0;
        else
            r = file_write(fd, data + at, end - at);
        at = end;
    }
    return r;
}

static int copy(int from, int to, uint64_t *ret_size)
{
    CLEANUP_FREE char *piece = malloc(PIECE);
    ssize_t n = 0;
    int r = piece ? 0 : -ENOMEM;

    while (r == 0 && (n = file_read(from, piece, PIECE)) > 0) {
        if ((r = write_sparse(to, piece, (size_t)n)) == 0)
            *ret_size += (uint64_t)n;
    }
    return r < 0 ? r : (int)n;
}

int core_spool_write(int folder, const char *name, int fd, uint64_t *ret_size, struct err *e)
{
    char part[NAME_MAX + 1];
    CLEANUP_FD int to = -1;
    int copied, r = 0;

    *ret_size = 0;
    if (snprintf(part, sizeof(part), ".%s.part", name) >= (int)sizeof(part))
        return err_set(e, -ENAMETOOLONG, "%s: the name is too long", name);
    to = openat(folder, part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (to < 0)
        return err_set(e, -errno, "%s: %s", part, strerror(errno));
    flock(to, LOCK_EX | LOCK_NB); /* until it is closed: it has a writer */
    copied = copy(fd, to, ret_size);
    if (*ret_size == 0)
        r = copied < 0 ? copied : -ENODATA;
    else if (ftruncate(to, (off_t)*ret_size) < 0 || fsync(to) < 0)
        r = -errno;
    if (r == 0)
        r = file_rename_new(folder, part, folder, name);
    if (r < 0) {
        unlinkat(folder, part, 0);
        return err_set(e, r, "%s: %s", name, strerror(-r));
    }
    file_fsync_folder(folder);
    return copied < 0 ? err_set(e, copied, "%s is cut: %s", name, strerror(-copied)) : 0;
}
