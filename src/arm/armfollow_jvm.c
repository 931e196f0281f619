/* SPDX-License-Identifier: Apache-2.0
 *
 * One process: whether it is a JVM, attaching to it, arming it, and when to try again.
 */
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arm/armfollow_internal.h"
#include "arm/jvmends.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/wait.h"
#include "hotspot/attach_early.h"
#include "linux/become.h"
#include "linux/capability.h"
#include "ship/crashlog.h"

enum { SOON_DIVISOR = 8, ANCESTORS_MAX = 64, AGAIN_MOST_MS = 10 * 60 * 1000 };

static void examine_later(const struct follower *f, struct followed *s)
{
    uint64_t now = clock_mono_ms(), wait = now - s->first_ms;

    if (wait < f->config->every_ms)
        wait = f->config->every_ms;
    if (wait > AGAIN_MOST_MS)
        wait = AGAIN_MOST_MS;
    s->next_ms = now + wait;
}

/* A JVM is starting up, or is starting threads: the longer that takes, the longer the wait. */
static void examine_soon(const struct follower *f, struct followed *s)
{
    uint64_t now = clock_mono_ms(), wait = ARMFOLLOW_SOON_MS + (now - s->first_ms) / SOON_DIVISOR;

    s->next_ms = now + (wait < f->config->every_ms ? wait : f->config->every_ms);
    s->soon = true;
}

/* A launcher maps libjvm.so some milliseconds after its start. */
static void wait_for_library(const struct follower *f, struct followed *s)
{
    uint64_t now = clock_mono_ms();

    if (f->config->quick && now - s->first_ms < ARMFOLLOW_STARTUP_MS && now + ARMFOLLOW_QUICK_MS < s->next_ms)
        s->next_ms = now + ARMFOLLOW_QUICK_MS;
}

static void report_armed(const struct jvm *j, const struct arm_result *r)
{
    if (r->outcome != ARM_ARMED)
        return;
    log_event(EVENT_ARMED, LOG_UINT("pid", (uint64_t)j->proc.pid), LOG_STR("path", r->now.path),
              LOG_STR("was", r->before.path), LOG_STR("command", j->command));
    if (r->too_late)
        log_event(EVENT_NOT_ARMED, LOG_UINT("pid", (uint64_t)j->proc.pid), LOG_STR("fault", "too-late"),
                  LOG_STR("error", "it has run out of memory before: a JVM dumps the first time only"));
}

/* Logs each reason once, and nothing while a JVM is starting up. */
static void report_not_armed(const struct follower *f, struct followed *s, const struct jvm *j, int r,
                             const struct err *e)
{
    const struct fault_info *fault = fault_find(r);
    bool young = clock_mono_ms() - s->first_ms < ARMFOLLOW_STARTUP_MS && r == -ETIMEDOUT;

    if (s->reported == r || r == -ECANCELED || r == -ESRCH || r == -EAGAIN ||
        (young && j->options.attach_disabled != 1))
        return;
    s->reported = r;
    log_event(f->config->attach_only ? EVENT_NOT_ATTACHED : EVENT_NOT_ARMED, LOG_UINT("pid", (uint64_t)s->program.pid),
              LOG_STR("fault", fault->name), LOG_STR("error", e->msg), LOG_STR("command", j->command));
}

/* A stopped JVM would get our SIGQUIT when it continues, long after we gave up, and print its threads. */
static int arm(const struct follower *f, const struct jvm *j, struct arm_result *ret, struct err *e)
{
    int r;

    if (f->config->ask_nothing) {
        ret->outcome = ARM_ALREADY;
        return 0;
    }
    if (j->status.state == 'T' || j->status.state == 't')
        return err_set(e, -ETIMEDOUT, "JVM %d is stopped", (int)j->proc.pid);
    if ((r = attach_early(j, &f->request.wait, e)) < 0)
        return r;
    if (f->config->attach_only || (f->config->obey && j->options.heap_dump == 0)) {
        ret->outcome = ARM_ALREADY;
        return 0;
    }
    return arm_jvm(j, &f->request, ret, e);
}

/* A process that we may not trace is known by its name alone. */
static bool may_be_jvm(pid_t pid)
{
    CLEANUP(proc_done) struct proc proc = PROC_NONE;
    CLEANUP(buf_done) struct buf name = {0};
    CLEANUP_FREE char *libjvm = NULL;
    int r = proc_open("/proc", pid, &proc);

    if (r == 0)
        r = proc_mapped(&proc, "libjvm.so", &libjvm);
    if (r == -EACCES || r == -EPERM)
        r = file_load(proc.fd, "comm", &name) == 0 && text_eq(buf_text(&name), "java\n") ? 0 : r;
    return r == 0;
}

