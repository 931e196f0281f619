/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the facts while they can be read.
 */
#include "guard/last_known.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "place/container.h"

static const int64_t TAKEN_AGE_NS = INT64_C(3600) * 1000 * 1000 * 1000; /* older evidence does not belong to the kill */

enum { STAT_AGE_MS = 100, COMM_SIZE = OOMKILL_NAME_MAX };

/* --- while it lives -------------------------------------------------------------------------------------------------
 */

/* The part of the path below the mount. False if the path leads elsewhere from here (it belongs to another mount
 * namespace). */
static bool cut_mount(const struct memcg *m, const char *path, char **ret)
{
    CLEANUP_FREE char *above = strdup(path);
    size_t mount = strlen(path);
    struct stat st;
    char *end;

    if (!above || stat(path, &st) < 0 || st.st_dev != m->device || st.st_ino != m->inode)
        return false;
    while ((end = strrchr(above, '/')) && end != above) {
        *end = '\0';
        if (stat(above, &st) < 0 || st.st_dev != m->device)
            break;
        mount = (size_t)(end - above);
    }
    *ret = strdup(path[mount] ? path + mount : "/");
    return *ret;
}

void last_known_cgroup(struct last_known *l, const struct memcg *m)
{
    char link[64], path[PATH_MAX];
    ssize_t size;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", m->fd);
    size = readlink(link, path, sizeof(path) - 1);
    if (size <= 0 || size >= (ssize_t)sizeof(path) - 1)
        return;
    path[size] = '\0';
    if (!l->path && cut_mount(m, path, &l->path)) {
        containerid_from_path(l->path, l->container_id);
        containerid_pod_from_path(l->path, l->pod_uid);
    }
}

static void read_ids(struct last_known *l, const struct proc *p)
{
    if (!*l->container_id)
        container_of_cgroup(p->fd, l->container_id);
}

void last_known_process(struct last_known *l, pid_t pid)
{
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    CLEANUP(buf_done) struct buf comm = {.ceiling = 64};

    if (pid == 0 || pid == l->pid || proc_open("/proc", pid, &p) < 0 || file_load(p.fd, "comm", &comm) < 0)
        return;
    l->pid = pid;
    snprintf(l->name, sizeof(l->name), "%.*s", (int)strcspn(buf_text(&comm), "\n"), buf_text(&comm));
    read_ids(l, &p);
    whoami_done(&l->who);
    whoami_of_process(&p, &l->who);
}

/* From then on the samples leave the text of memory.stat there. */
static bool have_text(struct last_known *l, struct memcg *m)
{
    if (l->text)
        return true;
    if (!(l->text = calloc(1, MEMCG_STAT_MAX)))
        return false;
    m->stat_text = l->text;
    m->level[0].stat_at_ms = 0;
    return true;
}

void last_known_memory(struct last_known *l, struct memcg *m, const struct memcg_sample *s, uint64_t now_ms)
{
    char *stat;

    l->sample = *s;
    if (s->room == UINT64_MAX || s->room > s->limit / 4 || (l->stat && now_ms - l->stat_at_ms < STAT_AGE_MS))
        return;
    l->stat_at_ms = now_ms;
    if (!have_text(l, m) || memcg_stat(m, now_ms) < 0 || !*l->text || !(stat = strdup(l->text)))
        return;
    free(l->stat);
    l->stat = stat;
    l->stat_sample = *s;
}

void last_known_done(struct last_known *l)
{
    whoami_done(&l->who);
    free(l->path);
    free(l->stat);
    free(l->text);
    *l = (struct last_known){0};
}

/* --- after a kill ---------------------------------------------------------------------------------------------------
 */

static bool is_at_or_below(const char *path, const char *above)
{
    size_t size = strlen(above);

    return size > 1 && strncmp(path, above, size) == 0 && (path[size] == '\0' || path[size] == '/');
}

bool last_known_is(const struct last_known *l, const struct oomkill *k)
{
    if (l->pid && (uint64_t)l->pid == k->process.pid && text_eq(l->name, k->process.name))
        return true;
    if (*l->container_id && *k->where.container_id)
        return text_eq(l->container_id, k->where.container_id);
    return l->path && (is_at_or_below(k->task_cgroup, l->path) || is_at_or_below(k->limit_cgroup, l->path));
}

