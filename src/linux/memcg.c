/* SPDX-License-Identifier: Apache-2.0
 *
 * Files that each sample reads stay open: opening one costs five times as much as a read. After an rmdir the kernel
 * answers -ENODEV to descriptors and -ENOENT to names; callers get -ENODEV for both.
 */
#include "linux/memcg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "linux/cgroupns.h"
#include "linux/memcg_files.h"
#include "linux/proc_cgroup.h"

/* Before Linux 5.11 a v1 cgroup may exclude its children (memory.use_hierarchy 0). */
static bool is_hierarchical(const struct memcg *m, unsigned level)
{
    uint64_t hierarchy;

    return m->v2 || memcg_read_bytes_at(m, level, "memory.use_hierarchy", &hierarchy) < 0 || hierarchy != 0;
}

/* Levels on the same mount only: folders above the mount are not cgroups. */
static void find_levels(struct memcg *m, uint64_t mount)
{
    char path[MEMCG_PATH_MAX];

    m->level[0] = (struct memcg_level){.usage_fd = -1, .limit = UINT64_MAX};
    for (m->levels = 1; m->levels < MEMCG_LEVELS_MAX; m->levels++) {
        CLEANUP_FD int folder = openat(m->fd, memcg_path_above(m->levels, ".", path), O_PATH | O_DIRECTORY | O_CLOEXEC);
        uint64_t id;

        if (folder < 0 || proc_mount_id(folder, &id) < 0 || id != mount)
            return;
        /* v2's root has no limit files. */
        if (!memcg_has(folder, memcg_names(m)->limit)) {
            m->whole = m->v2;
            return;
        }
        if (!is_hierarchical(m, m->levels))
            return;
        m->level[m->levels] = (struct memcg_level){.usage_fd = -1, .limit = UINT64_MAX};
    }
}

/* In v2 the controller may be enabled further up only: then memory is counted there. */
static int climb_to_controller(int *folder, uint64_t mount, bool *ret_v2)
{
    for (unsigned i = 0; i < MEMCG_LEVELS_MAX; i++) {
        uint64_t id;
        int parent;

        if (memcg_has(*folder, MEMCG_V2.usage) || memcg_has(*folder, MEMCG_V1.usage)) {
            *ret_v2 = memcg_has(*folder, MEMCG_V2.usage);
            return 0;
        }
        parent = openat(*folder, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (parent < 0)
            return -errno;
        close(*folder);
        *folder = parent;
        if (proc_mount_id(parent, &id) < 0 || id != mount)
            break;
    }
    return -ENOENT;
}

/* Takes ownership of the folder. */
static int open_folder(int folder, struct memcg *ret)
{
    CLEANUP(memcg_done) struct memcg m = MEMCG_NONE;
    struct memcg_sample first;
    struct stat st;
    uint64_t mount;
    int r;

    m.fd = folder;
    m.hidden_limit = UINT64_MAX;
    if ((r = proc_mount_id(m.fd, &mount)) < 0 || (r = climb_to_controller(&m.fd, mount, &m.v2)) < 0)
        return r;
    if (fstat(m.fd, &st) < 0)
        return -errno;
    m.device = st.st_dev;
    m.inode = st.st_ino;
    find_levels(&m, mount);
    if ((r = m.level[0].usage_fd = memcg_openat(&m, 0, memcg_names(&m)->usage)) < 0 ||
        (r = m.limit_fd = memcg_openat(&m, 0, memcg_names(&m)->limit)) < 0 ||
        (r = m.stat_fd = memcg_openat(&m, 0, "memory.stat")) < 0 || (r = memcg_sample(&m, 0, &first)) < 0)
        return r;
    *ret = m;
    m = (struct memcg)MEMCG_NONE; /* handed on */
    return 0;
}

/* The search through the mounts that may show the cgroup. */
struct attempt {
    const struct proc *viewer;
    struct memcg *ret;
    int why;
};

static int try_place(void *ctx, const struct cgroup_place *place)
{
    struct attempt *a = ctx;
    CLEANUP_FD int folder = proc_openat(a->viewer, place->path, O_PATH | O_DIRECTORY, 0);
    uint64_t mount;

    if (folder < 0) {
        a->why = folder;
        return 0;
    }
    /* A container may mount another file system on top, with forged files, or one that never answers. */
    if (proc_mount_id(folder, &mount) < 0 || mount != place->mount) {
        a->why = -ENOENT;
        return 0;
    }
    a->why = open_folder(TAKE_FD(folder), a->ret);
    return a->why == 0 ? 1 : a->why == -ENOMEM || a->why == -EMFILE || a->why == -ENFILE ? a->why : 0;
}

/* Opens the cgroup through the mounts of process eyes. 0, or why not. */
static int open_as_seen_by(const struct proc *viewer, const char *cgroup, struct memcg *ret)
{
    CLEANUP(buf_done) struct buf mountinfo = {0};
    struct attempt a = {.viewer = viewer, .ret = ret, .why = -ENOENT};
    int r = proc_mountinfo(viewer->fd, &mountinfo);

    if (r == 0)
        r = cgroup_each_place(cgroup, buf_text(&mountinfo), cgroupns_home(), try_place, &a);
    return r > 0 ? 0 : r < 0 ? r : a.why;
}

int memcg_open(const struct proc *p, struct memcg *ret, struct err *e)
{
    CLEANUP(buf_done) struct buf cgroup = {0};
    CLEANUP(proc_done) struct proc self = {.fd = openat(p->fd, "../self", O_PATH | O_DIRECTORY | O_CLOEXEC)};
    int r = proc_cgroup(p->fd, &cgroup), ours = -ENOENT;

    if (r == -ENOENT || r == -ESRCH)
        return err_set(e, -ESRCH, "process %d has ended", (int)p->pid);
    if (r < 0)
        return err_set(e, r, "/proc/%d/cgroup: %s", (int)p->pid, strerror(-r));
    if (self.fd >= 0 && (ours = open_as_seen_by(&self, buf_text(&cgroup), ret)) == 0)
        return 0;
    r = open_as_seen_by(p, buf_text(&cgroup), ret);
    if (r == -ENOENT && ours != -ENOENT)
        r = ours;
    return r == 0 ? 0
                  : err_set(e, r,
                            "cannot see the memory cgroup of process %d (%s): mount the host's /sys/fs/cgroup, or "
                            "share the pid namespace and add CAP_SYS_PTRACE",
                            (int)p->pid, strerror(-r));
}

int memcg_open_path(const char *path, struct memcg *ret, struct err *e)
{
    int folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC), r;

    if (folder < 0)
        return err_set(e, -errno, "%s: %s", path, strerror(errno));
    if (!memcg_has(folder, MEMCG_V2.usage) && !memcg_has(folder, MEMCG_V1.usage)) {
        close(folder);
        return err_set(e, -ENOENT, "%s: not a memory cgroup: it has neither %s nor %s (nor does the root of cgroup v2)",
                       path, MEMCG_V2.usage, MEMCG_V1.usage);
    }
    r = open_folder(folder, ret);
    return r < 0 ? err_set(e, r, "%s: %s", path, strerror(-r)) : 0;
}