/* A process whose parent has ended is found by its process group, which shell scripts don't change. */
static bool is_ours(const struct follower *f, struct followed *s)
{
    const struct armfollow_config *c = f->config;
    const struct followed *at = s;

    if (!c->below || s->program.group == c->group)
        s->ours = true;
    for (int i = 0; at && i < ANCESTORS_MAX && !s->ours; i++, at = armfollow_find(&f->known, at->program.parent))
        s->ours = at->program.parent == c->below;
    return s->ours;
}

/* What an examination has found; in memory that is shared with the child of examine_as_user. */
struct found {
    struct followed process;
    struct jvmtrace trace;
    const char *root; /* of the folder for evidence; NULL: there is none */
    char below[ARMPLACE_BELOW_MAX];
};

/* Passes it on to the followers of ends. False: the JVM's counters are not there yet: note it again. */
static bool note(const struct follower *f, const struct found *found)
{
    if (found->trace.pid && f->config->crashlogs)
        crashlogs_note(f->config->crashlogs, &found->trace);
    return !found->trace.pid || !f->config->ends || !found->root ||
           jvmends_note(f->config->ends, &found->trace, found->root, found->below);
}

/* With ours, this process notes what is found; else its parent does. */
static void examine_inside(struct follower *f, struct found *found, bool ours)
{
    CLEANUP(jvm_done) struct jvm j = JVM_NONE;
    CLEANUP(arm_result_done) struct arm_result result = {0};
    struct followed *s = &found->process;
    struct err e = {0};
    int r = jvm_open("/proc", s->program.pid, &j, &e);

    if (r == 0 && f->config->wanted && !f->config->wanted(f->config->ctx, &j))
        return;
    if (r == 0 && f->config->place) {
        const struct armplace *place = f->config->place(f->config->ctx, &j);

        if (!place)
            return;
        f->request.place = *place;
    }
    if (r == 0) {
        jvmtrace_fill(&j, &found->trace);
        found->root = armplace_watched_folder(&f->request.place, &j, found->below);
        if (ours)
            note(f, found); /* before attaching: the JVM may end meanwhile */
    }
    if (r == 0 && (r = arm(f, &j, &result, &e)) == 0) {
        s->next_ms = UINT64_MAX;
        if (result.now.path)
            snprintf(found->trace.dump, sizeof(found->trace.dump), "%s", result.now.path);
        report_armed(&j, &result);
        return;
    }
    if (r == -EAGAIN)
        examine_soon(f, s);
    report_not_armed(f, s, &j, r, &e);
    /* A JVM that did not answer prints its threads at each further signal: where only the socket is wanted, which may
     * never be needed, one attempt is enough. */
    if (j.options.attach_disabled == 1 || r == -FAULT_FORMAT ||
        (f->config->attach_only && r != -EAGAIN && r != -FAULT_REFUSED))
        s->next_ms = UINT64_MAX;
}

/* Root without CAP_SYS_PTRACE, as in containers, may not trace a process that started as root and became another user.
 * A process of that user may. */
static bool is_of_another_user(pid_t pid, struct stat *ret)
{
    char path[32];

    snprintf(path, sizeof(path), "/proc/%d", (int)pid);
    return geteuid() == 0 && !capability_has(CAP_SYS_PTRACE) && stat(path, ret) == 0 && ret->st_uid != 0;
}

/* In a child that becomes that user. False: no child can be made. */
static bool examine_as_user(struct follower *f, struct found *shared, const struct stat *user)
{
    pid_t child = fork();

    if (child == 0) {
        if (become_user(user->st_uid, user->st_gid) == 0)
            examine_inside(f, shared, false);
        _exit(0);
    }
    if (child > 0)
        wait_child(child);
    return child > 0;
}

void armfollow_examine(struct follower *f, struct followed *s)
{
    struct found *found;
    struct stat user;
    bool complete;

    examine_later(f, s);
    s->soon = false;
    if (!is_ours(f, s))
        return;
    if (!may_be_jvm(s->program.pid)) {
        wait_for_library(f, s);
        return;
    }
    found = mmap(NULL, sizeof(*found), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (found == MAP_FAILED)
        return;
    found->process = *s;
    if (!is_of_another_user(s->program.pid, &user) || !examine_as_user(f, found, &user))
        examine_inside(f, found, true);
    complete = note(f, found);
    *s = found->process;
    if (!complete && f->config->ask_nothing)
        examine_soon(f, s);
    munmap(found, sizeof(*found));
}
