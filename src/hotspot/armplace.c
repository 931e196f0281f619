/* SPDX-License-Identifier: Apache-2.0
 *
 * A watched folder is recognised in a JVM's mounts by file system and path on it (mountinfo), then by device and inode.
 */
#include "hotspot/armplace.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "hotspot/attach_protocol.h"
#include "linux/access_as.h"
#include "linux/mountinfo.h"
#include "linux/proc_cgroup.h"
#include "place/container.h"
#include "place/whoami.h"

enum {
    HOST_MAX = 100, /* bytes: with pid, time, ".hprof.gz", and HotSpot's ".p12" below NAME_MAX */
    NAME_MAX_MADE = HOST_MAX + 64,
    DIR_MAX = ATTACH_WORD_MAX - NAME_MAX_MADE - 1, /* older JVMs read no longer word */
    SMALL_FILE_MAX = 64 * 1024,
    TASK_ID = 32 /* hex digits of an ECS task's id */
};

/* Names */

static bool is_plain(char c)
{
    return isascii(c) && (isalnum((unsigned char)c) || strchr("._-", c));
}

/* Pods of one owner differ at the end of their names: a long name loses its beginning. */
static char *fit(const char *text)
{
    size_t length = strlen(text);
    char *name = strdup(length > HOST_MAX ? text + (length - HOST_MAX) : text);

    for (char *c = name; name && *c; c++)
        if (!is_plain(*c) || (c == name && (*c == '.' || *c == '-')))
            *c = '_';
    return name;
}

/* The name of the JVM's pod, ECS task or host, as a part of a file name. */
static char *container_name(const struct jvm *j)
{
    CLEANUP(whoami_done) struct whoami its = {0};
    char id[CONTAINERID_MAX];
    int r = whoami_of_process(&j->proc, &its);

    if (r < 0)
        return r == -ENOMEM ? NULL : fit("jvm");
    if (!its.pod && container_of_process(j->proc.fd, id) && id[TASK_ID] == '-') {
        id[TASK_ID] = '\0'; /* on Fargate the task's id stands before the '-' */
        return fit(id);
    }
    return fit(its.pod ? its.pod : its.host);
}

char *armplace_name(const struct jvm *j, bool gzip)
{
    CLEANUP_FREE char *host = container_name(j);
    int64_t started_ns = j->started_ns ? j->started_ns : clock_wall_ns();
    char started[CLOCK_TEXT_MAX], *name;

    /* Two containers of a pod have one host name, pid 1 each, and begin in the same second. */
    clock_format_basic(started_ns, started);
    if (!host || asprintf(&name, "%s-%d-%.*s.%02dZ.hprof%s", host, (int)j->status.inner_pid, (int)strlen(started) - 1,
                          started, (int)(started_ns % 1000000000 / 10000000), gzip ? ".gz" : "") < 0)
        return NULL;
    return name;
}

/* Skips a time such as "20261121T015605.12Z"; NULL if there is none. The time itself is not compared: the clock may
 * have been set since. */
static const char *behind_time(const char *text)
{
    static const char form[] = "ddddddddTdddddd.ddZ";

    for (const char *f = form; *f; f++, text++)
        if (*f == 'd' ? !isdigit((unsigned char)*text) : *text != *f)
            return NULL;
    return text;
}

bool armplace_is_ours(const struct jvm *j, const char *path)
{
    const char *name = text_base_name(path), *end;
    char pid[32];

    snprintf(pid, sizeof(pid), "-%d-", (int)j->status.inner_pid);
    for (const char *at = strstr(name, pid); at; at = strstr(at + 1, pid))
        if (at > name && (end = behind_time(at + strlen(pid))) && (text_eq(end, ".hprof") || text_eq(end, ".hprof.gz")))
            return true;
    return false;
}

/* Folders */

struct armplace_folder {
    char *path; /* our path, symbolic links resolved */
    dev_t dev;
    ino_t ino;
    uint64_t mount;        /* id of its mount in our namespace; 0 unknown */
    unsigned major, minor; /* of its file system; only with within */
    char *within;          /* its path on the file system; NULL unknown */
};

