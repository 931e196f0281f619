/* SPDX-License-Identifier: Apache-2.0
 *
 * Descriptors of what is read at each sample are kept, for names of a cgroup cost five times as much as a read. After
 * an rmdir the kernel answers -ENODEV to them, and -ENOENT to names; both are told as -ENODEV.
 */
#include "linux/memcg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>

#include "base/file.h"
#include "base/mem.h"
#include "linux/cgroupns.h"
#include "linux/proc_cgroup.h"

enum {
    SMALL_MAX = 64,
    STAT_MAX = 8 * 1024,
    UP_MAX = 3 * MEMCG_LEVELS_MAX + 64, /* "../../../memory.limit_in_bytes" */
    LIMITS_AGE_MS = 4000,               /* of who looks every 5 s, each time */
    LIMITS_NEAR_AGE_MS = 250,
    STAT_AGE_MS = 15 * 1000,
    STAT_FAR_AGE_MS = 30 * 1000,
    STAT_MOVED_DIVISOR = 64, /* of the limit: usage that has moved so far may be all cache */
    STAT_MOVED_MAX = 16 << 20,
    BOOKKEEPING_DIVISOR = 32, /* of a cached page: ext4 has 104 bytes for each, and its nodes */
    ABOVE_AGE_MS = 30 * 1000
};

struct names {
    const char *usage, *limit, *events;
    /* in memory.stat, of the groups below too: */
    const char *inactive, *active, *dirty, *writeback, *slab, *shared;
};

static const struct names V1 = {"memory.usage_in_bytes",
                                "memory.limit_in_bytes",
                                "memory.oom_control",
                                "total_inactive_file",
                                "total_active_file",
                                "total_dirty",
                                "total_writeback",
                                NULL,
                                "total_shmem"};
static const struct names V2 = {"memory.current", "memory.max",     "memory.events",    "inactive_file", "active_file",
                                "file_dirty",     "file_writeback", "slab_reclaimable", "shmem"};

static const struct names *names_of(const struct memcg *m)
{
    return m->v2 ? &V2 : &V1;
}

/* Files of a folder of ours or above it */

static const char *up(unsigned levels, const char *name, char out[UP_MAX])
{
    char *at = out;

    for (unsigned i = 0; i < levels; i++, at += 3)
        memcpy(at, "../", 4);
    snprintf(at, UP_MAX - (size_t)(at - out), "%s", name);
    return out;
}

