/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of programs, and when to look at each again.
 */
#include "agent/armfollow.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "os/program.h"

enum {
    PATIENCE_MS = 2000, /* for one JVM, while others wait; it is tried again */
    STARTUP_MS = 15 * 1000,
    AGAIN_MOST_MS = 10 * 60 * 1000
};

struct seen {
    struct program program;
    uint64_t first_ms, next_ms; /* monotonic; next UINT64_MAX: not again */
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

/* Each reason once; nothing of a JVM that is about to be ready. */
static void say_not_armed(struct seen *s, const struct jvm *j, int r, const struct err *e)
{
    const struct fault_info *fault = fault_find(r);
    bool young = clock_mono_ms() - s->first_ms < STARTUP_MS && (r == -ETIMEDOUT || r == -FAULT_REFUSED);

    if (s->said == r || r == -ECANCELED || r == -ESRCH || (young && j->options.attach_disabled != 1))
        return;
    s->said = r;
    log_event(EVENT_NOT_ARMED, LOG_UINT("pid", (uint64_t)s->program.pid), LOG_STR("fault", fault->name),
              LOG_STR("error", e->msg), LOG_STR("command", j->command));
}

/* A signal to one that is stopped would wait there for its time, and then have it print its threads. */
static int arm(const struct follower *f, const struct jvm *j, struct arm_result *ret, struct err *e)
{
    if (j->status.state == 'T' || j->status.state == 't')
        return err_set(e, -ETIMEDOUT, "JVM %d is stopped", (int)j->proc.pid);
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

static void look_at(struct follower *f, struct seen *s)
{
    CLEANUP(jvm_done) struct jvm j = JVM_NONE;
    CLEANUP(arm_result_done) struct arm_result result = {0};
    struct err e = {0};
    int r;

    look_later(f, s);
    if (!may_be_jvm(s->program.pid) || (r = jvm_open("/proc", s->program.pid, &j, &e)) == -FAULT_FORMAT)
        return; /* not worth a word */
    if (r == 0 && (r = arm(f, &j, &result, &e)) == 0) {
        s->next_ms = UINT64_MAX;
        say_armed(&j, &result);
        return;
    }
    say_not_armed(s, &j, r, &e);
    if (j.options.attach_disabled == 1)
        s->next_ms = UINT64_MAX;
}

/* All processes */

static int see(struct follower *f, struct table *now, int procfd, pid_t pid, uint64_t now_ms)
{
    struct seen s = {.first_ms = now_ms}, *old, *kept;

    if (program_read(procfd, pid, &s.program) < 0)
        return 0;
    old = f->known.count ? bsearch(&s, f->known.item, f->known.count, sizeof(s), by_pid) : NULL;
    kept = table_add(now, old && program_same(&old->program, &s.program) ? old : &s);
    return kept ? 0 : -ENOMEM;
}

static int look_around(struct follower *f, DIR *proc, struct err *e)
{
    CLEANUP(table_done) struct table now = {0};
    uint64_t pid, now_ms = clock_mono_ms();

    rewinddir(proc);
    for (struct dirent *d; (d = readdir(proc));)
        if (text_parse_uint(d->d_name, INT_MAX, &pid) == 0 && see(f, &now, dirfd(proc), (pid_t)pid, now_ms) < 0)
            return err_set(e, -ENOMEM, "out of memory");
    if (now.count > 0)
        qsort(now.item, now.count, sizeof(*now.item), by_pid);
    table_done(&f->known);
    f->known = now;
    now = (struct table){0};
    for (size_t i = 0; i < f->known.count; i++)
        if (f->known.item[i].next_ms <= now_ms && !is_stopped(f))
            look_at(f, &f->known.item[i]);
    return 0;
}

int armfollow_run(const struct armfollow_config *c, struct err *e)
{
    struct follower f = {.config = c, .request = c->request};
    CLEANUP_DIR DIR *proc = file_opendir(AT_FDCWD, "/proc");
    struct pollfd stop = {.fd = c->stop_fd, .events = POLLIN};
    int r = 0, n = 0;

    if (!proc)
        return err_set(e, -ENOSYS, "there is no /proc here: no JVM can be found");
    f.request.wait = (struct attach_wait){
        .timeout_ms = c->timeout_ms < PATIENCE_MS ? c->timeout_ms : PATIENCE_MS, .stop = is_stopped, .ctx = &f};
    f.request.history = true;
    while (r == 0 && n <= 0) {
        r = look_around(&f, proc, e);
        f.request.history = false; /* those that start from now on have none */
        do
            n = poll(&stop, 1, (int)(c->every_ms < INT_MAX ? c->every_ms : INT_MAX));
        while (n < 0 && errno == EINTR);
        if (n < 0)
            r = err_set(e, -errno, "poll: %s", strerror(errno));
    }
    table_done(&f.known);
    return r;
}
