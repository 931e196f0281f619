/* SPDX-License-Identifier: Apache-2.0
 *
 * The fallback walks with a stack of descriptors: ".." returns to the folder that we came from, not to its parent at
 * that moment.
 */
#include "linux/open_beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/mem.h"

enum { DEPTH_MAX = 256, LINKS_MAX = 40 };

struct walk {
    int fd[DEPTH_MAX]; /* [0] is the base, which is borrowed */
    unsigned depth;    /* of the current folder */
    unsigned links;
    char rest[PATH_MAX]; /* of the path */
};

static void go_up(struct walk *w, bool to_base)
{
    while (w->depth > 0) {
        close(w->fd[w->depth--]);
        if (!to_base)
            return;
    }
}

static void walk_done(struct walk *w)
{
    go_up(w, true);
}

/* Removes the next part from the rest of the path; "" at its end. -ENAMETOOLONG. */
static int next_part(struct walk *w, char part[NAME_MAX + 1])
{
    size_t skip = strspn(w->rest, "/"), size = strcspn(w->rest + skip, "/");

    if (size > NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(part, w->rest + skip, size);
    part[size] = '\0';
    memmove(w->rest, w->rest + skip + size, strlen(w->rest + skip + size) + 1);
    return 0;
}

/* Puts the link's target in front of the rest of the path. */
static int follow(struct walk *w, int link)
{
    char target[PATH_MAX], whole[PATH_MAX];
    ssize_t size = readlinkat(link, "", target, sizeof(target) - 1);

    if (size < 0)
        return -errno;
    if (++w->links > LINKS_MAX)
        return -ELOOP;
    target[size] = '\0';
    if (snprintf(whole, sizeof(whole), "%s%s", target, w->rest) >= (int)sizeof(whole))
        return -ENAMETOOLONG;
    memcpy(w->rest, whole, strlen(whole) + 1);
    if (target[0] == '/')
        go_up(w, true);
    return 0;
}

static int enter(struct walk *w, int folder)
{
    if (w->depth + 1 == DEPTH_MAX)
        return -ELOOP;
    w->fd[++w->depth] = folder;
    return 0;
}

/* One part that is neither "." nor "..". 1 and *ret_fd at the end of the path, 0 to go on. */
static int step(struct walk *w, const char *part, int flags, mode_t mode, int *ret_fd)
{
    bool last = !*w->rest; /* a trailing '/' requires a folder */
    CLEANUP_FD int fd = openat(w->fd[w->depth], part, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    int r;

    if (fd < 0 && (errno != ENOENT || !last || !(flags & O_CREAT)))
        return -errno;
    if (fd >= 0 && fstat(fd, &st) < 0)
        return -errno;
    if (fd >= 0 && S_ISLNK(st.st_mode) && !(last && flags & (O_NOFOLLOW | O_EXCL)))
        return follow(w, fd);
    if (!last) {
        if (!S_ISDIR(st.st_mode))
            return -ENOTDIR;
        if ((r = enter(w, fd)) == 0)
            fd = -1;
        return r;
    }
    /* O_NOFOLLOW: it may have become a link since. */
    *ret_fd = openat(w->fd[w->depth], part, flags | O_NOFOLLOW | O_CLOEXEC, mode);
    return *ret_fd < 0 ? -errno : 1;
}

int open_beneath_walk(int base, const char *path, int flags, mode_t mode)
{
    CLEANUP(walk_done) struct walk w = {.fd = {base}};
    char part[NAME_MAX + 1];
    int fd = -1, r = 0;

    if (strlen(path) >= sizeof(w.rest))
        return -ENAMETOOLONG;
    if (!*path)
        return -ENOENT;
    memcpy(w.rest, path, strlen(path) + 1);
    while (r == 0) {
        if ((r = next_part(&w, part)) < 0)
            return r;
        if (!*part) {
            fd = openat(w.fd[w.depth], ".", (flags & ~(O_CREAT | O_EXCL)) | O_CLOEXEC);
            return fd < 0 ? -errno : fd;
        }
        if (strcmp(part, "..") == 0)
            go_up(&w, false);
        else if (strcmp(part, ".") != 0)
            r = step(&w, part, flags, mode, &fd);
    }
    return r < 0 ? r : fd;
}

int open_beneath(int base, const char *path, int flags, mode_t mode)
{
    struct open_how how = {
        .flags = (unsigned)flags | (unsigned)O_CLOEXEC,
        .mode = flags & O_CREAT ? mode : 0,
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };
    int fd = (int)syscall(SYS_openat2, base, path, &how, sizeof(how));

    /* Old seccomp profiles refuse unknown system calls with EPERM. EAGAIN: too many renames meanwhile. */
    if (fd < 0 && (errno == ENOSYS || errno == EPERM || errno == EAGAIN))
        return open_beneath_walk(base, path, flags, mode);
    return fd < 0 ? -errno : fd;
}
