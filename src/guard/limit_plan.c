/* SPDX-License-Identifier: Apache-2.0
 *
 * --lend raises the limits of all levels with less room than the amount, from the top down; --hold changes the
 * cgroup itself.
 */
#include "guard/limit_plan.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "guard/cgroup_setting.h"

enum { GRAIN = 1 << 20 };

/* The kernel rounds limits down to whole pages (4 to 64 KiB, by architecture). Ours must be whole ones already: the
 * restorer leaves a setting alone that differs from what was written, as changed by another program. */
static uint64_t whole_pages(uint64_t bytes)
{
    return bytes - bytes % (uint64_t)sysconf(_SC_PAGESIZE);
}

static bool is_changed(const struct limit_overrides *l, const struct limit_override_setting *s)
{
    for (size_t i = 0; i < LIMIT_OVERRIDE_RESTORERS_MAX; i++)
        for (unsigned k = 0; l->restorer[i].pid && k < l->restorer[i].count; k++) {
            const struct limit_override_key *key = &l->restorer[i].key[k];

            if (key->device == s->device && key->inode == s->inode && key->file == s->file)
                return true;
        }
    return false;
}

/* A setting and its new value. */
struct wanted {
    struct limit_override_setting where; /* from setting_of_level, with file and hold */
    int folder;
    uint64_t value;
};

/* 0; 1: it has that value already; -EBUSY: another case has changed it, and will restore it. */
static int plan_one(const struct limit_overrides *l, struct limit_override *plan, const struct wanted *w)
{
    struct limit_override_setting s = w->where;
    int r;

    if ((r = setting_read(w->folder, s.file, s.before)) < 0)
        return r;
    if (is_changed(l, &s))
        return -EBUSY;
    if (plan->count == LIMIT_OVERRIDE_SETTINGS_MAX)
        return -ENOSPC;
    snprintf(s.after, sizeof(s.after), "%" PRIu64, w->value);
    if (text_eq(s.before, s.after))
        return 1;
    plan->setting[plan->count++] = s;
    return 0;
}

/* Whether this setting is a number below the new limit: it has to be raised, too. */
static bool is_below(int folder, enum limit_override_file file, uint64_t limit)
{
    char value[LIMIT_OVERRIDE_VALUE_MAX];
    uint64_t now;

    return setting_read(folder, file, value) == 0 && text_parse_uint(value, INT64_MAX, &now) == 0 && now < limit;
}

/* v1: the limit of memory and swap together can't be below that of memory. v2: memory.high would slow the process
 * down. */
static int plan_level(const struct limit_overrides *l, const struct memcg *m, unsigned level, uint64_t bytes,
                      struct limit_override *plan)
{
    enum limit_override_file file = m->v2 ? LIMIT_OVERRIDE_V2_MAX : LIMIT_OVERRIDE_V1_LIMIT,
                             second = m->v2 ? LIMIT_OVERRIDE_V2_HIGH : LIMIT_OVERRIDE_V1_BOTH;
    bool held = m->v2 && l->policy.hold_ms > 0 && level == 0; /* memory.high is --hold's then */
    struct wanted w = {0};
    CLEANUP_FD int folder = w.folder = setting_of_level(m, level, &w.where);
    char value[LIMIT_OVERRIDE_VALUE_MAX];
    uint64_t limit, used;
    int r;

    if (folder < 0)
        return folder;
    if ((r = setting_read(folder, file, value)) < 0 || (r = setting_usage(folder, file, &used)) < 0)
        return r;
    if (text_parse_uint(value, INT64_MAX - bytes, &limit) < 0 || cgroup_limit(limit) == UINT64_MAX)
        return 0; /* no limit */
    used = used > m->level[level].droppable ? used - m->level[level].droppable : 0;
    if (limit > used && limit - used >= bytes)
        return 0;
    w.value = limit + bytes;
    w.where.file = second;
    if (!held && is_below(folder, second, w.value) && (r = plan_one(l, plan, &w)) < 0)
        return r;
    w.where.file = file;
    return plan_one(l, plan, &w);
}

