/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of programs, and when to look at each again.
 */
#include "arm/armfollow.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arm/jvmends.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/wait.h"
#include "hotspot/attach_early.h"
#include "hotspot/jvmstart.h"
#include "linux/become.h"
#include "linux/capability.h"
#include "ship/attach_supervisor.h"
#include "ship/crashlog.h"

enum {
    PATIENCE_MS = 2000, /* for one JVM, while others wait; it is tried again */
    STARTUP_MS = 15 * 1000,
    QUICK_MS = 200, /* between looks, in the first STARTUP_MS of a quick one */
    SOON_MS = 10,
    SOON_DIVISOR = 8,
    ANCESTORS_MAX = 64,
    AGAIN_MOST_MS = 10 * 60 * 1000
};

struct seen {
    struct program program;
    uint64_t first_ms, next_ms; /* monotonic; next UINT64_MAX: not again */
    bool ours;                  /* as config->below has it; stays */
    bool soon;                  /* it is a JVM that is nearly ready: next_ms is not to be missed */
    int said;                   /* what was logged last of its trouble */
};

struct table {
    struct seen *item; /* owned; ascending by pid */
    size_t count, room;
};

struct follower {
    const struct armfollow_config *config;
    struct arm_request request;
    struct table known;
    struct jvmstart starts;
    uint64_t began_ms;
};

static void table_done(struct table *t)
{
    free(t->item);
    *t = (struct table){0};
}

static struct seen *table_add(struct table *t, const struct seen *s)
{
    if (t->count == t->room) {
        size_t room = t->room ? t->room * 2 : 64;
        struct seen *grown = reallocarray(t->item, room, sizeof(*grown));

        if (!grown)
            return NULL;
        t->item = grown;
        t->room = room;
    }
    t->item[t->count] = *s;
    return &t->item[t->count++];
}

static int by_pid(const void *a, const void *b)
{
    const struct seen *x = a, *y = b;

    return (x->program.pid > y->program.pid) - (x->program.pid < y->program.pid);
}

static bool is_stopped(void *ctx)
{
    const struct follower *f = ctx;
    struct pollfd p = {.fd = f->config->stop_fd, .events = POLLIN};

    return poll(&p, 1, 0) > 0;
}

/* One JVM */

static void look_later(const struct follower *f, struct seen *s)
{
    uint64_t now = clock_mono_ms(), wait = now - s->first_ms;

    if (wait < f->config->every_ms)
        wait = f->config->every_ms;
    if (wait > AGAIN_MOST_MS)
        wait = AGAIN_MOST_MS;
    s->next_ms = now + wait;
}

/* At one that starts up, or starts threads: the longer it takes, the rarer. */
static void look_soon(const struct follower *f, struct seen *s)
{
    uint64_t now = clock_mono_ms(), wait = SOON_MS + (now - s->first_ms) / SOON_DIVISOR;

    s->next_ms = now + (wait < f->config->every_ms ? wait : f->config->every_ms);
    s->soon = true;
}

/* A launcher maps libjvm.so some milliseconds after its start. */
static void wait_for_library(const struct follower *f, struct seen *s)
{
    uint64_t now = clock_mono_ms();

    if (f->config->quick && now - s->first_ms < STARTUP_MS && now + QUICK_MS < s->next_ms)
        s->next_ms = now + QUICK_MS;
}

static void say_armed(const struct jvm *j, const struct arm_result *r)
{
    if (r->outcome != ARM_ARMED)
        return;
    log_event(EVENT_ARMED, LOG_UINT("pid", (uint64_t)j->proc.pid), LOG_STR("path", r->now.path),
              LOG_STR("was", r->before.path), LOG_STR("command", j->command));
    if (r->too_late)
        log_event(EVENT_NOT_ARMED, LOG_UINT("pid", (uint64_t)j->proc.pid), LOG_STR("fault", "too-late"),
                  LOG_STR("error", "it has run out of memory before: a JVM dumps the first time only"));
}

/* Each reason once, but that it starts threads; nothing of a JVM that is about to be ready. */
static void say_not_armed(const struct follower *f, struct seen *s, const struct jvm *j, int r, const struct err *e)
{
    const struct fault_info *fault = fault_find(r);
    bool young = clock_mono_ms() - s->first_ms < STARTUP_MS && r == -ETIMEDOUT;

    if (s->said == r || r == -ECANCELED || r == -ESRCH || r == -EAGAIN || (young && j->options.attach_disabled != 1))
        return;
    s->said = r;
    log_event(f->config->attach_only ? EVENT_NOT_ATTACHED : EVENT_NOT_ARMED, LOG_UINT("pid", (uint64_t)s->program.pid),
              LOG_STR("fault", fault->name), LOG_STR("error", e->msg), LOG_STR("command", j->command));
}

/* A signal to one that is stopped would wait there for its time, and then have it print its threads. */
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

