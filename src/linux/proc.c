/* SPDX-License-Identifier: Apache-2.0
 *
 * Formats: Linux Documentation/filesystems/proc.rst.
 */
#include "linux/proc.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "linux/open_beneath.h"

enum { WORDS_MAX = 8 * 1024 * 1024, MAPS_MAX = 16 * 1024 * 1024, STATUS_MAX = 64 * 1024 };

int proc_open(const char *root, pid_t pid, struct proc *ret)
{
    char path[PATH_MAX];
    struct stat st;
    int fd;

    if (pid <= 0 || snprintf(path, sizeof(path), "%s/%d", root, (int)pid) >= (int)sizeof(path))
        return -ESRCH;
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        snprintf(path, sizeof(path), "%s/self", root);
        return fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ? -ENOSYS : -ESRCH;
    }
    if (fd < 0)
        return -errno;
    *ret = (struct proc){.fd = fd, .pid = pid};
    return 0;
}

void proc_done(struct proc *p)
{
    if (p->fd >= 0)
        close(p->fd);
    *p = (struct proc)PROC_NONE;
}

bool proc_is_alive(const struct proc *p)
{
    struct proc_status s;

    return proc_status(p, &s) == 0 && s.state != 'Z' && s.state != 'X';
}

/* Appends a file of /proc/PID to a buffer. */
static int load(const struct proc *p, const char *file, struct buf *ret)
{
    int r = file_load(p->fd, file, ret);

    return r == -ENOENT && strcmp(file, "stat") != 0 ? -ESRCH : r;
}

/* Parses a number and moves past it; false if there is none, or it is too large. */
static bool number(const char **at, uint64_t max, uint64_t *ret)
{
    char *end;

    *at += strspn(*at, " \t");
    if (**at < '0' || **at > '9')
        return false;
    errno = 0;
    *ret = strtoull(*at, &end, 10);
    *at = end;
    return errno == 0 && *ret <= max;
}

/* The second of four numbers: the effective id. */
static bool effective(const char *line, unsigned *ret)
{
    uint64_t real, wanted;

    if (!line || !number(&line, UINT_MAX, &real) || !number(&line, UINT_MAX, &wanted))
        return false;
    *ret = (unsigned)wanted;
    return true;
}

/* The last number of a line; 0: none. */
static pid_t innermost(const char *line)
{
    uint64_t pid = 0, n;

    while (number(&line, INT_MAX, &n))
        pid = n;
    return (pid_t)pid;
}

int proc_status(const struct proc *p, struct proc_status *ret)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = STATUS_MAX};
    struct proc_status s = {0};
    const char *line;
    unsigned uid, gid;
    int r = load(p, "status", &text);

    if (r < 0)
        return r;
    if (!effective(text_behind(buf_text(&text), "Uid:"), &uid) ||
        !effective(text_behind(buf_text(&text), "Gid:"), &gid))
        return -EBADMSG;
    s.uid = uid;
    s.gid = gid;
    line = text_behind(buf_text(&text), "NSpid:");
    s.inner_pid = line ? innermost(line) : p->pid; /* missing before Linux 4.1 */
    line = text_behind(buf_text(&text), "SigCgt:");
    s.caught = line ? strtoull(line, NULL, 16) : 0;
    line = text_behind(buf_text(&text), "SigIgn:");
    s.ignored = line ? strtoull(line, NULL, 16) : 0;
    line = text_behind(buf_text(&text), "State:");
    s.state = line ? line[strspn(line, " \t")] : '?';
    line = text_behind(buf_text(&text), "TracerPid:");
    s.tracer = line ? innermost(line) : 0;
    if (s.inner_pid <= 0)
        return -EBADMSG;
    *ret = s;
    return 0;
}

