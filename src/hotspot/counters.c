/* SPDX-License-Identifier: Apache-2.0
 *
 * The file that the JVM has mapped (perfMemory_posix.cpp: /tmp/hsperfdata_USER/PID, PID in the JVM's namespace). If
 * permitted it is opened through the mapping: the right file even if it was deleted (many hosts clean /tmp). Else it is
 * opened by name, where another user may have put any file. It is read, never mapped, because its owner can truncate it
 * at any time.
 */
#include "hotspot/counters.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

enum { FILE_MAX = 16 * 1024 * 1024, READINGS_MAX = 8 };

/* The file that is looked for, and the result. */
struct search {
    const struct proc *proc;
    char number[16];              /* the JVM's pid in its namespace */
    char path[COUNTERS_PATH_MAX]; /* as the JVM sees it */
    bool deleted;
    int fd; /* -1: not opened through the mapping */
};

/* The end of a path if it is "hsperfdata_USER/PID"; else NULL. */
static const char *name_of(const char *path, const char *number)
{
    const char *base = text_base_name(path), *folder = base > path ? base - 1 : path;

    while (folder > path && folder[-1] != '/')
        folder--;
    return text_eq(base, number) && text_starts(folder, "hsperfdata_") ? folder : NULL;
}

static int check_mapping(void *ctx, const struct proc_mapping *m)
{
    struct search *s = ctx;
    const char *name = name_of(m->path, s->number);

    if (!name || snprintf(s->path, sizeof(s->path), "/tmp/%s", name) >= (int)sizeof(s->path))
        return 0;
    s->deleted = m->deleted;
    s->fd = proc_open_mapping(s->proc, m->range, O_PATH);
    return 1;
}