static int open_at_level(const struct memcg *m, unsigned level, const char *name)
{
    char path[UP_MAX];
    int fd = openat(m->fd, up(level, name, path), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    return fd < 0 ? -errno : fd;
}

/* The text of a file from its beginning, cut to what fits. */
static int read_text(int fd, char *out, size_t size)
{
    ssize_t n = fd < 0 ? fd : file_pread(fd, out, size - 1, 0);

    if (n < 0)
        return (int)n;
    out[n] = '\0';
    return 0;
}

static int read_bytes(int fd, uint64_t *ret)
{
    char text[SMALL_MAX];
    int r = read_text(fd, text, sizeof(text));

    return r < 0 ? r : cgroup_bytes(text, ret);
}

static int read_bytes_at(const struct memcg *m, unsigned level, const char *name, uint64_t *ret)
{
    CLEANUP_FD int fd = open_at_level(m, level, name);

    return read_bytes(fd, ret);
}

/* A file that was there has no name any more: so has the cgroup. */
static int gone(int r)
{
    return r == -ENOENT ? -ENODEV : r;
}

/* Opening */

static bool has(int folder, const char *name)
{
    return faccessat(folder, name, F_OK, 0) == 0;
}

/* Before Linux 5.11 a v1 cgroup's children may count for themselves alone. */
static bool counts_what_is_below(const struct memcg *m, unsigned level)
{
    uint64_t hierarchy;

    return m->v2 || read_bytes_at(m, level, "memory.use_hierarchy", &hierarchy) < 0 || hierarchy != 0;
}

/* Levels as long as it goes up on the same mount: above that the folders may be anybody's. */
static void find_levels(struct memcg *m, uint64_t mount)
{
    char path[UP_MAX];

    m->level[0] = (struct memcg_level){.usage_fd = -1, .limit = UINT64_MAX};
    for (m->levels = 1; m->levels < MEMCG_LEVELS_MAX; m->levels++) {
        CLEANUP_FD int folder = openat(m->fd, up(m->levels, ".", path), O_PATH | O_DIRECTORY | O_CLOEXEC);
        uint64_t id;

        if (folder < 0 || proc_mount_id(folder, &id) < 0 || id != mount)
            return;
        /* v2's root has no files of a limit. */
        if (!has(folder, names_of(m)->limit)) {
            m->whole = m->v2;
            return;
        }
        if (!counts_what_is_below(m, m->levels))
            return;
        m->level[m->levels] = (struct memcg_level){.usage_fd = -1, .limit = UINT64_MAX};
    }
}

/* v2 may have the controller enabled only further up: then that is where our memory is counted. */
static int climb_to_controller(int *folder, uint64_t mount, bool *ret_v2)
{
    for (unsigned i = 0; i < MEMCG_LEVELS_MAX; i++) {
        uint64_t id;
        int parent;

        if (has(*folder, V2.usage) || has(*folder, V1.usage)) {
            *ret_v2 = has(*folder, V2.usage);
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

/* Takes the folder. */
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
    if ((r = m.level[0].usage_fd = open_at_level(&m, 0, names_of(&m)->usage)) < 0 ||
        (r = m.limit_fd = open_at_level(&m, 0, names_of(&m)->limit)) < 0 ||
        (r = m.stat_fd = open_at_level(&m, 0, "memory.stat")) < 0 || (r = memcg_sample(&m, 0, &first)) < 0)
        return r;
    *ret = m;
    m = (struct memcg)MEMCG_NONE; /* handed on */
    return 0;
}

/* One of the mounts that may show it. */
struct attempt {
    const struct proc *eyes;
    struct memcg *ret;
    int why;
};

static int look_at(void *ctx, const struct cgroup_place *place)
{
    struct attempt *a = ctx;
    CLEANUP_FD int folder = proc_openat(a->eyes, place->path, O_PATH | O_DIRECTORY, 0);
    uint64_t mount;

    if (folder < 0) {
        a->why = folder;
        return 0;
    }
    /* A container may lay a file system of its own over it, whose files say what it likes, or never answer. */
    if (proc_mount_id(folder, &mount) < 0 || mount != place->mount) {
        a->why = -ENOENT;
        return 0;
    }
    a->why = open_folder(TAKE_FD(folder), a->ret);
    return a->why == 0 ? 1 : a->why == -ENOMEM || a->why == -EMFILE || a->why == -ENFILE ? a->why : 0;
}

/* 0, or why not. */
static int open_as_seen_by(const struct proc *eyes, const char *cgroup, struct memcg *ret)
{
    CLEANUP(buf_done) struct buf mountinfo = {0};
    struct attempt a = {.eyes = eyes, .ret = ret, .why = -ENOENT};
    int r = proc_mountinfo(eyes->fd, &mountinfo);

    if (r == 0)
        r = cgroup_each_place(cgroup, buf_text(&mountinfo), cgroupns_home(), look_at, &a);
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
                            "the memory cgroup of process %d can't be seen (%s): mount the host's /sys/fs/cgroup, or "
                            "share the pid namespace and have CAP_SYS_PTRACE",
                            (int)p->pid, strerror(-r));
}

int memcg_open_path(const char *path, struct memcg *ret, struct err *e)
{
    int folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC), r;

    if (folder < 0)
        return err_set(e, -errno, "%s: %s", path, strerror(errno));
    if (!has(folder, V2.usage) && !has(folder, V1.usage)) {
        close(folder);
        return err_set(e, -ENOENT, "%s: no memory cgroup: it has neither %s nor %s (the root of cgroup v2 has none)",
                       path, V2.usage, V1.usage);
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

/* Sampling */

/* Memory that goes to swap leaves room in memory. On v1 the second limit is that of both together. */
static uint64_t read_swap_room(const struct memcg *m)
{
    struct sysinfo machine;
    uint64_t free_bytes, limit, used;

    if (sysinfo(&machine) < 0 || machine.freeswap == 0)
        return 0;
    free_bytes = (uint64_t)machine.freeswap * machine.mem_unit;
    if (m->v2) {
        if (read_bytes_at(m, 0, "memory.swap.max", &limit) < 0 || read_bytes_at(m, 0, "memory.swap.current", &used) < 0)
            return 0;
    } else {
        uint64_t both, both_used;

        if (m->level[0].limit == UINT64_MAX || read_bytes_at(m, 0, "memory.memsw.limit_in_bytes", &both) < 0 ||
            read_bytes_at(m, 0, "memory.memsw.usage_in_bytes", &both_used) < 0 ||
            read_bytes(m->level[0].usage_fd, &used) < 0)
            return 0;
        limit = both == UINT64_MAX ? both : both > m->level[0].limit ? both - m->level[0].limit : 0;
        used = both_used > used ? both_used - used : 0;
    }
    limit -= used < limit ? used : limit;
    return limit < free_bytes ? limit : free_bytes;
}

/* A level above gets a limit, or loses it. */
static void read_limit_above(struct memcg *m, unsigned level)
{
    struct memcg_level *l = &m->level[level];

    if (read_bytes_at(m, level, names_of(m)->limit, &l->limit) < 0)
        l->limit = UINT64_MAX;
    if (l->limit == UINT64_MAX) {
        mem_close_ptr(&l->usage_fd);
        l->usage_fd = -1;
    } else if (l->usage_fd < 0) {
        l->usage_fd = open_at_level(m, level, names_of(m)->usage);
        if (l->usage_fd < 0)
            l->limit = UINT64_MAX;
    }
}

static int read_limits(struct memcg *m, uint64_t now_ms, bool near)
{
    uint64_t age = near ? LIMITS_NEAR_AGE_MS : LIMITS_AGE_MS;
    bool first = m->limits_at_ms == 0, all = first || now_ms - m->above_at_ms >= ABOVE_AGE_MS;
    int r;

    if (!first && now_ms - m->limits_at_ms < age)
        return 0;
    if ((r = read_bytes(m->limit_fd, &m->level[0].limit)) < 0)
        return r;
    for (unsigned i = 1; i < m->levels; i++)
        if (all || m->level[i].limit != UINT64_MAX)
            read_limit_above(m, i);
    if (all)
        m->above_at_ms = now_ms;
    if (all || near)
        m->swap_room = read_swap_room(m);
    m->limits_at_ms = now_ms ? now_ms : 1;
    return 0;
}

static uint64_t limit_of(const struct memcg *m, unsigned level)
{
    return level == 0 && m->hidden_limit < m->level[0].limit ? m->hidden_limit : m->level[level].limit;
}

static uint64_t less(uint64_t from, uint64_t what)
{
    return from == UINT64_MAX ? UINT64_MAX : what < from ? from - what : 0;
}

static bool is_near(uint64_t limit, uint64_t used)
{
    return limit != UINT64_MAX && less(limit, used) < limit / 4;
}

static bool has_moved(const struct memcg_level *l, uint64_t limit, uint64_t usage)
{
    uint64_t by = usage > l->stat_usage ? usage - l->stat_usage : l->stat_usage - usage;

    return limit != UINT64_MAX && (by > limit / STAT_MOVED_DIVISOR || by > STAT_MOVED_MAX);
}

/* Of our own level it is read as often as it may matter. Those above are shared by many and full of cache on any node
 * that does work, and their memory.stat is dear: only when what was known of it says that little is left. */
static bool is_stat_due(const struct memcg *m, unsigned level, uint64_t usage, uint64_t now_ms)
{
    const struct memcg_level *l = &m->level[level];
    uint64_t known = level == 0 ? usage : less(usage, l->droppable), limit = limit_of(m, level), age = STAT_AGE_MS;

    if (level > 0 || (limit != UINT64_MAX && usage < limit / 2))
        age = STAT_FAR_AGE_MS;
    return l->stat_at_ms == 0 || now_ms - l->stat_at_ms >= age || is_near(limit, known) ||
           (level == 0 && has_moved(l, limit, usage));
}

/* v1's memory.stat tells the lowest limit of all levels, though not of which. One that no visible level has is that of
 * a level out of sight, whose usage we can't know: at least ours. */
static void read_hidden_limit(struct memcg *m, const char *stat)
{
    uint64_t limit, lowest = UINT64_MAX;

    if (m->v2)
        return;
    for (unsigned i = 0; i < m->levels; i++)
        lowest = m->level[i].limit < lowest ? m->level[i].limit : lowest;
    m->hidden_limit = UINT64_MAX;
    m->whole = true;
    if (cgroup_counter(stat, "hierarchical_memory_limit", &limit) < 0 || cgroup_limit(limit) >= lowest)
        return;
    m->hidden_limit = limit;
    m->whole = false;
}

/* 0 for what this kernel does not count. */
static uint64_t counter(const char *stat, const char *name)
{
    uint64_t value;

    return cgroup_counter(stat, name, &value) < 0 ? 0 : value;
}

static int read_stat(struct memcg *m, unsigned level, uint64_t usage, uint64_t now_ms)
{
    const struct names *names = names_of(m);
    CLEANUP_FD int above = level == 0 ? -1 : open_at_level(m, level, "memory.stat");
    struct memcg_level *l = &m->level[level];
    char text[STAT_MAX];
    int r = read_text(level == 0 ? m->stat_fd : above, text, sizeof(text));

    if (r < 0)
        return r;
    l->droppable = counter(text, names->inactive);
    l->file = l->droppable + counter(text, names->active);
    l->clean = less(l->file, counter(text, names->dirty) + counter(text, names->writeback));
    /* What the kernel keeps of cached pages comes and goes with them; v1 does not say how much that is. */
    l->file += names->slab ? counter(text, names->slab) : l->file / BOOKKEEPING_DIVISOR;
    l->stat_usage = usage;
    if (level == 0)
        read_hidden_limit(m, text);
    l->stat_at_ms = now_ms ? now_ms : 1;
    return 0;
}

/* The level with the least room. */
static void find_tightest(const struct memcg *m, const uint64_t usage[], struct memcg_sample *ret)
{
    struct memcg_sample s = {.room = UINT64_MAX, .firm_room = UINT64_MAX};
    uint64_t left = UINT64_MAX;

    for (unsigned i = 0; i < m->levels; i++) {
        const struct memcg_level *l = &m->level[i];
        uint64_t limit = limit_of(m, i), used = less(usage[i], l->droppable), needed = less(usage[i], l->clean);
        uint64_t firm_room = less(limit, less(usage[i], l->file));

        if (i == 0 || less(limit, used) < left) {
            s.used = used;
            s.limit = limit;
            s.level = i;
            left = less(limit, used);
        }
        if (i == 0 || less(limit, needed) < s.room) {
            s.needed = needed;
            s.needed_limit = limit;
            s.room = less(limit, needed);
        }
        s.firm_room = firm_room < s.firm_room ? firm_room : s.firm_room;
    }
    s.usage = usage[0];
    s.own_used = less(usage[0], m->level[0].droppable);
    s.own_firm = less(usage[0], m->level[0].file);
    s.swap_room = m->swap_room;
    *ret = s;
}

int memcg_sample(struct memcg *m, uint64_t now_ms, struct memcg_sample *ret)
{
    uint64_t usage[MEMCG_LEVELS_MAX] = {0};
    bool near = false;
    int r = read_limits(m, now_ms, false);

    if (r < 0 || (r = read_bytes(m->level[0].usage_fd, &usage[0])) < 0)
        return gone(r);
    for (unsigned i = 0; i < m->levels; i++) {
        if (i > 0 && (m->level[i].usage_fd < 0 || read_bytes(m->level[i].usage_fd, &usage[i]) < 0))
            continue;
        if (is_stat_due(m, i, usage[i], now_ms) && (r = read_stat(m, i, usage[i], now_ms)) < 0 && i == 0)
            return gone(r);
        near |= is_near(limit_of(m, i), less(usage[i], m->level[i].droppable));
    }
    if (near && (r = read_limits(m, now_ms, true)) < 0)
        return gone(r);
    find_tightest(m, usage, ret);
    return 0;
}

void memcg_forget_stat(struct memcg *m)
{
    for (unsigned i = 0; i < m->levels; i++)
        m->level[i].stat_at_ms = 0;
    m->limits_at_ms = 0;
}

uint64_t memcg_limit(const struct memcg *m)
{
    uint64_t lowest = UINT64_MAX;

    for (unsigned i = 0; i < m->levels; i++)
        lowest = limit_of(m, i) < lowest ? limit_of(m, i) : lowest;
    return lowest;
}

int memcg_shared(const struct memcg *m, uint64_t *ret)
{
    char text[STAT_MAX];
    int r = read_text(m->stat_fd, text, sizeof(text));

    return r < 0 ? gone(r) : cgroup_counter(text, names_of(m)->shared, ret);
}

bool memcg_is_gone(const struct memcg *m)
{
    uint64_t usage;

    return read_bytes(m->level[0].usage_fd, &usage) == -ENODEV;
}

int memcg_events(const struct memcg *m, bool local, struct cgroup_events *ret)
{
    CLEANUP_FD int fd = open_at_level(m, 0, local && m->v2 ? "memory.events.local" : names_of(m)->events);
    char text[STAT_MAX];
    int r = read_text(fd, text, sizeof(text));

    return r == 0 ? cgroup_events(text, ret) : r == -ENOENT && !has(m->fd, names_of(m)->usage) ? -ENODEV : r;
}

int memcg_pressure(const struct memcg *m, struct psi *ret, bool *ret_machine)
{
    CLEANUP_FD int own = open_at_level(m, 0, "memory.pressure");
    CLEANUP_FD int machine = own == -ENOENT ? open("/proc/pressure/memory", O_RDONLY | O_CLOEXEC) : -1;
    char text[STAT_MAX];
    int r;

    if (own == -ENOENT && machine < 0)
        return -errno;
    if (own < 0 && own != -ENOENT)
        return own;
    if ((r = read_text(own >= 0 ? own : machine, text, sizeof(text))) < 0 || (r = psi_parse(text, ret)) < 0)
        return r;
    *ret_machine = own < 0;
    return 0;
}
