/* SPDX-License-Identifier: Apache-2.0
 *
 * In this order: plan, journal, keeper, change. Whatever ends us in between, somebody knows what to put back: what is
 * not changed yet still says what it was.
 */
#include "guard/limit_override.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/jsonout.h"
#include "base/mem.h"
#include "base/text.h"
#include "guard/cgroup_setting.h"
#include "guard/limit_restorer.h"
#include "linux/bootid.h"

enum {
    GRAIN = 1 << 20,
    TRIES_MAX = 3,
    WAIT_MS = 2000, /* for keepers, at a start and at the end */
    WAIT_STEP_MS = 2,
    TEXT_MAX = 512
};

/* The kernel rounds limits down to whole pages (4 to 64 KiB, by architecture). Ours must be whole ones already: the
 * restorer leaves a setting alone that differs from what was written, as changed by another program. */
static uint64_t whole_pages(uint64_t bytes)
{
    return bytes - bytes % (uint64_t)sysconf(_SC_PAGESIZE);
}

/* --- what to change -------------------------------------------------------------------------------------------------
 */

static bool is_lent(const struct limit_overrides *l, const struct limit_override_setting *s)
{
    for (size_t i = 0; i < LIMIT_OVERRIDE_KEEPERS_MAX; i++)
        for (unsigned k = 0; l->keeper[i].pid && k < l->keeper[i].count; k++) {
            const struct limit_override_key *key = &l->keeper[i].key[k];

            if (key->device == s->device && key->inode == s->inode && key->file == s->file)
                return true;
        }
    return false;
}

/* 0; 1: it says so already; -EBUSY: another case has changed it, and will put it back. */
static int plan_one(const struct limit_overrides *l, struct limit_override *plan,
                    const struct limit_override_setting *where, int folder, enum limit_override_file file,
                    uint64_t value, bool hold)
{
    struct limit_override_setting s = *where;
    int r;

    s.file = file;
    s.hold = hold;
    if ((r = setting_read(folder, file, s.before)) < 0)
        return r;
    if (is_lent(l, &s))
        return -EBUSY;
    if (plan->count == LIMIT_OVERRIDE_SETTINGS_MAX)
        return -ENOSPC;
    snprintf(s.after, sizeof(s.after), "%" PRIu64, value);
    if (text_eq(s.before, s.after))
        return 1;
    plan->setting[plan->count++] = s;
    return 0;
}

/* A number that a new limit would be above of: a setting that has to be raised with it. */
static bool is_below(int folder, enum limit_override_file file, uint64_t limit)
{
    char value[LIMIT_OVERRIDE_VALUE_MAX];
    uint64_t now;

    return setting_read(folder, file, value) == 0 && text_parse_uint(value, INT64_MAX, &now) == 0 && now < limit;
}

/* v1: memory and swap together can't have less than memory alone. v2: memory.high would only make it slow. */
static int plan_level(const struct limit_overrides *l, const struct memcg *m, unsigned level, bool holds,
                      uint64_t bytes, struct limit_override *plan)
{
    enum limit_override_file file = m->v2 ? LIMIT_OVERRIDE_V2_MAX : LIMIT_OVERRIDE_V1_LIMIT,
                             native = m->v2 ? LIMIT_OVERRIDE_V2_HIGH : LIMIT_OVERRIDE_V1_BOTH;
    struct limit_override_setting where;
    CLEANUP_FD int folder = setting_of_level(m, level, &where);
    char value[LIMIT_OVERRIDE_VALUE_MAX];
    uint64_t limit, used;
    int r;

    if (folder < 0)
        return folder;
    if ((r = setting_read(folder, file, value)) < 0 || (r = setting_usage(folder, file, &used)) < 0)
        return r;
    if (text_parse_uint(value, INT64_MAX - bytes, &limit) < 0 || cgroup_limit(limit) == UINT64_MAX)
        return 0; /* none */
    used = used > m->level[level].droppable ? used - m->level[level].droppable : 0;
    if (limit > used && limit - used >= bytes)
        return 0;
    limit += bytes;
    if (is_below(folder, native, limit) && !(m->v2 && holds && level == 0) &&
        (r = plan_one(l, plan, &where, folder, native, limit, false)) < 0)
        return r;
    return plan_one(l, plan, &where, folder, file, limit, false);
}

