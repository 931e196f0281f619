/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel's own comparisons: pids_can_fork (cgroup/pids.c), copy_process (fork.c), alloc_pid (pid.c), may_expand_vm
 * and do_mmap (mm/mmap.c).
 */
#include "linux/threadroom.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "linux/cgroup.h"
#include "linux/proc_cgroup.h"

enum {
    TEXT_MAX = 16 * 1024 * 1024,
    LEVELS_MAX = 32,
    RESERVED_PIDS = 300,  /* that the kernel does not reuse */
    MAPS_OF_A_THREAD = 4, /* its stack, the guard page, and malloc's arena */
    SYS_ADMIN = 21,       /* CAP_… */
    SYS_RESOURCE = 24
};
static const uint64_t STACK_BYTES = UINT64_C(2) * 1024 * 1024;

static void compare(struct threadroom *r, uint64_t used, uint64_t limit, uint64_t each, const char *what)
{
    uint64_t room = limit > used ? (limit - used) / each : 0;

    if (limit == UINT64_MAX || (r->limit != UINT64_MAX && room >= r->room))
        return;
    r->used = used;
    r->limit = limit;
    r->room = room;
    snprintf(r->what, sizeof(r->what), "%.*s", THREADROOM_WHAT_MAX - 1, what);
}

/* Reads a file with one number; "max" is UINT64_MAX. */
static bool read_number(int folder, const char *name, uint64_t *ret)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = TEXT_MAX};

    return file_load(folder, name, &text) == 0 && cgroup_bytes(buf_text(&text), ret) == 0;
}

/* --- cgroups ---------------------------------------------------------------------------------------------------- */

struct cgroup_search {
    const struct proc *viewer; /* the process whose mounts are used */
    const char *cgroup;        /* the text of /proc/PID/cgroup */
    struct threadroom *room;
    bool seen;
};

