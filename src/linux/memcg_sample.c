/* SPDX-License-Identifier: Apache-2.0
 *
 * Samples of a memory cgroup: which files are read each time, which less often.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "base/mem.h"
#include "linux/memcg_files.h"

enum {
    LIMITS_AGE_MS = 4000, /* a caller that samples every 5 s gets new limits each time */
    LIMITS_NEAR_AGE_MS = 250,
    STAT_AGE_MS = 15 * 1000,
    STAT_FAR_AGE_MS = 30 * 1000,
    STAT_MOVED_DIVISOR = 64, /* of the limit: a change of usage by that much may be all cache */
    STAT_MOVED_MAX = 16 << 20,
    BOOKKEEPING_DIVISOR = 32, /* of a cached page: the kernel's memory for it (ext4: 104 bytes, and tree nodes) */
    ABOVE_AGE_MS = 30 * 1000
};

/* Bytes that can go to swap. On v1 memsw is the limit of memory and swap together. */
static uint64_t read_swap_room(const struct memcg *m)
{
    struct sysinfo machine;
    uint64_t free_bytes, limit, used;

    if (sysinfo(&machine) < 0 || machine.freeswap == 0)
        return 0;
    free_bytes = (uint64_t)machine.freeswap * machine.mem_unit;
    if (m->v2) {
        if (memcg_read_bytes_at(m, 0, "memory.swap.max", &limit) < 0 ||
            memcg_read_bytes_at(m, 0, "memory.swap.current", &used) < 0)
            return 0;
    } else {
        uint64_t both, both_used;

        if (m->level[0].limit == UINT64_MAX || memcg_read_bytes_at(m, 0, "memory.memsw.limit_in_bytes", &both) < 0 ||
            memcg_read_bytes_at(m, 0, "memory.memsw.usage_in_bytes", &both_used) < 0 ||
            memcg_read_bytes(m->level[0].usage_fd, &used) < 0)
            return 0;
        limit = both == UINT64_MAX ? both : both > m->level[0].limit ? both - m->level[0].limit : 0;
        used = both_used > used ? both_used - used : 0;
    }
    limit -= used < limit ? used : limit;
    return limit < free_bytes ? limit : free_bytes;
}

/* Reads the limit of a level above; its usage file is open only while it has a limit. */
static void read_limit_above(struct memcg *m, unsigned level)
{
    struct memcg_level *l = &m->level[level];

    if (memcg_read_bytes_at(m, level, memcg_names(m)->limit, &l->limit) < 0)
        l->limit = UINT64_MAX;
    if (l->limit == UINT64_MAX) {
        mem_close_ptr(&l->usage_fd);
        l->usage_fd = -1;
    } else if (l->usage_fd < 0) {
        l->usage_fd = memcg_openat(m, level, memcg_names(m)->usage);
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
    if ((r = memcg_read_bytes(m->limit_fd, &m->level[0].limit)) < 0)
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

/* Levels above are shared and full of cache on a busy node, and their memory.stat is expensive to read: it is read
 * early only if little was left at the last reading. */
static bool is_stat_due(const struct memcg *m, unsigned level, uint64_t usage, uint64_t now_ms)
{
    const struct memcg_level *l = &m->level[level];
    uint64_t known = level == 0 ? usage : less(usage, l->droppable), limit = limit_of(m, level), age = STAT_AGE_MS;

    if (level > 0 || (limit != UINT64_MAX && usage < limit / 2))
        age = STAT_FAR_AGE_MS;
    return l->stat_at_ms == 0 || now_ms - l->stat_at_ms >= age || is_near(limit, known) ||
           (level == 0 && has_moved(l, limit, usage));
}

/* v1's memory.stat has the lowest limit of all levels. If no visible level has that limit, it belongs to a hidden
 * level, whose usage is unknown: at least ours. */
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

/* 0 if this kernel does not have the counter. */
static uint64_t counter(const char *stat, const char *name)
{
    uint64_t value;

    return cgroup_counter(stat, name, &value) < 0 ? 0 : value;
}

static int read_stat(struct memcg *m, unsigned level, uint64_t usage, uint64_t now_ms)
{
    const struct memcg_names *names = memcg_names(m);
    CLEANUP_FD int above = level == 0 ? -1 : memcg_openat(m, level, "memory.stat");
    struct memcg_level *l = &m->level[level];
    char text[MEMCG_STAT_MAX];
    int r = memcg_read_text(level == 0 ? m->stat_fd : above, text, sizeof(text));

    if (r < 0)
        return r;
    l->droppable = counter(text, names->inactive);
    l->file = l->droppable + counter(text, names->active);
    l->clean = less(l->file, counter(text, names->dirty) + counter(text, names->writeback));
    /* The kernel's memory for cached pages is freed with them; v1 has no counter of it. */
    l->file += names->slab ? counter(text, names->slab) : l->file / BOOKKEEPING_DIVISOR;
    l->stat_usage = usage;
    if (level == 0) {
        read_hidden_limit(m, text);
        if (cgroup_counter(text, names->shared, &m->shared) < 0)
            m->shared = UINT64_MAX;
        if (m->stat_text)
            memcpy(m->stat_text, text, strlen(text) + 1);
    }
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

    if (r < 0 || (r = memcg_read_bytes(m->level[0].usage_fd, &usage[0])) < 0)
        return memcg_error(r);
    for (unsigned i = 0; i < m->levels; i++) {
        if (i > 0 && (m->level[i].usage_fd < 0 || memcg_read_bytes(m->level[i].usage_fd, &usage[i]) < 0))
            continue;
        m->level[i].usage = usage[i];
        if (is_stat_due(m, i, usage[i], now_ms) && (r = read_stat(m, i, usage[i], now_ms)) < 0 && i == 0)
            return memcg_error(r);
        near |= is_near(limit_of(m, i), less(usage[i], m->level[i].droppable));
    }
    if (near && (r = read_limits(m, now_ms, true)) < 0)
        return memcg_error(r);
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

int memcg_stat(struct memcg *m, uint64_t now_ms)
{
    if (m->level[0].stat_at_ms == (now_ms ? now_ms : 1))
        return 0;
    return memcg_error(read_stat(m, 0, m->level[0].usage, now_ms));
}

int memcg_shared(struct memcg *m, uint64_t now_ms, uint64_t *ret)
{
    int r = memcg_stat(m, now_ms);

    if (r == 0 && m->shared == UINT64_MAX)
        return -ENOENT;
    if (r == 0)
        *ret = m->shared;
    return r;
}