/* Less what is lent already and may not have been taken yet. */
static int spare(const struct limit_overrides *l, uint64_t *ret)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = LIMIT_OVERRIDE_JOURNAL_MAX};
    uint64_t bytes;
    int r = file_load(AT_FDCWD, "/proc/meminfo", &text);

    if (r < 0 || (r = limit_override_spare(buf_text(&text), &bytes)) < 0)
        return r;
    for (size_t i = 0; i < LIMIT_OVERRIDE_KEEPERS_MAX; i++)
        if (l->keeper[i].pid)
            bytes -= l->keeper[i].given < bytes ? l->keeper[i].given : bytes;
    *ret = bytes - bytes % GRAIN;
    return 0;
}

static const char *why_not(int r)
{
    return r == -EXDEV   ? "its cgroup is seen through another process's mounts only: mount the host's /sys/fs/cgroup"
           : r == -EBUSY ? "another case has changed it, and it is not back yet"
           : r == -EROFS ? "its cgroup is mounted read-only: mount the host's /sys/fs/cgroup writable"
                         : strerror(-r);
}

/* From the top down. */
static void plan_lend(const struct limit_overrides *l, const struct memcg *m, struct limit_override_outcome *o)
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
        /* Above: to a neighbour, and so to us, too. */
        if ((r = plan_level(l, m, level, l->policy.hold_ms > 0, bytes, &o->override)) < 0 &&
            !(r == -EBUSY && level > 0)) {
            o->override.count = 0;
            err_set(&o->lend, r, "%s", why_not(r));
            return;
        }
    if (o->override.count > 0)
        o->given = bytes;
    else
        err_set(&o->lend, 0, "each limit is further away than that");
}

/* v1 has whoever meets this cgroup's limit wait, and whoever is made in a cgroup meanwhile inherits that: only our own
 * one's. v2 slows down whoever is in the cgroup as soon as it has more than now. */
static void plan_hold(const struct limit_overrides *l, const struct memcg *m, const struct memcg_sample *s,
                      uint64_t now_ms, struct limit_override_outcome *o)
{
    struct limit_override_setting where;
    CLEANUP_FD int folder = setting_of_level(m, 0, &where);
    uint64_t used = s->usage;
    int r = folder < 0 ? folder : setting_usage(folder, m->v2 ? LIMIT_OVERRIDE_V2_HIGH : LIMIT_OVERRIDE_V1_OOM, &used);

    if (r == 0 && !m->v2 && s->level != 0) {
        err_set(&o->hold, 0, "the limit that is nearest is that of a cgroup above it, which others are in, too");
        return;
    }
    if (r == 0)
        r = plan_one(l, &o->override, &where, folder, m->v2 ? LIMIT_OVERRIDE_V2_HIGH : LIMIT_OVERRIDE_V1_OOM,
                     m->v2 ? whole_pages(used) : 1, true);
    if (r == 0)
        o->override.hold_until_ms = now_ms + l->policy.hold_ms;
    else
        err_set(&o->hold, r, "%s", r > 0 ? "it is held already, and not by us" : why_not(r));
}

/* --- keepers --------------------------------------------------------------------------------------------------------
 */

static int hand_over(int journal)
{
    if (journal == LIMIT_RESTORER_JOURNAL)
        return fcntl(journal, F_SETFD, 0);
    return dup2(journal, LIMIT_RESTORER_JOURNAL) < 0 ? -errno : 0;
}