int armplace_check(const char *dir, struct err *e)
{
    if (dir[0] != '/')
        return err_set(e, -FAULT_USAGE, "%s: not an absolute path, and each JVM has another working folder", dir);
    for (const char *c = dir; *c; c++)
        if (iscntrl((unsigned char)*c))
            return err_set(e, -FAULT_USAGE, "%s: contains a control character", dir);
    if (strchr(dir, '%'))
        return err_set(e, -FAULT_USAGE, "%s: contains a '%%', which newer JVMs expand", dir);
    if (strlen(dir) > DIR_MAX)
        return err_set(e, -FAULT_USAGE, "the path is longer than %d bytes, the most that a JVM accepts", DIR_MAX);
    return 0;
}

static uint64_t mount_of(int fd)
{
    uint64_t id;

    return proc_mount_id(fd, &id) == 0 ? id : 0;
}

static int join(const char *folder, const char *rest, char **ret)
{
    char *path;

    if (asprintf(&path, "%s%s", *rest && text_eq(folder, "/") ? "" : folder, rest) < 0)
        return -ENOMEM;
    free(*ret);
    *ret = path;
    return 0;
}

static int find_own_mount(void *ctx, const struct mount *m)
{
    struct armplace_folder *f = ctx;
    const char *rest = m->id == f->mount ? mountinfo_below(f->path, m->point) : NULL;

    if (!rest)
        return 0;
    f->major = m->major;
    f->minor = m->minor;
    return join(m->root, rest, &f->within) < 0 ? -ENOMEM : 1;
}

/* As proc_each_mount; an unreadable mountinfo has no mounts. */
static int each_mount(int procfd, int (*fn)(void *ctx, const struct mount *m), void *ctx)
{
    int r = proc_each_mount(procfd, fn, ctx);

    return r == -ENOMEM || r > 0 ? r : 0;
}

int armplace_folder_new(const char *path, struct armplace_folder **ret, struct err *e)
{
    CLEANUP_FD int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    CLEANUP_FD int self = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct armplace_folder *f;
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return err_set(e, -FAULT_FOLDER, "%s: %s", path, strerror(errno));
    if (!(f = calloc(1, sizeof(*f))))
        return err_set(e, -ENOMEM, "out of memory");
    f->dev = st.st_dev;
    f->ino = st.st_ino;
    f->mount = mount_of(fd);
    if (!(f->path = realpath(path, NULL)) || (self >= 0 && each_mount(self, find_own_mount, f) < 0)) {
        int r = f->path ? -ENOMEM : -errno;

        armplace_folder_free(f);
        return err_set(e, r, "%s: %s", path, strerror(-r));
    }
    *ret = f;
    return 0;
}

void armplace_folder_free(struct armplace_folder *f)
{
    if (!f)
        return;
    free(f->path);
    free(f->within);
    free(f);
}

/* A search through the mounts of one JVM. */
struct search {
    const struct armplace_folder *folder;
    const struct proc *proc;
    bool below;
    char *found, *found_below;
    char *part; /* the part of the folder that found_below shows: "/a/b" */
};

static bool is_seen_at(const struct proc *p, const char *path, const struct armplace_folder *f, bool below)
{
    CLEANUP_FD int fd = proc_openat(p, path, O_PATH | O_DIRECTORY, 0);
    struct stat st;

    return fd >= 0 && fstat(fd, &st) == 0 && st.st_dev == f->dev && (below || st.st_ino == f->ino);
}

static int check_mount(void *ctx, const struct mount *m)
{
    struct search *s = ctx;
    const struct armplace_folder *f = s->folder;
    CLEANUP_FREE char *path = NULL;
    const char *rest;

    if (m->major != f->major || m->minor != f->minor)
        return 0;
    if ((rest = mountinfo_below(f->within, m->root))) {
        if (join(m->point, rest, &path) < 0)
            return -ENOMEM;
        if (!is_seen_at(s->proc, path, f, false))
            return 0;
        s->found = TAKE_PTR(path);
        return 1;
    }
    if (!s->below || s->found_below || !(rest = mountinfo_below(m->root, f->within)) ||
        !is_seen_at(s->proc, m->point, f, true))
        return 0;
    s->found_below = strdup(m->point);
    s->part = strdup(rest);
    return s->found_below && s->part ? 0 : -ENOMEM;
}

