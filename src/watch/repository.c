/* SPDX-License-Identifier: Apache-2.0
 *
 * A repository's name, and whether a JVM uses it.
 */
#include "watch/repository.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "linux/lease.h"

enum { UNKNOWN_FACTOR = 60 }; /* a file must rest this many times longer where there are no leases */

bool repository_pid(const char *name, pid_t *ret_pid)
{
    static const char shape[] = "0000_00_00_00_00_00_";
    uint64_t pid;

    for (const char *s = shape; *s; s++, name++)
        if (*s == '0' ? !isdigit((unsigned char)*name) : *name != *s)
            return false;
    if (text_parse_uint(name, INT32_MAX, &pid) < 0 || pid == 0)
        return false;
    *ret_pid = (pid_t)pid;
    return true;
}

static bool chunk_is_live(int dirfd, const char *name, unsigned rest_ms)
{
    CLEANUP_FD int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    enum lease lease;
    struct stat st;
    int64_t age_ms;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return false;
    lease = lease_probe(fd);
    age_ms = (clock_wall_ns() - ((int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec)) / 1000000;
    return lease == LEASE_WRITER || age_ms < (int64_t)rest_ms * (lease == LEASE_UNKNOWN ? UNKNOWN_FACTOR : 1);
}

bool repository_is_live(int dirfd, pid_t pid, unsigned rest_ms)
{
    CLEANUP_DIR DIR *dir = NULL;
    int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0 && !(dir = fdopendir(fd)))
        close(fd);
    if (!dir || kill(pid, 0) == 0 || errno == EPERM)
        return true;
    for (struct dirent *d; (d = readdir(dir));)
        if (text_ends(d->d_name, ".jfr") && chunk_is_live(dirfd, d->d_name, rest_ms))
            return true;
    return false;
}