/* Reads its journal, as the next start of a guard would. journal: the lock on it goes over to the keeper; -1: it takes
 * that itself. */
static void be_keeper(const struct limit_overrides *l, const char *name, int input, int journal)
{
    char program[] = "salvage", command[] = "guard-keep", text[] = "text", json[] = "json", locked[] = "locked",
         left[] = "left";
    char *args[] = {program,
                    command,
                    (char *)l->folder,
                    (char *)name,
                    l->policy.log == LOG_JSON ? json : text,
                    journal < 0 ? left : locked,
                    NULL};

    sigprocmask(SIG_SETMASK, &(sigset_t){0}, NULL);
    if (dup2(input, STDIN_FILENO) >= 0 && (journal < 0 || hand_over(journal) == 0))
        execv("/proc/self/exe", args);
    _exit(127);
}

/* With a journal until it is told; else it puts back at once. */
static int start_keeper(const struct limit_overrides *l, struct limit_override_keeper *k, int journal)
{
    CLEANUP_FD int null = -1;
    int ends[2] = {-1, -1}, r = 0;

    if (journal >= 0 ? pipe2(ends, O_CLOEXEC) < 0 : (null = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0)
        return -errno;
    if ((k->pid = fork()) == 0)
        be_keeper(l, k->name, journal >= 0 ? ends[0] : null, journal);
    if (k->pid < 0) {
        r = -errno;
        k->pid = 0;
        mem_close_ptr(&ends[1]);
        ends[1] = -1;
    }
    mem_close_ptr(&ends[0]);
    k->input = ends[1];
    return r;
}

static struct limit_override_keeper *free_keeper(struct limit_overrides *l)
{
    for (size_t i = 0; i < LIMIT_OVERRIDE_KEEPERS_MAX; i++)
        if (l->keeper[i].pid == 0)
            return &l->keeper[i];
    return NULL;
}

static void end(struct limit_override_keeper *k)
{
    mem_close_ptr(&k->input);
    k->input = -1;
}

void limit_overrides_end(struct limit_overrides *l, uint64_t keeper)
{
    for (size_t i = 0; keeper > 0 && i < LIMIT_OVERRIDE_KEEPERS_MAX; i++)
        if (l->keeper[i].number == keeper)
            end(&l->keeper[i]);
}

bool limit_overrides_reap(struct limit_overrides *l, pid_t child, int status)
{
    for (size_t i = 0; i < LIMIT_OVERRIDE_KEEPERS_MAX; i++) {
        struct limit_override_keeper *k = &l->keeper[i];

        if (k->pid != child)
            continue;
        end(k);
        k->pid = 0;
        if ((!WIFEXITED(status) || WEXITSTATUS(status) != 0) && k->tries++ < TRIES_MAX)
            start_keeper(l, k, -1);
        return true;
    }
    return false;
}

static void wait_for_keepers(struct limit_overrides *l)
{
    uint64_t until = clock_mono_ms() + WAIT_MS;
    bool left = true;
    int status;

    while (left && clock_mono_ms() < until) {
        left = false;
        for (size_t i = 0; i < LIMIT_OVERRIDE_KEEPERS_MAX; i++) {
            pid_t pid = l->keeper[i].pid;

            if (pid && waitpid(pid, &status, WNOHANG) == pid)
                limit_overrides_reap(l, pid, status);
            left |= l->keeper[i].pid != 0;
        }
        if (left)
            clock_sleep_ms(WAIT_STEP_MS);
    }
}

void limit_overrides_done(struct limit_overrides *l)
{
    for (size_t i = 0; i < LIMIT_OVERRIDE_KEEPERS_MAX; i++)
        end(&l->keeper[i]);
    wait_for_keepers(l);
    mem_close_ptr(&l->dir);
    l->dir = -1;
}

/* --- lending --------------------------------------------------------------------------------------------------------
 */

/* The first that fails ends it; what is done by then goes back. */
static int change_all(const struct limit_override *plan)
{
    for (unsigned i = 0; i < plan->count; i++) {
        const struct limit_override_setting *s = &plan->setting[i];
        CLEANUP_FD int folder = setting_open(s);
        int r = folder < 0 ? folder : setting_write(folder, s->file, s->after);

        if (r < 0)
            return r;
    }
    return 0;
}

/* Where the deadline was over before the change was made, the keeper found nothing to put back. */
static void end_late_hold(const struct limit_override *made)
{
    if (made->hold_until_ms == 0 || clock_mono_ms() < made->hold_until_ms)
        return;
    for (unsigned i = 0; i < made->count; i++) {
        const struct limit_override_setting *s = &made->setting[i];
        CLEANUP_FD int folder = s->hold ? setting_open(s) : -1;

        if (folder >= 0)
            setting_write(folder, s->file, s->before);
    }
}

static int begin(struct limit_overrides *l, struct limit_override_outcome *o)
{
    CLEANUP(buf_done) struct buf text = {0};
    CLEANUP_FD int journal = -1;
    struct limit_override_keeper *k = free_keeper(l);
    int r;

    if (!k)
        return -EAGAIN;
    *k =
        (struct limit_override_keeper){.number = ++l->last, .input = -1, .given = o->given, .count = o->override.count};
    limit_restorer_new_name(k->name);
    for (unsigned i = 0; i < k->count; i++)
        k->key[i] = (struct limit_override_key){o->override.setting[i].device, o->override.setting[i].inode,
                                                o->override.setting[i].file};
    if ((r = bootid_read(o->override.boot)) < 0 || (r = limit_override_encode(&o->override, &text)) < 0 ||
        (r = journal = file_replace_locked(l->dir, k->name, text.data, text.size, 0600)) < 0)
        return r;
    if ((r = start_keeper(l, k, journal)) < 0) {
        unlinkat(l->dir, k->name, 0);
        return r;
    }
    if ((r = change_all(&o->override)) < 0)
        end(k);
    else
        o->keeper = k->number;
    end_late_hold(&o->override);
    return r;
}

void limit_overrides_begin(struct limit_overrides *l, struct memcg *m, const char *target, uint64_t now_ms,
                           struct limit_override_outcome *ret)
{
    struct memcg_sample s;
    int r = memcg_sample(m, now_ms, &s);

    *ret = (struct limit_override_outcome){.limit = UINT64_MAX};
    if (r == 0) {
        ret->limit = s.limit;
        ret->used = s.used;
    }
    if (r < 0 || (!l->policy.lend && !l->policy.hold_ms))
        return;
    text_printable(target, ret->override.target, sizeof(ret->override.target));
    if (l->policy.lend)
        plan_lend(l, m, ret);
    if (l->policy.hold_ms)
        plan_hold(l, m, &s, now_ms, ret);
    if (ret->override.count == 0 || (r = begin(l, ret)) == 0)
        return;
    ret->override.count = 0;
    ret->override.hold_until_ms = 0;
    ret->given = 0;
    if (l->policy.lend)
        err_set(&ret->lend, r, "%s", why_not(r));
    if (l->policy.hold_ms)
        err_set(&ret->hold, r, "%s", why_not(r));
}

/* --- what was left behind -------------------------------------------------------------------------------------------
 */

static void recover(struct limit_overrides *l)
{
    CLEANUP_DIR DIR *dir = file_opendir(l->dir, ".");

    for (struct dirent *d; dir && (d = readdir(dir));) {
        struct limit_override_keeper *k = limit_restorer_is_name(d->d_name) ? free_keeper(l) : NULL;

        if (!k)
            continue;
        *k = (struct limit_override_keeper){.input = -1};
        snprintf(k->name, sizeof(k->name), "%.39s", d->d_name);
        start_keeper(l, k, -1);
    }
    wait_for_keepers(l);
}

/* A stranger's journals would lead our writes. */
static int check_folder(int dir)
{
    struct stat st;

    if (fstat(dir, &st) < 0)
        return -errno;
    return (st.st_uid == geteuid() || st.st_uid == 0) && !(st.st_mode & (S_IWGRP | S_IWOTH)) ? 0 : -EPERM;
}

int limit_overrides_init(struct limit_overrides *ret, const struct limit_override_policy *policy, struct err *e)
{
    const char *state = policy->state ? policy->state : LIMIT_OVERRIDE_STATE_DEFAULT;
    bool needed = policy->lend || policy->hold_ms;
    int r = 0, size;

    *ret = (struct limit_overrides){.policy = *policy, .dir = -1};
    for (size_t i = 0; i < LIMIT_OVERRIDE_KEEPERS_MAX; i++)
        ret->keeper[i].input = -1;
    size = snprintf(ret->folder, sizeof(ret->folder), "%s/loans", state);
    if (size >= (int)sizeof(ret->folder))
        r = -ENAMETOOLONG;
    else if (needed)
        r = file_mkdirs(AT_FDCWD, ret->folder, 0700);
    if (r == 0 && (ret->dir = open(ret->folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
        r = -errno;
    if (r == 0 && (r = check_folder(ret->dir)) < 0) {
        close(ret->dir);
        ret->dir = -1;
    }
    if (r < 0 && needed)
        return err_set(e, -FAULT_STATE, "%s: %s: what is changed is written down there first: give another --state",
                       ret->folder, r == -EPERM ? "others could write to it" : strerror(-r));
    if (r == 0)
        recover(ret);
    return 0;
}

/* --- the case's piece -----------------------------------------------------------------------------------------------
 */

static json_t *settings(const struct limit_override *l, bool hold)
{
    json_t *array = json_array();

    for (unsigned i = 0; array && i < l->count; i++) {
        const struct limit_override_setting *s = &l->setting[i];

        if (s->hold == hold)
            json_array_append_new(array,
                                  json_pack("{s:o, s:s, s:s, s:s}", "cgroup", jsonout_text(s->cgroup, TEXT_MAX), "file",
                                            limit_override_file_name(s->file), "before", s->before, "after", s->after));
    }
    return array;
}

static json_t *why(const struct err *e)
{
    return e->msg[0] ? jsonout_text(e->msg, TEXT_MAX) : json_null();
}

static json_t *bytes(uint64_t n)
{
    return n > INT64_MAX ? json_null() : json_integer((json_int_t)n);
}

char *limit_override_describe(const struct limit_overrides *l, const struct limit_override_outcome *o,
                              const char *target, pid_t pid, const char *because)
{
    const struct limit_override_policy *p = &l->policy;
    char time[CLOCK_TEXT_MAX];
    json_auto_t *root =
        json_pack("{s:s, s:s, s:o, s:o, s:i, s:o, s:o}", "schema", "salvage.guard-case/1", "time",
                  clock_format(clock_wall_ns(), time), "why", jsonout_text(because, TEXT_MAX), "target",
                  jsonout_text(target, TEXT_MAX), "pid", (int)pid, "limit", bytes(o->limit), "used", bytes(o->used));

    if (!root)
        return NULL;
    json_object_set_new(root, "lent",
                        !p->lend ? json_null()
                                 : json_pack("{s:o, s:o, s:o, s:o}", "asked", bytes(p->lend), "bytes", bytes(o->given),
                                             "settings", settings(&o->override, false), "error", why(&o->lend)));
    json_object_set_new(root, "hold",
                        !p->hold_ms ? json_null()
                                    : json_pack("{s:o, s:o, s:o}", "deadline_ms", bytes(p->hold_ms), "settings",
                                                settings(&o->override, true), "error", why(&o->hold)));
    return json_dumps(root, JSON_COMPACT);
}