/* What the machine can spare, less what other cases were given and may not have used yet. */
static int spare(const struct limit_overrides *l, uint64_t *ret)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = LIMIT_OVERRIDE_JOURNAL_MAX};
    uint64_t bytes;
    int r = file_load(AT_FDCWD, "/proc/meminfo", &text);

    if (r < 0 || (r = limit_override_spare(buf_text(&text), &bytes)) < 0)
        return r;
    for (size_t i = 0; i < LIMIT_OVERRIDE_RESTORERS_MAX; i++)
        if (l->restorer[i].pid)
            bytes -= l->restorer[i].raised < bytes ? l->restorer[i].raised : bytes;
    *ret = bytes - bytes % GRAIN;
    return 0;
}

const char *limit_plan_error(int r)
{
    switch (r) {
    case -EXDEV:
        return "its cgroup is seen through another process's mounts only: mount the host's /sys/fs/cgroup";
    case -EBUSY:
        return "another case has changed it, and it is not restored yet";
    case -EROFS:
        return "its cgroup is mounted read-only: mount the host's /sys/fs/cgroup writable";
    default:
        return strerror(-r);
    }
}

/* From the top level down. */
void limit_plan_lend(const struct limit_overrides *l, const struct memcg *m, struct limit_override_outcome *o)
{
    uint64_t bytes = whole_pages(l->policy.lend), most;
    int r = spare(l, &most);

    if (r < 0 || most == 0) {
        err_set(&o->lend, r, "the machine has nothing to spare%s%s", r < 0 ? ": " : "", r < 0 ? strerror(-r) : "");
        return;
    }
    if (bytes > most) {
        char asked[TEXT_SIZE_MAX], can[TEXT_SIZE_MAX];

        err_set(&o->lend, 0, "%s of %s: the machine can't spare more", text_format_size(most, can),
                text_format_size(bytes, asked));
        bytes = most;
    }
    if (m->hidden_limit != UINT64_MAX && m->hidden_limit == o->limit) {
        err_set(&o->lend, 0, "the limit that is nearest is that of a cgroup out of sight");
        return;
    }
    for (unsigned level = m->levels; level-- > 0;)
        /* EBUSY above: a neighbour's case has raised that limit, which helps this cgroup, too. */
        if ((r = plan_level(l, m, level, bytes, &o->override)) < 0 && !(r == -EBUSY && level > 0)) {
            o->override.count = 0;
            err_set(&o->lend, r, "%s", limit_plan_error(r));
            return;
        }
    if (o->override.count > 0)
        o->raised = bytes;
    else
        err_set(&o->lend, 0, "each limit is further away than that");
}

/* v1: processes that reach this cgroup's limit wait. A cgroup that is made below meanwhile inherits that, so only
 * the process's own cgroup is changed. v2: processes of the cgroup are slowed down as soon as it uses more than now. */
void limit_plan_hold(const struct limit_overrides *l, const struct memcg *m, const struct memcg_sample *s,
                     uint64_t now_ms, struct limit_override_outcome *o)
{
    struct wanted w = {0};
    CLEANUP_FD int folder = w.folder = setting_of_level(m, 0, &w.where);
    uint64_t used = s->usage;
    int r;

    w.where.file = m->v2 ? LIMIT_OVERRIDE_V2_HIGH : LIMIT_OVERRIDE_V1_OOM;
    w.where.hold = true;
    r = folder < 0 ? folder : setting_usage(folder, w.where.file, &used);
    if (r == 0 && !m->v2 && s->level != 0) {
        err_set(&o->hold, 0, "the limit that is nearest is that of a cgroup above it, which others are in, too");
        return;
    }
    w.value = m->v2 ? whole_pages(used) : 1;
    if (r == 0)
        r = plan_one(l, &o->override, &w);
    if (r == 0)
        o->override.hold_until_ms = now_ms + l->policy.hold_ms;
    else
        err_set(&o->hold, r, "%s", r > 0 ? "it is held already, and not by us" : limit_plan_error(r));
}