bool counters_find_named(pid_t inner_pid, uid_t owner, char out[COUNTERS_PATH_MAX])
{
    char pattern[64];
    glob_t found;
    bool there = false;

    snprintf(pattern, sizeof(pattern), "/tmp/hsperfdata_*/%d", (int)inner_pid);
    if (glob(pattern, GLOB_NOSORT, NULL, &found) != 0)
        return false;
    for (size_t i = 0; i < found.gl_pathc && !there; i++) {
        struct stat st;

        there = lstat(found.gl_pathv[i], &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == owner &&
                snprintf(out, COUNTERS_PATH_MAX, "%s", found.gl_pathv[i]) < COUNTERS_PATH_MAX;
    }
    globfree(&found);
    return there;
}

static const char *explain(int r)
{
    if (r == -ESRCH)
        return "the process has ended";
    return r == -ELOOP ? "it is a link" : strerror(r > -FAULT_FIRST ? -r : EIO);
}

/* What a file is that is not a regular file of the JVM's user. */
static const char *describe_file(const struct stat *st)
{
    if (S_ISREG(st->st_mode))
        return "another user's file";
    return S_ISLNK(st->st_mode) ? "a link" : "no regular file";
}

/* Opens for reading what an O_PATH descriptor stands for, after its type and owner were checked. */
static int open_regular(const struct search *s, int path_fd, uid_t owner, struct err *e)
{
    int pid = (int)s->proc->pid, fd;
    char self[40];
    struct stat st;

    if (fstat(path_fd, &st) < 0)
        return err_set(e, -errno, "cannot check the counters of JVM %d (%s): %s", pid, s->path, strerror(errno));
    if (!S_ISREG(st.st_mode) || st.st_uid != owner)
        return err_set(e, -EPERM, "the counters of JVM %d are not used: %s is %s", pid, s->path, describe_file(&st));
    snprintf(self, sizeof(self), "/proc/self/fd/%d", path_fd);
    /* Without O_NONBLOCK a lease on the file would block us. */
    fd = open(self, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return fd < 0 ? err_set(e, -errno, "the counters of JVM %d (%s) cannot be read: %s", pid, s->path, strerror(errno))
                  : fd;
}

int counters_open(const struct proc *p, struct err *e)
{
    assert(p->fd >= 0);
    struct search s = {.proc = p, .fd = -1};
    struct proc_status status;
    CLEANUP_FD int fd = -1;
    int r = proc_status(p, &status);

    if (r < 0)
        return err_set(e, r, "cannot inspect process %d: %s", (int)p->pid, explain(r));
    snprintf(s.number, sizeof(s.number), "%d", (int)status.inner_pid);
    r = p->hidden ? counters_find_named(status.inner_pid, status.uid, s.path) : proc_each_mapping(p, check_mapping, &s);
    fd = s.fd;
    if (r < 0)
        return err_set(e, r, "cannot list the files mapped by process %d: %s", (int)p->pid, explain(r));
    if (r == 0)
        return err_set(
            e, -ENOENT,
            "JVM %d has no counters: it runs with -XX:-UsePerfData or -XX:+PerfDisableSharedMem, its user %u has no "
            "name (no line in its /etc/passwd), or it could not write to its /tmp",
            (int)p->pid, (unsigned)status.uid);
    if (fd < 0 && s.deleted)
        return err_set(e, -EACCES, "the counters of JVM %d (%s) were deleted: only root can read them now", (int)p->pid,
                       s.path);
    if (fd < 0)
        fd = proc_openat(p, s.path, O_PATH | O_NOFOLLOW, 0);
    if (fd < 0)
        return err_set(e, fd, "the counters of JVM %d (%s) cannot be read: %s", (int)p->pid, s.path, explain(fd));
    return open_regular(&s, fd, status.uid, e);
}

/* Reads the whole file; replaces the buffer's content. */
static int read_file(int fd, struct buf *bytes)
{
    struct stat st;
    char step[32 * 1024]; /* HotSpot's PerfDataMemorySize, 32 KiB */
    ssize_t n = 0;
    int r;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (st.st_size > FILE_MAX)
        return -EMSGSIZE;
    buf_clear(bytes);
    do {
        if ((n = file_pread(fd, step, sizeof(step), bytes->size)) < 0)
            return (int)n;
        if ((r = buf_add(bytes, step, (size_t)n)) < 0)
            return r;
    } while (n == (ssize_t)sizeof(step));
    return 0;
}

/* Reads until two readings in a row agree. */
static int read_stable(int fd, struct buf *ret)
{
    CLEANUP(buf_done) struct buf before = {.ceiling = FILE_MAX};
    int r = read_file(fd, ret);

    for (int i = 1; i < READINGS_MAX && r == 0; i++) {
        struct buf held = before;

        before = *ret;
        *ret = held;
        r = read_file(fd, ret);
        if (r == 0 && ret->size == before.size && memcmp(buf_text(ret), buf_text(&before), ret->size) == 0)
            break;
    }
    return r;
}

int counters_load(const struct proc *p, int fd, struct counters *ret, struct err *e)
{
    int pid = (int)p->pid, r;

    assert(fd >= 0);
    ret->bytes.ceiling = FILE_MAX;
    if ((r = read_stable(fd, &ret->bytes)) == -EMSGSIZE)
        return err_set(e, -FAULT_FORMAT, "the counters of JVM %d are not used: their file is larger than 16 MiB", pid);
    if (r < 0)
        return err_set(e, r, "the counters of JVM %d cannot be read: %s", pid, strerror(-r));
    r = hsperf_init(&ret->perf, buf_text(&ret->bytes), ret->bytes.size);
    if (r == -EAGAIN)
        return err_set(e, r, "JVM %d has no counters yet: it is starting up", pid);
    if (r < 0)
        return err_set(e, -FAULT_FORMAT, "the counters of JVM %d are not used: their file is not in HotSpot's format",
                       pid);
    return 0;
}

int counters_read(const struct proc *p, struct counters *ret, struct err *e)
{
    CLEANUP(counters_done) struct counters c = {0};
    CLEANUP_FD int fd = counters_open(p, e);
    int r = fd < 0 ? fd : counters_load(p, fd, &c, e);

    if (r < 0)
        return r;
    *ret = c;
    c = (struct counters){0};
    return 0;
}

void counters_done(struct counters *c)
{
    buf_done(&c->bytes);
    *c = (struct counters){0};
}
