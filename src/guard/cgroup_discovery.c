/* SPDX-License-Identifier: Apache-2.0
 *
 * Two sorted lists of processes, from the last scan and from this one, and a list of their cgroups. A process of /proc
 * is recognised by its inode: the kernel makes one for each process, and rarely a second one for the same process,
 * which costs one more read.
 *
 * A container's first process is moved into its cgroup after it was started: so a new process is read several times.
 */
#include "guard/cgroup_discovery.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/array.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rlimits.h"
#include "base/text.h"
#include "linux/cgroup.h"
#include "linux/proc_cgroup.h"

enum { READS = 3, NAME_MAX_BYTES = 32, CGROUP_MAX = 16 * 1024, FILES_SPARE = 128 };

struct cgroup_discovery_process {
    pid_t pid;
    unsigned reads; /* how often its cgroup was read, up to READS */
    uint64_t inode;
    uint64_t group; /* the hash of its cgroup, once it was read */
};

/* A content of /proc/PID/cgroup, by its hash. */
struct cgroup_discovery_group {
    uint64_t hash;
    pid_t pid; /* one of its processes, at the last whole scan */
    bool seen; /* found by the last whole scan */
    bool reported;
    bool unseen, reported_failed; /* it can't be watched; that was reported */
    bool tried;                   /* opened by the present whole scan already */
    uint64_t device, inode;       /* of the reported cgroup */
    struct memcg *memcg;          /* of a cgroup without a limit: stays open, as opening is expensive; owned */
};

static int by_pid(const void *a, const void *b)
{
    const struct cgroup_discovery_process *x = a, *y = b;

    return x->pid < y->pid ? -1 : x->pid > y->pid;
}

/* --- processes ------------------------------------------------------------------------------------------------------
 */

static int add_process(struct cgroup_discovery *c, pid_t pid, uint64_t inode)
{
    int r = array_reserve(&c->process, c->count + 1, &c->capacity, sizeof(*c->process), SIZE_MAX);

    if (r < 0)
        return r;
    c->process[c->count++] = (struct cgroup_discovery_process){.pid = pid, .inode = inode};
    return 0;
}

/* The kernel lists processes in the order of pids; sorted otherwise. */
static int list_processes(DIR *dir, struct cgroup_discovery *ret)
{
    pid_t self = getpid();
    uint64_t pid;
    bool sorted = true;

    for (const struct dirent *d; (d = readdir(dir));) {
        if (text_parse_uint(d->d_name, INT_MAX, &pid) < 0 || pid == 0 || (pid_t)pid == self)
            continue;
        sorted = sorted && (ret->count == 0 || ret->process[ret->count - 1].pid < (pid_t)pid);
        if (add_process(ret, (pid_t)pid, d->d_ino) < 0)
            return -ENOMEM;
    }
    if (!sorted)
        qsort(ret->process, ret->count, sizeof(*ret->process), by_pid);
    return 0;
}

static int hash_cgroup(int procfd, pid_t pid, uint64_t *ret)
{
    char name[NAME_MAX_BYTES], text[CGROUP_MAX];
    CLEANUP_FD int fd = -1;
    ssize_t n;

    snprintf(name, sizeof(name), "%d/cgroup", (int)pid);
    fd = openat(procfd, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || (n = read(fd, text, sizeof(text))) <= 0) /* one read returns all of it */
        return -ESRCH;
    *ret = XXH3_64bits(text, (size_t)n);
    return 0;
}

/* --- cgroups --------------------------------------------------------------------------------------------------------
 */

static void drop_memcg(struct cgroup_discovery_group *g)
{
    if (g->memcg)
        memcg_done(g->memcg);
    free(g->memcg);
    g->memcg = NULL;
}

static void remove_group(struct cgroup_discovery *c, size_t i)
{
    drop_memcg(&c->group[i]);
    c->group[i] = c->group[--c->groups];
}

static struct cgroup_discovery_group *find_group(struct cgroup_discovery *c, uint64_t hash)
{
    for (size_t i = 0; i < c->groups; i++)
        if (c->group[i].hash == hash)
            return &c->group[i];
    return NULL;
}

static struct cgroup_discovery_group *add_group(struct cgroup_discovery *c, uint64_t hash)
{
    if (array_reserve(&c->group, c->groups + 1, &c->group_capacity, sizeof(*c->group), SIZE_MAX) < 0)
        return NULL;
    c->group[c->groups] = (struct cgroup_discovery_group){.hash = hash};
    return &c->group[c->groups++];
}

struct scan {
    const char *root;
    uint64_t now_ms;
    bool whole;
    int (*fn)(void *ctx, pid_t pid, struct err *e);
    struct cgroup_discovery *discovery;
    void *ctx;
};

static void keep_open(struct cgroup_discovery_group *g, struct memcg *m)
{
    if (!rlimits_files_spare(FILES_SPARE))
        return;
    g->memcg = malloc(sizeof(*g->memcg));
    if (!g->memcg)
        return;
    *g->memcg = *m;
    *m = (struct memcg)MEMCG_NONE;
}

/* v2's root has no memory files: processes in it are in no container. False: the process has ended. */
static bool fail(struct cgroup_discovery_group *g, const struct scan *t, const struct proc *p, int r,
                 const struct err *e)
{
    CLEANUP_FREE char *path = NULL;
    bool v2;

    if (!proc_is_alive(p))
        return false;
    if (!(path = proc_memory_cgroup(p->fd, &v2)) || text_eq(path, "/") || path[(size_t)cgroup_climb(path) * 3] == '\0')
        return true;
    if (r == -EINPROGRESS)
        return true;
    g->unseen = r == -ENOENT || r == -EACCES || r == -EPERM;
    if (!g->reported_failed && t->discovery->failed)
        t->discovery->failed(t->ctx, p->pid, path, e);
    g->reported_failed = true;
    return true;
}