/* Of a process that we may not look into, the name is all there is. */
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

static const struct seen *find(const struct table *t, pid_t pid)
{
    struct seen wanted = {.program.pid = pid};

    return t->count ? bsearch(&wanted, t->item, t->count, sizeof(wanted), by_pid) : NULL;
}

/* A process that lost its parents is known by its group, which scripts leave as it is. */
static bool is_ours(const struct follower *f, struct seen *s)
{
    const struct armfollow_config *c = f->config;
    const struct seen *at = s;

    if (!c->below || s->program.group == c->group)
        s->ours = true;
    for (int i = 0; at && i < ANCESTORS_MAX && !s->ours; i++, at = find(&f->known, at->program.parent))
        s->ours = at->program.parent == c->below;
    return s->ours;
}

/* What a look at a process has found: also in memory that is shared with a child. */
struct found {
    struct seen seen;
    struct jvmtrace trace;
    const char *root; /* of the folder for evidence; NULL without */
    char below[ARMPLACE_BELOW_MAX];
};

/* False: there will be more of it. */
static bool note(const struct follower *f, const struct found *found)
{
    if (found->trace.pid && f->config->crashlogs)
        crashlogs_note(f->config->crashlogs, &found->trace);
    return !found->trace.pid || !f->config->ends || !found->root ||
           jvmends_note(f->config->ends, &found->trace, found->root, found->below);
}

/* ours: this process keeps what is found; else its parent does. */
static void look_inside(struct follower *f, struct found *found, bool ours)
{
    CLEANUP(jvm_done) struct jvm j = JVM_NONE;
    CLEANUP(arm_result_done) struct arm_result result = {0};
    struct seen *s = &found->seen;
    struct err e = {0};
    int r = jvm_open("/proc", s->program.pid, &j, &e);

    if (r == 0 && f->config->wanted && !f->config->wanted(f->config->ctx, &j))
        return;
    if (r == 0) {
        jvmtrace_fill(&j, &found->trace);
        found->root = armplace_watched_folder(&f->request.place, &j, found->below);
        if (ours)
            note(f, found); /* before it is asked: it may end meanwhile */
    }
    if (r == 0 && (r = arm(f, &j, &result, &e)) == 0) {
        s->next_ms = UINT64_MAX;
        if (result.now.path)
            snprintf(found->trace.dump, sizeof(found->trace.dump), "%s", result.now.path);
        say_armed(&j, &result);
        return;
    }
    if (r == -EAGAIN)
        look_soon(f, s);
    say_not_armed(f, s, &j, r, &e);
    /* Each further signal would have it print its threads: one attempt is enough for what may never be needed. */
    if (j.options.attach_disabled == 1 || r == -FAULT_FORMAT ||
        (f->config->attach_only && r != -EAGAIN && r != -FAULT_REFUSED))
        s->next_ms = UINT64_MAX;
}

/* Root without CAP_SYS_PTRACE, as runtimes make it, may not look into a process of another user: who has started as
 * root and gave that up. That user may. */
static bool is_of_another_user(pid_t pid, struct stat *ret)
{
    char path[32];

    snprintf(path, sizeof(path), "/proc/%d", (int)pid);
    return geteuid() == 0 && !capability_has(CAP_SYS_PTRACE) && stat(path, ret) == 0 && ret->st_uid != 0;
}

/* By a child that has its identity. False: there can't be one. */
static bool look_as_its_user(struct follower *f, struct found *shared, const struct stat *user)
{
    pid_t child = fork();

    if (child == 0) {
        if (become_user(user->st_uid, user->st_gid) == 0)
            look_inside(f, shared, false);
        _exit(0);
    }
    if (child > 0)
        wait_child(child);
    return child > 0;
}

static void look_at(struct follower *f, struct seen *s)
{
    struct found *found;
    struct stat user;
    bool complete;

    look_later(f, s);
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
    found->seen = *s;
    if (!is_of_another_user(s->program.pid, &user) || !look_as_its_user(f, found, &user))
        look_inside(f, found, true);
    complete = note(f, found);
    *s = found->seen;
    if (!complete && f->config->ask_nothing)
        look_soon(f, s);
    munmap(found, sizeof(*found));
}

/* All processes */

static int see(struct follower *f, struct table *now, int procfd, pid_t pid, uint64_t now_ms)
{
    struct seen s = {.first_ms = now_ms}, *old, *kept;

    if (program_read(procfd, pid, &s.program) < 0)
        return 0;
    old = f->known.count ? bsearch(&s, f->known.item, f->known.count, sizeof(s), by_pid) : NULL;
    s.ours = old && old->program.started == s.program.started && old->ours;
    kept = table_add(now, old && program_same(&old->program, &s.program) ? old : &s);
    return kept ? 0 : -ENOMEM;
}