bool last_known_holds(const struct last_known *outer, const struct last_known *inner)
{
    return outer->path && inner->path &&
           (text_eq(outer->path, inner->path) || is_at_or_below(inner->path, outer->path));
}

void last_known_complete(const struct last_known *l, struct oomkill *k)
{
    oomkill_set(k->where.container_id, sizeof(k->where.container_id), l->container_id);
    oomkill_set(k->where.pod_uid, sizeof(k->where.pod_uid), l->pod_uid);
    oomkill_set(k->where.namespace, sizeof(k->where.namespace), l->who.namespace);
    oomkill_set(k->where.pod, sizeof(k->where.pod), l->who.pod);
    oomkill_set(k->where.container, sizeof(k->where.container), l->who.container);
    if (k->time_ns - l->taken.time_ns < TAKEN_AGE_NS)
        oomkill_set(k->case_id, sizeof(k->case_id), l->taken.id);
    /* The statistics belong to this cgroup: they do not explain a limit further up. */
    if (k->stat_count == 0 && l->stat && !text_eq(k->why, "parent-limit") && !text_eq(k->why, "machine"))
        oomkill_add_stats(k, l->stat);
}

/* A process that was just killed may still exist, without memory. */
static bool has_ended(pid_t pid)
{
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    struct proc_status status;

    return proc_open("/proc", pid, &p) < 0 || proc_status(&p, &status) < 0 || status.state == 'Z';
}

void last_known_kill(const struct last_known *l, const char *why, int64_t time_ns, struct oomkill *ret)
{
    /* The last sample may be from after the kill, when the memory was free again; the one with memory.stat was taken
     * before. */
    const struct memcg_sample *sample = l->stat ? &l->stat_sample : &l->sample;

    oomkill_init(ret);
    ret->source = "counters";
    ret->note = why;
    ret->time_ns = time_ns;
    if (sample->limit != 0 && sample->limit != UINT64_MAX) {
        ret->why = sample->level == 0 ? "limit" : "parent-limit";
        /* With the cache, as in the kernel's own line. */
        ret->memory.usage = sample->level == 0 && sample->usage > 0 ? sample->usage : sample->used;
        ret->memory.limit = sample->limit;
    }
    oomkill_set(ret->task_cgroup, sizeof(ret->task_cgroup), l->path);
    if (sample->level == 0)
        oomkill_set(ret->limit_cgroup, sizeof(ret->limit_cgroup), l->path);
    if (l->pid && has_ended(l->pid)) {
        ret->process.pid = (uint64_t)l->pid;
        oomkill_set(ret->process.name, sizeof(ret->process.name), l->name);
    }
    last_known_complete(l, ret);
}

/* --- counting -------------------------------------------------------------------------------------------------------
 */

void last_known_reported(struct last_known *l, uint64_t kills, uint64_t now_ms)
{
    l->reported += kills;
    l->reported_at_ms = now_ms;
    if (l->reported >= l->due)
        l->due_ms = 0; /* the expected kills were logged: a new wait begins with the next */
}

uint64_t last_known_count(struct last_known *l, uint64_t kills, uint64_t wait_ms, uint64_t now_ms)
{
    uint64_t unreported;

    if (!l->counted) {
        l->reported += kills;
        l->counted = true;
    }
    /* Logged, but counted elsewhere, in a cgroup below. */
    if (l->reported > kills && now_ms - l->reported_at_ms > wait_ms)
        l->reported = kills;
    if (l->reported >= kills) {
        l->due_ms = 0;
        return 0;
    }
    if (l->due_ms == 0 || l->due_ms > now_ms + wait_ms || wait_ms == 0) {
        l->due_ms = now_ms + wait_ms;
        l->due = kills;
    }
    if (now_ms < l->due_ms)
        return 0;
    /* Kills that were counted since then may still be logged. */
    unreported = l->due - l->reported;
    l->reported = l->due;
    l->due_ms = kills > l->due ? now_ms + wait_ms : 0;
    l->due = kills;
    return unreported;
}