/* A cgroup that can't be opened is tried again by the next whole scan. False: opening failed because the process has
 * ended. */
static bool open_group(struct cgroup_discovery_group *g, const struct scan *t)
{
    CLEANUP(memcg_done) struct memcg m = MEMCG_NONE;
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    struct err e = {0};
    int r;

    if (proc_open(t->root, g->pid, &p) < 0)
        return false;
    if ((r = memcg_open(&p, &m, &e)) < 0)
        return fail(g, t, &p, r, &e);
    g->unseen = false;
    g->device = m.device;
    g->inode = m.inode;
    if (memcg_limit(&m) == UINT64_MAX)
        keep_open(g, &m);
    else
        g->reported = (r = t->fn(t->ctx, g->pid, &e)) == 0;
    if (r < 0)
        fail(g, t, &p, r, &e);
    return true;
}

/* A cgroup without a limit may get one, or a new cgroup may have its name. */
static void retry(struct cgroup_discovery_group *g, const struct scan *t)
{
    struct memcg_sample s;

    if (!g->memcg) {
        open_group(g, t);
        return;
    }
    if (memcg_sample(g->memcg, t->now_ms, &s) == 0 && s.limit == UINT64_MAX)
        return;
    drop_memcg(g);
    open_group(g, t);
}

static void visit(struct cgroup_discovery *c, pid_t pid, uint64_t hash, const struct scan *t)
{
    struct cgroup_discovery_group *g = find_group(c, hash);
    bool fresh = !g;

    if (fresh && !(g = add_group(c, hash)))
        return;
    g->pid = pid;
    g->seen = true;
    if (fresh) {
        g->tried = t->whole;
        if (!open_group(g, t))
            remove_group(c, (size_t)(g - c->group)); /* tried again with its next process */
    } else if (g->memcg && memcg_is_gone(g->memcg)) {
        retry(g, t);
    }
}

static void retry_all(struct cgroup_discovery *c, const struct scan *t)
{
    for (size_t i = c->groups; i-- > 0;) {
        struct cgroup_discovery_group *g = &c->group[i];

        if (!g->seen) {
            remove_group(c, i);
            continue;
        }
        if (!g->reported && !g->tried)
            retry(g, t);
        g->tried = false;
    }
}

/* --- a scan ---------------------------------------------------------------------------------------------------------
 */

/* Copies what the last scan knew of the process, if it is the same. */
static void recall(const struct cgroup_discovery *before, size_t *at, struct cgroup_discovery_process *p)
{
    while (*at < before->count && before->process[*at].pid < p->pid)
        ++*at;
    if (*at < before->count && before->process[*at].pid == p->pid && before->process[*at].inode == p->inode)
        *p = before->process[*at];
}

int cgroup_discovery_scan(struct cgroup_discovery *c, const char *root, uint64_t now_ms,
                          int (*fn)(void *ctx, pid_t pid, struct err *e), void *ctx)
{
    bool whole = c->scans == 0;
    struct scan t = {.root = root, .now_ms = now_ms, .whole = whole, .fn = fn, .discovery = c, .ctx = ctx};
    CLEANUP_DIR DIR *dir = file_opendir(AT_FDCWD, root);
    struct cgroup_discovery now = {0};
    int r = dir ? list_processes(dir, &now) : -errno;

    assert(fn);
    if (r < 0) {
        free(now.process);
        return r;
    }
    for (size_t i = 0; i < c->groups && whole; i++)
        c->group[i].seen = false;
    for (size_t i = 0, k = 0; i < now.count; i++) {
        struct cgroup_discovery_process *p = &now.process[i];

        recall(c, &k, p);
        if (whole || p->reads < READS) {
            if (hash_cgroup(dirfd(dir), p->pid, &p->group) < 0)
                continue;
            p->reads += p->reads < READS;
            visit(c, p->pid, p->group, &t);
        } else if (c->forgot && !find_group(c, p->group)) {
            visit(c, p->pid, p->group, &t);
        }
    }
    c->forgot = false;
    free(c->process);
    c->process = now.process;
    c->count = now.count;
    c->capacity = now.capacity;
    if (whole)
        retry_all(c, &t);
    c->unseen = 0;
    for (size_t i = 0; i < c->groups; i++)
        c->unseen += c->group[i].unseen;
    c->scans = (c->scans + 1) % CGROUP_DISCOVERY_WHOLE;
    return 0;
}

void cgroup_discovery_look_at_all(struct cgroup_discovery *c)
{
    c->scans = 0;
}

void cgroup_discovery_ask_again(struct cgroup_discovery *c)
{
    c->scans = 0;
    for (size_t i = 0; i < c->groups; i++)
        c->group[i].reported = false;
}

void cgroup_discovery_forget(struct cgroup_discovery *c, const struct memcg *m)
{
    for (size_t i = c->groups; i-- > 0;)
        if (c->group[i].reported && c->group[i].device == m->device && c->group[i].inode == m->inode) {
            remove_group(c, i);
            c->forgot = true; /* processes in its successor may be known already */
        }
}

void cgroup_discovery_done(struct cgroup_discovery *c)
{
    for (size_t i = 0; i < c->groups; i++)
        drop_memcg(&c->group[i]);
    free(c->group);
    free(c->process);
    *c = (struct cgroup_discovery){0};
}
