/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of processes, and the loop: when /proc is read, and which of them are examined.
 */
#include "arm/armfollow_internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "arm/jvmends.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/wait.h"
#include "ship/attach_supervisor.h"
#include "ship/crashlog.h"

enum {
    PATIENCE_MS = 2000,             /* for one JVM, while others wait; it is tried again */
    PROCESSES_MAX = 4 * 1024 * 1024 /* the kernel's: PID_MAX_LIMIT */
};

static void table_done(struct table *t)
{
    free(t->item);
    *t = (struct table){0};
}

static int table_add(struct table *t, const struct followed *s)
{
    int r = array_reserve(&t->item, t->count + 1, &t->capacity, sizeof(*t->item), PROCESSES_MAX);

    if (r == 0)
        t->item[t->count++] = *s;
    return r;
}

static int by_pid(const void *a, const void *b)
{
    const struct followed *x = a, *y = b;

    return (x->program.pid > y->program.pid) - (x->program.pid < y->program.pid);
}

bool armfollow_is_stopped(void *ctx)
{
    const struct follower *f = ctx;
    struct pollfd p = {.fd = f->config->stop_fd, .events = POLLIN};

    return poll(&p, 1, 0) > 0;
}

const struct followed *armfollow_find(const struct table *t, pid_t pid)
{
    struct followed wanted = {.program.pid = pid};

    return t->count ? bsearch(&wanted, t->item, t->count, sizeof(wanted), by_pid) : NULL;
}

/* All processes */

static int add_process(struct follower *f, struct table *now, int procfd, pid_t pid, uint64_t now_ms)
{
    struct followed s = {.first_ms = now_ms};
    const struct followed *old;

    if (program_read(procfd, pid, &s.program) < 0)
        return 0;
    old = armfollow_find(&f->known, pid);
    s.ours = old && old->program.started == s.program.started && old->ours;
    return table_add(now, old && program_same(&old->program, &s.program) ? old : &s);
}

static int list_programs(struct follower *f, DIR *proc, uint64_t now_ms, struct err *e)
{
    CLEANUP(table_done) struct table now = {0};
    uint64_t pid;

    rewinddir(proc);
    for (struct dirent *d; (d = readdir(proc));)
        if (text_parse_uint(d->d_name, INT_MAX, &pid) == 0 && add_process(f, &now, dirfd(proc), (pid_t)pid, now_ms) < 0)
            return err_set(e, -ENOMEM, "out of memory");
    if (now.count > 0)
        qsort(now.item, now.count, sizeof(*now.item), by_pid);
    table_done(&f->known);
    f->known = now;
    now = (struct table){0};
    return 0;
}

/* Crash logs first: jvmends sees their copies, and makes no record of these JVMs. */
static void collect(const struct follower *f, bool last)
{
    if (f->config->crashlogs)
        crashlogs_collect(f->config->crashlogs);
    if (f->config->ends)
        jvmends_collect(f->config->ends, last);
}

/* jvm_started: one has, any of the processes that began lately. */
static int examine_all(struct follower *f, DIR *proc, bool jvm_started, struct err *e)
{
    enum armfollow_round round = f->config->round ? f->config->round(f->config->ctx) : ARMFOLLOW_GO;
    uint64_t now_ms = clock_mono_ms();
    int r;

    if (round == ARMFOLLOW_REST)
        return 0;
    r = list_programs(f, proc, now_ms, e);

    for (size_t i = 0; i < f->known.count && r == 0; i++) {
        struct followed *s = &f->known.item[i];
        bool young = s->next_ms != UINT64_MAX && now_ms - s->first_ms < ARMFOLLOW_STARTUP_MS;

        if (round == ARMFOLLOW_AGAIN && s->next_ms != UINT64_MAX)
            s->next_ms = now_ms;
        if ((s->next_ms <= now_ms || (jvm_started && young)) && !armfollow_is_stopped(f))
            armfollow_examine(f, s);
    }
    if (f->config->ends)
        jvmends_sample(f->config->ends);
    collect(f, false);
    return r;
}

/* When the next process is to be examined. */
static uint64_t next_due(const struct follower *f)
{
    uint64_t now = clock_mono_ms(), every = f->config->every_ms, due;

    if (f->config->quick && now - f->began_ms < ARMFOLLOW_STARTUP_MS && every > ARMFOLLOW_QUICK_MS)
        every = ARMFOLLOW_QUICK_MS;
    due = now + every;
    for (size_t i = 0; i < f->known.count; i++)
        if (f->known.item[i].soon && f->known.item[i].next_ms < due)
            due = f->known.item[i].next_ms;
    return due;
}

/* False: stop. */
static bool await(struct follower *f, bool *ret_jvm_started, struct err *e, int *ret)
{
    struct pollfd fds[] = {{.fd = f->config->stop_fd, .events = POLLIN},
                           {.fd = f->starts.fd, .events = POLLIN},
                           {.fd = f->config->ends ? jvmends_fd(f->config->ends) : -1, .events = POLLIN}};
    uint64_t until = next_due(f);

    *ret_jvm_started = false;
    while (!*ret_jvm_started) {
        int n = wait_ready(fds, ARRAY_SIZE(fds), until);

        if (n < 0)
            *ret = err_set(e, n, "poll: %s", strerror(-n));
        if (n > 0 && fds[2].revents)
            collect(f, false); /* at once: how it ended is known only until its parent has asked */
        if (*ret < 0 || (n > 0 && fds[0].revents))
            return false;
        if (n == 0)
            break;
        if (n > 0 && fds[1].revents && !(*ret_jvm_started = jvmstart_read(&f->starts)))
            clock_sleep_ms(ARMFOLLOW_SOON_MS); /* others make files there, and many of them at once are one */
    }
    return true;
}

static void receive_application_end(const struct follower *f)
{
    struct application_end end;

    if (f->config->ends && recv(f->config->stop_fd, &end, sizeof(end), MSG_DONTWAIT) == (ssize_t)sizeof(end))
        jvmends_status(f->config->ends, end.pid, end.status);
}

int armfollow_run(const struct armfollow_config *c, struct err *e)
{
    assert(c->stop_fd >= 0);
    struct follower f = {.config = c, .request = c->request, .starts = JVMSTART_NONE, .began_ms = clock_mono_ms()};
    CLEANUP_DIR DIR *proc = file_opendir(AT_FDCWD, "/proc");
    bool jvm_started = false;
    int r;

    if (!proc)
        return err_set(e, -ENOSYS, "there is no /proc here: no JVM can be found");
    f.request.wait = (struct attach_wait){.timeout_ms = c->timeout_ms < PATIENCE_MS ? c->timeout_ms : PATIENCE_MS,
                                          .stop = armfollow_is_stopped,
                                          .ctx = &f};
    f.request.history = true;
    if (c->quick)
        jvmstart_open(&f.starts, "/tmp");
    do {
        r = examine_all(&f, proc, jvm_started, e);
        f.request.history = false; /* those that start from now on have none */
    } while (r == 0 && await(&f, &jvm_started, e, &r));
    receive_application_end(&f);
    collect(&f, true);
    jvmstart_done(&f.starts);
    table_done(&f.known);
    return r;
}