static void compare_levels(struct cgroup_search *s, int folder, const char *path, uint64_t mount)
{
    CLEANUP_FD int at = openat(folder, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    uint64_t id = 0;

    for (int level = 0; level < LEVELS_MAX && at >= 0 && proc_mount_id(at, &id) == 0 && id == mount; level++) {
        uint64_t used, limit;
        char what[THREADROOM_WHAT_MAX + sizeof("/..") * LEVELS_MAX], up[3 * LEVELS_MAX + 1] = "";
        int parent;

        for (int i = 0; i < level; i++)
            memcpy(up + (size_t)(3 * i), "/..", 4);
        if (read_number(at, "pids.max", &limit) && read_number(at, "pids.current", &used)) {
            snprintf(what, sizeof(what), "pids.max of the cgroup %.200s%s", path, up);
            compare(s->room, used, limit, 1, what);
            s->seen = true;
        }
        parent = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        close(at);
        at = parent;
    }
}

/* The cgroup of the process in the hierarchy that a mount shows; NULL: none. malloc'ed. */
static char *path_in(const char *cgroup, const struct mount *m)
{
    size_t size = strlen(cgroup);
    struct cgroup_entry line;
    bool v2 = text_eq(m->type, "cgroup2");

    if (!v2 && !text_eq(m->type, "cgroup"))
        return NULL;
    while (cgroup_next(&cgroup, &size, &line))
        if (v2 ? line.unified
               : !line.unified && cgroup_has_controller(&line, "pids") &&
                     cgroup_list_has(m->options, strlen(m->options), "pids"))
            return strndup(line.path, line.path_size);
    return NULL;
}

static int visit_mount(void *ctx, const struct mount *m)
{
    struct cgroup_search *s = ctx;
    CLEANUP_FREE char *path = path_in(s->cgroup, m), *full = NULL;
    const char *rest = path ? mountinfo_below(path, m->root) : NULL;
    CLEANUP_FD int folder = -1;

    if (!rest)
        return 0;
    if (asprintf(&full, "%s%s", text_eq(m->point, "/") && *rest ? "" : m->point, rest) < 0) {
        full = NULL;
        return -ENOMEM;
    }
    folder = proc_openat(s->viewer, full, O_PATH | O_DIRECTORY, 0);
    if (folder >= 0)
        compare_levels(s, folder, full, m->id);
    return 0;
}

static bool compare_as_seen_by(const struct proc *viewer, const char *cgroup, struct threadroom *room)
{
    struct cgroup_search s = {.viewer = viewer, .cgroup = cgroup, .room = room};

    proc_each_mount(viewer->fd, visit_mount, &s);
    return s.seen;
}

static void compare_cgroups(const struct proc *p, struct threadroom *room)
{
    CLEANUP(buf_done) struct buf cgroup = {0};
    CLEANUP(proc_done) struct proc self = {.fd = openat(p->fd, "../self", O_PATH | O_DIRECTORY | O_CLOEXEC)};

    if (proc_cgroup(p->fd, &cgroup) < 0)
        return;
    if (self.fd < 0 || !compare_as_seen_by(&self, buf_text(&cgroup), room))
        compare_as_seen_by(p, buf_text(&cgroup), room);
}

/* --- the user's processes --------------------------------------------------------------------------------------- */

/* Threads of all processes with that real uid. */
static uint64_t count_threads(const char *root, uint64_t uid)
{
    CLEANUP_DIR DIR *proc = file_opendir(AT_FDCWD, root);
    uint64_t sum = 0, pid;

    for (struct dirent *d; proc && (d = readdir(proc));) {
        CLEANUP(buf_done) struct buf status = {.ceiling = TEXT_MAX};
        char path[64];
        const char *owner, *threads;

        if (text_parse_uint(d->d_name, INT_MAX, &pid) < 0)
            continue;
        snprintf(path, sizeof(path), "%d/status", (int)pid);
        if (file_load(dirfd(proc), path, &status) < 0 || !(owner = text_behind(buf_text(&status), "Uid:")) ||
            !(threads = text_behind(buf_text(&status), "Threads:")))
            continue;
        sum += strtoull(owner, NULL, 10) == uid ? strtoull(threads, NULL, 10) : 0;
    }
    return sum;
}

/* Whether the process is in the initial user namespace, recognised by its identity map. */
static bool in_first_user_namespace(const struct proc *p)
{
    CLEANUP(buf_done) struct buf map = {.ceiling = TEXT_MAX};
    const char *at;
    char *end;

    if (file_load(p->fd, "uid_map", &map) < 0)
        return true;
    at = buf_text(&map);
    for (int i = 0; i < 2; i++, at = end) /* inside, outside */
        if (strtoull(at, &end, 10) != 0 || end == at)
            return false;
    return strtoull(at, NULL, 10) == UINT32_MAX;
}

/* The soft limit in a line of /proc/PID/limits; UINT64_MAX if unlimited or unknown. */
static uint64_t soft_limit(const char *limits, const char *name)
{
    const char *at = text_behind(limits, name);

    at = at ? at + strspn(at, " ") : NULL;
    return at && *at >= '0' && *at <= '9' ? strtoull(at, NULL, 10) : UINT64_MAX;
}

/* The limit does not apply to root and processes with these capabilities (copy_process). */
static void compare_user(const char *root, const struct proc *p, const char *status, uint64_t limit,
                         struct threadroom *room)
{
    const uint64_t exempt = UINT64_C(1) << SYS_ADMIN | UINT64_C(1) << SYS_RESOURCE;
    const char *uid = text_behind(status, "Uid:"), *capabilities = text_behind(status, "CapEff:");
    char what[THREADROOM_WHAT_MAX];
    uint64_t owner;

    if (limit == UINT64_MAX || !uid)
        return;
    owner = strtoull(uid, NULL, 10);
    if (in_first_user_namespace(p) &&
        (owner == 0 || (capabilities && (strtoull(capabilities, NULL, 16) & exempt) != 0)))
        return;
    snprintf(what, sizeof(what), "RLIMIT_NPROC (ulimit -u) of uid %llu", (unsigned long long)owner);
    compare(room, count_threads(root, owner), limit, 1, what);
}

/* --- the machine, and the process's memory ----------------------------------------------------------------------- */

static void compare_machine(const char *root, struct threadroom *room)
{
    CLEANUP_FD int proc = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP(buf_done) struct buf load = {.ceiling = TEXT_MAX};
    const char *slash;
    uint64_t used, limit;

    /* "0.20 0.18 0.12 1/80 11206": running and all threads. */
    if (proc < 0 || file_load(proc, "loadavg", &load) < 0 || !(slash = strchr(buf_text(&load), '/')))
        return;
    used = strtoull(slash + 1, NULL, 10);
    if (read_number(proc, "sys/kernel/threads-max", &limit))
        compare(room, used, limit, 1, "kernel.threads-max");
    if (read_number(proc, "sys/kernel/pid_max", &limit) && limit > RESERVED_PIDS)
        compare(room, used, limit - RESERVED_PIDS, 1, "kernel.pid_max");
}

static void compare_memory(const char *root, const struct proc *p, const char *status, uint64_t address_space,
                           struct threadroom *room)
{
    CLEANUP_FD int proc = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP(buf_done) struct buf maps = {.ceiling = TEXT_MAX};
    const char *size = text_behind(status, "VmSize:");
    uint64_t limit, count = 0;

    if (size && address_space != UINT64_MAX)
        compare(room, strtoull(size, NULL, 10) * 1024, address_space, STACK_BYTES, "RLIMIT_AS (ulimit -v), bytes");
    if (proc < 0 || !read_number(proc, "sys/vm/max_map_count", &limit) || file_load(p->fd, "maps", &maps) < 0)
        return;
    for (const char *at = buf_text(&maps); (at = strchr(at, '\n')); at++)
        count++;
    compare(room, count, limit, MAPS_OF_A_THREAD, "vm.max_map_count");
}

void threadroom_of_cgroups(const struct proc *p, struct threadroom *ret)
{
    struct threadroom room = {.limit = UINT64_MAX, .room = UINT64_MAX};

    compare_cgroups(p, &room);
    *ret = room;
}

void threadroom_get(const char *root, const struct proc *p, struct threadroom *ret)
{
    CLEANUP(buf_done) struct buf status = {.ceiling = TEXT_MAX}, limits = {.ceiling = TEXT_MAX};
    struct threadroom room = {.limit = UINT64_MAX, .room = UINT64_MAX};

    compare_cgroups(p, &room);
    compare_machine(root, &room);
    if (file_load(p->fd, "status", &status) == 0) {
        /* The limits of another user's process may be unreadable; whoever can attach can read them. */
        if (file_load(p->fd, "limits", &limits) < 0)
            buf_clear(&limits);
        compare_user(root, p, buf_text(&status), soft_limit(buf_text(&limits), "Max processes"), &room);
        compare_memory(root, p, buf_text(&status), soft_limit(buf_text(&limits), "Max address space"), &room);
    }
    *ret = room;
}
