/* SPDX-License-Identifier: Apache-2.0
 *
 * The order is: plan, journal, restorer, change. If the guard is killed at any point, the journal has all that was
 * changed; a setting that was not changed yet still has its old value, and is left alone.
 */
#include "guard/limit_override.h"

#include <assert.h>
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
#include "guard/limit_plan.h"
#include "guard/limit_restorer.h"
#include "linux/bootid.h"

enum {
    TRIES_MAX = 3,
    WAIT_MS = 2000, /* for restorers, at the start and at the end of a guard */
    WAIT_STEP_MS = 2
};

/* --- restorers ------------------------------------------------------------------------------------------------------
 */

static int hand_over(int journal)
{
    if (journal == LIMIT_RESTORER_JOURNAL)
        return fcntl(journal, F_SETFD, 0);
    return dup2(journal, LIMIT_RESTORER_JOURNAL) < 0 ? -errno : 0;
}

/* The restorer reads the journal, as after a restart of the guard. journal: its locked descriptor, which the
 * restorer inherits; -1: the restorer locks it. */
static void become_restorer(const struct limit_overrides *l, const char *name, int input, int journal)
{
    struct limit_restorer_request request = {
        .folder = l->folder, .name = name, .json_log = l->policy.log == LOG_JSON, .has_journal = journal >= 0};
    char *argv[LIMIT_RESTORER_ARGS + 1];

    limit_restorer_encode(&request, argv);
    sigprocmask(SIG_SETMASK, &(sigset_t){0}, NULL);
    if (dup2(input, STDIN_FILENO) >= 0 && (journal < 0 || hand_over(journal) == 0))
        execv("/proc/self/exe", argv);
    _exit(127);
}

/* With a journal the restorer waits until its input ends; else it restores at once. */
static int start_restorer(const struct limit_overrides *l, struct limit_override_restorer *k, int journal)
{
    CLEANUP_FD int null = -1;
    int ends[2] = {-1, -1}, r = 0;

    if (journal >= 0 ? pipe2(ends, O_CLOEXEC) < 0 : (null = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0)
        return -errno;
    if ((k->pid = l->fork ? l->fork() : fork()) == 0)
        become_restorer(l, k->name, journal >= 0 ? ends[0] : null, journal);
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

static struct limit_override_restorer *free_restorer(struct limit_overrides *l)
{
    for (size_t i = 0; i < LIMIT_OVERRIDE_RESTORERS_MAX; i++)
        if (l->restorer[i].pid == 0)
            return &l->restorer[i];
    return NULL;
}

static void end(struct limit_override_restorer *k)
{
    mem_close_ptr(&k->input);
    k->input = -1;
}

void limit_overrides_end(struct limit_overrides *l, uint64_t restorer)
{
    for (size_t i = 0; restorer > 0 && i < LIMIT_OVERRIDE_RESTORERS_MAX; i++)
        if (l->restorer[i].number == restorer)
            end(&l->restorer[i]);
}

bool limit_overrides_reap(struct limit_overrides *l, pid_t child, int status)
{
    for (size_t i = 0; i < LIMIT_OVERRIDE_RESTORERS_MAX; i++) {
        struct limit_override_restorer *k = &l->restorer[i];

        if (k->pid != child)
            continue;
        end(k);
        k->pid = 0;
        if ((!WIFEXITED(status) || WEXITSTATUS(status) != 0) && k->tries++ < TRIES_MAX)
            start_restorer(l, k, -1);
        return true;
    }
    return false;
}

static void wait_for_restorers(struct limit_overrides *l)
{
    uint64_t until = clock_mono_ms() + WAIT_MS;
    bool left = true;
    int status;

    while (left && clock_mono_ms() < until) {
        left = false;
        for (size_t i = 0; i < LIMIT_OVERRIDE_RESTORERS_MAX; i++) {
            pid_t pid = l->restorer[i].pid;

            if (pid && waitpid(pid, &status, WNOHANG) == pid)
                limit_overrides_reap(l, pid, status);
            left |= l->restorer[i].pid != 0;
        }
        if (left)
            clock_sleep_ms(WAIT_STEP_MS);
    }
}

void limit_overrides_done(struct limit_overrides *l)
{
    for (size_t i = 0; i < LIMIT_OVERRIDE_RESTORERS_MAX; i++)
        end(&l->restorer[i]);
    wait_for_restorers(l);
    mem_close_ptr(&l->dir);
    l->dir = -1;
}

/* --- changing settings ----------------------------------------------------------------------------------------------
 */

/* Stops at the first failure; earlier changes are restored then. */
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

/* If the deadline passed before the change was made, the restorer found nothing to restore. */
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
    struct limit_override_restorer *k = free_restorer(l);
    int r;

    if (!k)
        return -EAGAIN;
    *k = (struct limit_override_restorer){
        .number = ++l->last, .input = -1, .raised = o->raised, .count = o->override.count};
    limit_restorer_new_name(k->name);
    for (unsigned i = 0; i < k->count; i++)
        k->key[i] = (struct limit_override_key){o->override.setting[i].device, o->override.setting[i].inode,
                                                o->override.setting[i].file};
    if ((r = bootid_read(o->override.boot)) < 0 || (r = limit_override_encode(&o->override, &text)) < 0 ||
        (r = journal = file_replace_locked(l->dir, k->name, text.data, text.size, 0600)) < 0)
        return r;
    if ((r = start_restorer(l, k, journal)) < 0) {
        unlinkat(l->dir, k->name, 0);
        return r;
    }
    if ((r = change_all(&o->override)) < 0)
        end(k);
    else
        o->restorer = k->number;
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
    assert(l->dir >= 0);
    text_printable(target, ret->override.target, sizeof(ret->override.target));
    if (l->policy.lend)
        limit_plan_lend(l, m, ret);
    if (l->policy.hold_ms)
        limit_plan_hold(l, m, &s, now_ms, ret);
    if (ret->override.count == 0 || (r = begin(l, ret)) == 0)
        return;
    ret->override.count = 0;
    ret->override.hold_until_ms = 0;
    ret->raised = 0;
    if (l->policy.lend)
        err_set(&ret->lend, r, "%s", limit_plan_error(r));
    if (l->policy.hold_ms)
        err_set(&ret->hold, r, "%s", limit_plan_error(r));
}

/* --- journals of an earlier guard -----------------------------------------------------------------------------------
 */

static void recover(struct limit_overrides *l)
{
    CLEANUP_DIR DIR *dir = file_opendir(l->dir, ".");

    for (struct dirent *d; dir && (d = readdir(dir));) {
        struct limit_override_restorer *k = limit_restorer_is_name(d->d_name) ? free_restorer(l) : NULL;

        if (!k)
            continue;
        *k = (struct limit_override_restorer){.input = -1};
        snprintf(k->name, sizeof(k->name), "%.39s", d->d_name);
        start_restorer(l, k, -1);
    }
    wait_for_restorers(l);
}

/* Journals that others could write would direct our writes. */
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
    for (size_t i = 0; i < LIMIT_OVERRIDE_RESTORERS_MAX; i++)
        ret->restorer[i].input = -1;
    size = snprintf(ret->folder, sizeof(ret->folder), "%s/overrides", state);
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
        return err_set(e, -FAULT_STATE,
                       "%s: %s: the journal of changed limits has to be written there: give another --state",
                       ret->folder, r == -EPERM ? "others could write to it" : strerror(-r));
    if (r == 0)
        recover(ret);
    return 0;
}