int proc_words(const struct proc *p, const char *file, struct proc_words *ret)
{
    assert(p->fd >= 0);
    CLEANUP(buf_done) struct buf text = {.ceiling = WORDS_MAX};
    CLEANUP_FREE char **word = NULL;
    size_t count = 0, next = 0;
    int r = load(p, file, &text);

    if (r < 0)
        return r;
    for (size_t at = 0; at < text.size; at += strlen(text.data + at) + 1)
        count++;
    if (!(word = calloc(count + 1, sizeof(*word))))
        return -ENOMEM;
    for (size_t at = 0; at < text.size; at += strlen(text.data + at) + 1)
        word[next++] = text.data + at;
    ret->word = TAKE_PTR(word);
    ret->count = count;
    ret->bytes = TAKE_PTR(text.data);
    return 0;
}

void proc_words_done(struct proc_words *w)
{
    free(w->word);
    free(w->bytes);
    *w = (struct proc_words){0};
}

const char *proc_variable(const struct proc_words *variables, const char *name)
{
    size_t length = strlen(name);

    for (size_t i = 0; i < variables->count; i++)
        if (strncmp(variables->word[i], name, length) == 0 && variables->word[i][length] == '=')
            return variables->word[i] + length + 1;
    return NULL;
}

int proc_start_ticks(const struct proc *p, uint64_t *ret)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = STATUS_MAX};
    const char *at;
    uint64_t ticks;
    int r = load(p, "stat", &text);

    if (r < 0)
        return r;
    /* The name may contain anything, ')' too. Field 22 is the 20th after it. */
    if (!(at = strrchr(buf_text(&text), ')')))
        return -ENODATA;
    at++;
    for (int i = 0; i < 19; i++) {
        at += strspn(at, " ");
        at += strcspn(at, " ");
    }
    if (!number(&at, UINT64_MAX, &ticks) || ticks == 0)
        return -ENODATA;
    *ret = ticks;
    return 0;
}

int proc_started(const struct proc *p, int64_t *ret_wall_ns)
{
    struct timespec boot;
    uint64_t ticks = 0;
    /* The wall clock is read before the age: if we are preempted in between, the start comes out too early. Too late
     * would make the process's files look older than the process. */
    int64_t since_boot_ns, age_ns, now_ns = clock_wall_ns();
    long hertz = sysconf(_SC_CLK_TCK);
    int r = proc_start_ticks(p, &ticks);

    if (r < 0)
        return r;
    if (hertz <= 0 || ticks / (uint64_t)hertz > INT64_MAX / 2000000000 || clock_gettime(CLOCK_BOOTTIME, &boot) < 0)
        return -ENODATA;
    since_boot_ns =
        (int64_t)(ticks / (uint64_t)hertz) * 1000000000 + (int64_t)(ticks % (uint64_t)hertz) * (1000000000 / hertz);
    age_ns = (int64_t)boot.tv_sec * 1000000000 + boot.tv_nsec - since_boot_ns;
    if (age_ns < 0)
        return -ENODATA;
    *ret_wall_ns = now_ns - age_ns;
    return 0;
}

bool proc_shares(const struct proc *p, const char *link)
{
    char own[32];
    struct stat its, ours;

    snprintf(own, sizeof(own), "/proc/self/%s", link);
    return fstatat(p->fd, link, &its, 0) == 0 && stat(own, &ours) == 0 && its.st_dev == ours.st_dev &&
           its.st_ino == ours.st_ino;
}

/* The same mounts and the same root: paths need no translation. */
static bool sees_what_we_see(const struct proc *p)
{
    return proc_shares(p, "ns/mnt") && proc_shares(p, "root");
}