static int list_programs(struct follower *f, DIR *proc, uint64_t now_ms, struct err *e)
{
    CLEANUP(table_done) struct table now = {0};
    uint64_t pid;

    rewinddir(proc);
    for (struct dirent *d; (d = readdir(proc));)
        if (text_parse_uint(d->d_name, INT_MAX, &pid) == 0 && see(f, &now, dirfd(proc), (pid_t)pid, now_ms) < 0)
            return err_set(e, -ENOMEM, "out of memory");
    if (now.count > 0)
        qsort(now.item, now.count, sizeof(*now.item), by_pid);
    table_done(&f->known);
    f->known = now;
    now = (struct table){0};
    return 0;
}

/* Crash logs first: their JVMs have left something. */
static void collect(const struct follower *f, bool last)
{
    if (f->config->crashlogs)
        crashlogs_collect(f->config->crashlogs);
    if (f->config->ends)
        jvmends_collect(f->config->ends, last);
}

/* heard: a JVM has started, which may be any that began lately. */
static int look_around(struct follower *f, DIR *proc, bool heard, struct err *e)
{
    uint64_t now_ms = clock_mono_ms();
    int r = list_programs(f, proc, now_ms, e);

    for (size_t i = 0; i < f->known.count && r == 0; i++) {
        struct seen *s = &f->known.item[i];
        bool young = s->next_ms != UINT64_MAX && now_ms - s->first_ms < STARTUP_MS;

        if ((s->next_ms <= now_ms || (heard && young)) && !is_stopped(f))
            look_at(f, s);
    }
    if (f->config->ends)
        jvmends_sample(f->config->ends);
    collect(f, false);
    return r;
}

/* Until when there is nothing to look at, in ms for poll. */
static int next_look(const struct follower *f)
{
    uint64_t now = clock_mono_ms(), every = f->config->every_ms, due;

    if (f->config->quick && now - f->began_ms < STARTUP_MS && every > QUICK_MS)
        every = QUICK_MS;
    due = now + (every < INT_MAX ? every : INT_MAX);
    for (size_t i = 0; i < f->known.count; i++)
        if (f->known.item[i].soon && f->known.item[i].next_ms < due)
            due = f->known.item[i].next_ms;
    return due > now ? (int)(due - now) : 0;
}

/* False: stop. */
static bool await(struct follower *f, bool *ret_heard, struct err *e, int *ret)
{
    struct pollfd fds[] = {{.fd = f->config->stop_fd, .events = POLLIN},
                           {.fd = f->starts.fd, .events = POLLIN},
                           {.fd = f->config->ends ? jvmends_fd(f->config->ends) : -1, .events = POLLIN}};
    uint64_t until = clock_mono_ms() + (uint64_t)next_look(f);

    *ret_heard = false;
    for (uint64_t now; !*ret_heard && (now = clock_mono_ms()) <= until;) {
        int n = poll(fds, ARRAY_SIZE(fds), (int)(until - now));

        if (n < 0 && errno != EINTR)
            *ret = err_set(e, -errno, "poll: %s", strerror(errno));
        if (n > 0 && fds[2].revents)
            collect(f, false); /* at once: how it ended is known only until its parent has asked */
        if (*ret < 0 || (n > 0 && fds[0].revents))
            return false;
        if (n == 0)
            break;
        if (n > 0 && fds[1].revents && !(*ret_heard = jvmstart_read(&f->starts)))
            clock_sleep_ms(SOON_MS); /* others make files there, and many of them at once are one */
    }
    return true;
}

static void take_word(const struct follower *f)
{
    struct application_end word;

    if (f->config->ends && recv(f->config->stop_fd, &word, sizeof(word), MSG_DONTWAIT) == (ssize_t)sizeof(word))
        jvmends_status(f->config->ends, word.pid, word.status);
}

int armfollow_run(const struct armfollow_config *c, struct err *e)
{
    struct follower f = {.config = c, .request = c->request, .starts = JVMSTART_NONE, .began_ms = clock_mono_ms()};
    CLEANUP_DIR DIR *proc = file_opendir(AT_FDCWD, "/proc");
    bool heard = false;
    int r;

    if (!proc)
        return err_set(e, -ENOSYS, "there is no /proc here: no JVM can be found");
    f.request.wait = (struct attach_wait){
        .timeout_ms = c->timeout_ms < PATIENCE_MS ? c->timeout_ms : PATIENCE_MS, .stop = is_stopped, .ctx = &f};
    f.request.history = true;
    if (c->quick)
        jvmstart_open(&f.starts, "/tmp");
    do {
        r = look_around(&f, proc, heard, e);
        f.request.history = false; /* those that start from now on have none */
    } while (r == 0 && await(&f, &heard, e, &r));
    take_word(&f);
    collect(&f, true);
    jvmstart_done(&f.starts);
    table_done(&f.known);
    return r;
}