void memcg_done(struct memcg *m)
{
    for (unsigned i = 0; i < m->levels; i++)
        mem_close_ptr(&m->level[i].usage_fd);
    mem_close_ptr(&m->fd);
    mem_close_ptr(&m->limit_fd);
    mem_close_ptr(&m->stat_fd);
    *m = (struct memcg)MEMCG_NONE;
}

bool memcg_same(const struct memcg *a, const struct memcg *b)
{
    return a->device == b->device && a->inode == b->inode;
}

bool memcg_is_gone(const struct memcg *m)
{
    uint64_t usage;

    return memcg_read_bytes(m->level[0].usage_fd, &usage) == -ENODEV;
}

int memcg_events(const struct memcg *m, bool local, struct cgroup_events *ret)
{
    CLEANUP_FD int fd = memcg_openat(m, 0, local && m->v2 ? "memory.events.local" : memcg_names(m)->events);
    char text[MEMCG_STAT_MAX];
    int r = memcg_read_text(fd, text, sizeof(text));

    return r == 0 ? cgroup_events(text, ret) : r == -ENOENT && !memcg_has(m->fd, memcg_names(m)->usage) ? -ENODEV : r;
}

int memcg_pressure(const struct memcg *m, struct psi *ret, bool *ret_machine)
{
    CLEANUP_FD int own = memcg_openat(m, 0, "memory.pressure");
    CLEANUP_FD int machine = own == -ENOENT ? open("/proc/pressure/memory", O_RDONLY | O_CLOEXEC) : -1;
    char text[MEMCG_STAT_MAX];
    int r;

    if (own == -ENOENT && machine < 0)
        return -errno;
    if (own < 0 && own != -ENOENT)
        return own;
    if ((r = memcg_read_text(own >= 0 ? own : machine, text, sizeof(text))) < 0 || (r = psi_parse(text, ret)) < 0)
        return r;
    *ret_machine = own < 0;
    return 0;
}