int proc_openat(const struct proc *p, const char *path, int flags, mode_t mode)
{
    assert(p->fd >= 0);
    bool absolute = path[0] == '/';
    CLEANUP_FD int base = openat(p->fd, absolute ? "root" : "cwd", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd;

    if (base < 0 && p->hidden && absolute) {
        fd = open(path, flags | O_CLOEXEC, mode);
        return fd < 0 ? -errno : fd;
    }
    if (base < 0)
        return -errno;
    if (sees_what_we_see(p)) {
        fd = openat(base, path, flags | O_CLOEXEC, mode);
        return fd < 0 ? -errno : fd;
    }
    return open_beneath(base, path, flags, mode);
}

int proc_path(const struct proc *p, const char *path, char **ret)
{
    char folder[PATH_MAX], *full;
    ssize_t length = 0;

    if (path[0] != '/') {
        length = readlinkat(p->fd, "cwd", folder, sizeof(folder) - 1);
        if (length < 0)
            return -errno;
    }
    if (length == 1) /* the root itself */
        length = 0;
    folder[length] = '\0';
    if (p->hidden || sees_what_we_see(p))
        length = asprintf(&full, "%s%s%s", folder, path[0] == '/' ? "" : "/", path);
    else
        length = asprintf(&full, "/proc/%d/root%s%s%s", (int)p->pid, folder, path[0] == '/' ? "" : "/", path);
    if (length < 0)
        return -ENOMEM;
    *ret = full;
    return 0;
}

/* Parses "START-END PERMS OFFSET DEVICE INODE PATH" in place. A newline in a path is written "\\012". False if there is
 * no path ("[heap]" is none). */
static bool parse_mapping(char *line, struct proc_mapping *ret)
{
    static const char deleted[] = " (deleted)";
    char *path = strchr(line, '/');
    size_t length, range = strcspn(line, " ");

    if (!path || path - line <= (ptrdiff_t)range)
        return false;
    length = strlen(path);
    ret->deleted = length > sizeof(deleted) - 1 && text_ends(path, deleted);
    if (ret->deleted)
        path[length - (sizeof(deleted) - 1)] = '\0';
    line[range] = '\0';
    ret->path = path;
    ret->range = line;
    return true;
}

int proc_each_mapping(const struct proc *p, int (*fn)(void *ctx, const struct proc_mapping *m), void *ctx)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = MAPS_MAX};
    struct proc_mapping m;
    int r = load(p, "maps", &text);

    for (char *line = text.data, *end; r == 0 && line && (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        if (parse_mapping(line, &m))
            r = fn(ctx, &m);
    }
    return r;
}

/* The base name to find, and the path that was found. */
struct by_name {
    const char *name;
    char *path;
};

static int is_named(void *ctx, const struct proc_mapping *m)
{
    struct by_name *b = ctx;

    if (!text_eq(text_base_name(m->path), b->name))
        return 0;
    b->path = strdup(m->path);
    return b->path ? 1 : -ENOMEM;
}

int proc_mapped(const struct proc *p, const char *name, char **ret)
{
    struct by_name b = {.name = name};
    int r = proc_each_mapping(p, is_named, &b);

    if (r <= 0)
        return r < 0 ? r : -ENOENT;
    *ret = b.path;
    return 0;
}

int proc_open_mapping(const struct proc *p, const char *range, int flags)
{
    char path[64], *dash, *rest;
    unsigned long start = strtoul(range, &dash, 16), end = strtoul(dash + (*dash == '-'), &rest, 16);
    int fd;

    if (*dash != '-' || *rest)
        return -EINVAL;
    /* maps pads its numbers with zeros, map_files does not. */
    snprintf(path, sizeof(path), "map_files/%lx-%lx", start, end);
    fd = openat(p->fd, path, flags | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int proc_pidfd(const struct proc *p)
{
    CLEANUP_FD int fd = (int)syscall(SYS_pidfd_open, p->pid, 0);

    if (fd < 0)
        return -errno;
    /* The pid may have been reused before pidfd_open. */
    return proc_is_alive(p) ? TAKE_FD(fd) : -ESRCH;
}

int proc_mount_id(int fd, uint64_t *ret)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = STATUS_MAX};
    char path[64];
    const char *at;
    int r;

    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
    if ((r = file_load(AT_FDCWD, path, &text)) < 0)
        return r;
    at = text_behind(buf_text(&text), "mnt_id:");
    if (at)
        at += strspn(at, " \t");
    return at && number(&at, UINT64_MAX, ret) ? 0 : -EBADMSG;
}
