/* SPDX-License-Identifier: Apache-2.0
 *
 * setns(2); and a search through as many levels of folders as the mount climbs, for one whose cgroup.procs has our pid.
 */
#include "linux/cgroupns.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "linux/cgroup.h"
#include "linux/proc_cgroup.h"

enum { FILE_MAX = 1024 * 1024, DEPTH_MAX = 16 };

int cgroupns_enter_first(void)
{
    CLEANUP_FD int first = open("/proc/1/ns/cgroup", O_RDONLY | O_CLOEXEC);
    struct stat own, its;

    if (first < 0 || stat("/proc/self/ns/cgroup", &own) < 0 || fstat(first, &its) < 0)
        return -errno;
    if (own.st_dev == its.st_dev && own.st_ino == its.st_ino)
        return 0;
    return setns(first, CLONE_NEWCGROUP) < 0 ? -errno : 0;
}

/* The folder that is being searched. */
struct search {
    char path[PATH_MAX];
    const char *own; /* our cgroup's path in our namespace: "" for its root */
    unsigned levels;
};

static bool contains_us(int folder, const struct search *w)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = FILE_MAX};
    char file[PATH_MAX], pid[16];

    if (snprintf(file, sizeof(file), ".%s/cgroup.procs", w->own) >= (int)sizeof(file) ||
        file_load(folder, file, &text) < 0)
        return false;
    snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
    for (const char *at = buf_text(&text); *at; at += strcspn(at, "\n"), at += *at == '\n')
        if (text_starts(at, pid))
            return true;
    return false;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as a mount climbs, DEPTH_MAX */
static bool walk(int folder, unsigned depth, struct search *w)
{
    CLEANUP_DIR DIR *dir = NULL;
    size_t length = strlen(w->path);

    if (depth == w->levels)
        return contains_us(folder, w);
    if (!(dir = file_opendir(folder, ".")))
        return false;
    for (const struct dirent *d; (d = readdir(dir));) {
        CLEANUP_FD int below = -1;

        if (d->d_type != DT_DIR || d->d_name[0] == '.' ||
            snprintf(w->path + length, sizeof(w->path) - length, "/%s", d->d_name) >= (int)(sizeof(w->path) - length))
            continue;
        below = openat(dirfd(dir), d->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (below >= 0 && walk(below, depth + 1, w))
            return true;
    }
    w->path[length] = '\0';
    return false;
}

static int try_mount(void *ctx, const struct mount *m)
{
    struct search *w = ctx;
    CLEANUP_FD int top = -1;

    w->levels = cgroup_climb(m->root);
    if (!text_eq(m->type, "cgroup2") || w->levels == 0 || w->levels > DEPTH_MAX || m->root[(size_t)w->levels * 3])
        return 0;
    top = open(m->point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    w->path[0] = '\0';
    return top >= 0 && walk(top, 0, w);
}

static struct search home;
static bool home_found;

static void find_home(void)
{
    CLEANUP_FD int self = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool v2;
    CLEANUP_FREE char *own = self < 0 ? NULL : proc_memory_cgroup(self, &v2);

    if (!own || !v2 || cgroup_climb(own) > 0)
        return;
    home.own = text_eq(own, "/") ? "" : own;
    home_found = proc_each_mount(self, try_mount, &home) > 0;
    home.own = NULL;
}

const char *cgroupns_home(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, find_home);
    return home_found ? home.path : NULL;
}