/* The folder's path in the process's mount namespace; *ret stays NULL if it is not mounted there. *ret_part: the part
 * of the folder that is mounted; NULL: all of it. ret_part may be NULL. 0 or -ENOMEM. */
static int seen_as(const struct armplace_folder *f, const struct proc *p, bool below, char **ret, char **ret_part)
{
    struct search s = {.folder = f, .proc = p, .below = below};
    int r = 0;

    if (is_seen_at(p, f->path, f, false)) {
        *ret = strdup(f->path);
        return *ret ? 0 : -ENOMEM;
    }
    if (f->within)
        r = each_mount(p->fd, check_mount, &s);
    if (ret_part && !s.found)
        *ret_part = TAKE_PTR(s.part);
    *ret = s.found ? TAKE_PTR(s.found) : TAKE_PTR(s.found_below);
    free(s.found_below);
    free(s.part);
    return r < 0 ? r : 0;
}

/* *ret stays NULL on failure, and then only. */
static int find_dir(const struct armplace *place, const struct jvm *j, char **ret, struct err *e)
{
    char *dir = NULL;

    if (place->dir && !(dir = strdup(place->dir)))
        return err_set(e, -ENOMEM, "out of memory");
    for (size_t i = 0; i < place->folder_count && !dir; i++)
        if (seen_as(place->folders[i], &j->proc, place->below, &dir, NULL) < 0)
            return err_set(e, -ENOMEM, "out of memory");
    if (!dir)
        return err_set(e, -ENOENT, "no watched folder is mounted in the container of JVM %d: mount the volume there",
                       (int)j->proc.pid);
    *ret = dir;
    return 0;
}

static int refuse(const struct jvm *j, const char *dir, int r, struct err *e)
{
    int pid = (int)j->proc.pid;

    if (r == -ENOENT)
        return err_set(e, r, "JVM %d: no folder %s in its container: mount the volume there, or make the folder", pid,
                       dir);
    if (r == -ENOTDIR)
        return err_set(e, r, "JVM %d: %s is not a folder", pid, dir);
    if (r == -EROFS)
        return err_set(e, r, "JVM %d: %s is mounted read-only in its container", pid, dir);
    if (r == -EACCES || r == -EPERM)
        return err_set(e, -EACCES,
                       "JVM %d (uid %u gid %u) may not write to %s: chown the folder to that user, or chmod it 1777",
                       pid, (unsigned)j->status.uid, (unsigned)j->status.gid, dir);
    return err_set(e, r, "JVM %d: cannot check %s: %s", pid, dir, strerror(-r));
}

int armplace_find(const struct armplace *place, const struct jvm *j, char **ret, struct err *e)
{
    assert(place->folder_count == 0 || place->folders);
    CLEANUP_FREE char *dir = NULL;
    int r = find_dir(place, j, &dir, e);

    if (!dir || (r = armplace_check(dir, e)) < 0)
        return r;
    if ((r = access_as_may_write(&j->proc, dir)) < 0)
        return refuse(j, dir, r, e);
    for (size_t length = strlen(dir); length > 1 && dir[length - 1] == '/'; length--)
        dir[length - 1] = '\0';
    *ret = TAKE_PTR(dir);
    return 0;
}

const char *armplace_watched_folder(const struct armplace *place, const struct jvm *j,
                                    char below[static ARMPLACE_BELOW_MAX])
{
    *below = '\0';
    for (size_t i = 0; i < place->folder_count && !place->dir; i++) {
        CLEANUP_FREE char *seen = NULL, *part = NULL;

        if (seen_as(place->folders[i], &j->proc, place->below, &seen, &part) < 0 || !seen)
            continue;
        if (part && snprintf(below, ARMPLACE_BELOW_MAX, "%s", part) >= ARMPLACE_BELOW_MAX)
            *below = '\0';
        return place->folders[i]->path;
    }
    return place->folder_count > 0 ? place->folders[0]->path : NULL;
}
