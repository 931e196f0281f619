/* SPDX-License-Identifier: Apache-2.0
 *
 * openat2(2), Linux 5.6. Without it (an older kernel, a seccomp filter that answers ENOSYS) there is no server.
 */
#include "serve/root.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

bool root_hides(const char *key)
{
    return key[0] == '.' || strstr(key, "/.");
}

int root_open(int root_fd, const char *key, int flags)
{
    struct open_how how = {.flags = (unsigned)flags | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    char path[PATH_MAX];
    long fd;

    assert(root_fd >= 0 && key && !(flags & O_CREAT));
    if (root_hides(key))
        return -ENOENT;
    if ((size_t)snprintf(path, sizeof(path), "%s", *key ? key : ".") >= sizeof(path))
        return -ENAMETOOLONG;
    fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
    return fd < 0 ? -errno : (int)fd;
}

int64_t root_time_ns(const struct timespec *t)
{
    const int64_t most = INT64_MAX / 1000000000 - 1;

    return (t->tv_sec > most ? most : t->tv_sec < -most ? -most : (int64_t)t->tv_sec) * 1000000000 + t->tv_nsec;
}
