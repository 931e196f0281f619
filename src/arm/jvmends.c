/* SPDX-License-Identifier: Apache-2.0
 *
 * Four descriptors for each JVM: its folder in /proc, the counters, a pidfd in an epoll set, and /proc/PID/stat, opened
 * beforehand, for the moment when it says how the process ended. Dumps are seen by inotify where the JVM makes them.
 */
#include "arm/jvmends_internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arm/near_limit.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "hotspot/counters.h"

enum {
    STATUS_WAIT_MS = 2000,    /* for jvmends_status behind an end */
    DUMP_MS = 10 * 60 * 1000, /* a dump that was begun so long before the end belongs to it */
    COUNTERS_MS = 60 * 1000,  /* a JVM without counters by then has none */
    STAT_SIZE = 2048,
    EXIT_CODE = 52,
    CODE = 26 /* fields of /proc/PID/stat */
};

static void watched_free(struct watched_jvm *w)
{
    if (!w)
        return;
    if (w->counters >= 0)
        close(w->counters);
    if (w->pidfd >= 0)
        close(w->pidfd);
    if (w->stat >= 0)
        close(w->stat);
    proc_done(&w->proc);
    free(w->root);
    free(w->below);
    free(w);
}

struct jvmends *jvmends_new(void)
{
    struct jvmends *e = calloc(1, sizeof(*e));

    if (!e)
        return NULL;
    e->epoll = epoll_create1(EPOLL_CLOEXEC);
    e->dumps = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (e->epoll >= 0)
        return e;
    jvmends_free(e);
    return NULL;
}

void jvmends_free(struct jvmends *e)
{
    if (!e)
        return;
    while (e->count > 0)
        watched_free(e->item[--e->count]);
    if (e->epoll >= 0)
        close(e->epoll);
    if (e->dumps >= 0)
        close(e->dumps);
    free(e);
}

int jvmends_fd(const struct jvmends *e)
{
    return e->epoll;
}

/* A process that has ended keeps its pid until its parent has asked how. */
static struct watched_jvm *find(const struct jvmends *e, pid_t pid)
{
    struct proc_status ignored;

    for (size_t i = 0; i < e->count; i++)
        if (e->item[i]->trace.pid == pid && proc_status(&e->item[i]->proc, &ignored) == 0)
            return e->item[i];
    return NULL;
}

/* Field n of /proc/PID/stat; false where there is none, as behind the end of the process. */
static bool stat_field(const struct watched_jvm *w, int n, long *ret)
{
    char text[STAT_SIZE];
    ssize_t size = w->stat < 0 ? -1 : pread(w->stat, text, sizeof(text) - 1, 0);
    const char *at;

    if (size <= 0)
        return false;
    text[size] = '\0';
    if (!(at = strrchr(text, ')')))
        return false;
    at++;
    for (int field = 3; field < n; field++) {
        at += strspn(at, " ");
        at += strcspn(at, " ");
    }
    if (!*at)
        return false;
    *ret = strtol(at, NULL, 10);
    return true;
}

/* The counters may not be there yet. Those of a process that we may not trace are found by their name in /tmp. */
static void open_counters(struct watched_jvm *w)
{
    struct err ignored;
    int fd = counters_open(&w->proc, &ignored);

    if (fd < 0 && fd != -ENOENT && w->trace.same_files) {
        w->proc.hidden = true;
        fd = counters_open(&w->proc, &ignored);
    }
    w->counters = fd < 0 ? -1 : fd;
}

static struct watched_jvm *add(struct jvmends *e, const struct jvmtrace *t, const char *root, const char *below)
{
    struct watched_jvm *w = e->count < JVMENDS_MAX ? calloc(1, sizeof(*w)) : NULL;
    struct epoll_event event = {.events = EPOLLIN};
    long code;

    if (!w)
        return NULL;
    *w = (struct watched_jvm){.trace = *t,
                              .proc = PROC_NONE,
                              .counters = -1,
                              .pidfd = -1,
                              .stat = -1,
                              .noted_ms = clock_mono_ms(),
                              .status = JVMEND_UNKNOWN};
    if (!(w->root = strdup(root)) || !(w->below = strdup(below)) || proc_open("/proc", t->pid, &w->proc) < 0) {
        watched_free(w);
        return NULL;
    }
    w->pidfd = proc_pidfd(&w->proc);
    w->stat = openat(w->proc.fd, "stat", O_RDONLY | O_CLOEXEC);
    /* For a process that we may not trace, the kernel gives 1 here, and 0 as the exit code. */
    w->readable = stat_field(w, CODE, &code) && code != 1;
    if (w->pidfd >= 0)
        epoll_ctl(e->epoll, EPOLL_CTL_ADD, w->pidfd, &event);
    e->item[e->count++] = w;
    return w;
}

bool jvmends_has_counters(struct watched_jvm *w)
{
    bool young = clock_mono_ms() - w->noted_ms < COUNTERS_MS;

    if (w->counters < 0 && young)
        open_counters(w);
    return w->counters >= 0 || !young;
}

bool jvmends_note(struct jvmends *e, const struct jvmtrace *t, const char *root, const char *below)
{
    struct watched_jvm *w;

    assert(t->pid > 0 && root && below);
    w = find(e, t->pid);
    if (!w && !(w = add(e, t, root, below)))
        return true;
    snprintf(w->trace.dump, sizeof(w->trace.dump), "%s", t->dump);
    jvmends_watch_folders(e, w);
    return jvmends_has_counters(w);
}

/* Ends */

/* Without a pidfd (before Linux 5.3): a zombie. That may be wrong: the first thread can end before the others. */
static bool has_ended(const struct watched_jvm *w)
{
    struct pollfd p = {.fd = w->pidfd, .events = POLLIN};
    struct proc_status status;

    if (w->pidfd >= 0)
        return poll(&p, 1, 0) > 0;
    return !proc_is_alive(&w->proc) || (proc_status(&w->proc, &status) == 0 && status.state == 'Z');
}

static void see_end(struct watched_jvm *w)
{
    long code;

    if (w->ended_ms || !has_ended(w))
        return;
    if (w->readable && stat_field(w, EXIT_CODE, &code))
        w->status = (int)code;
    w->ended_ms = clock_mono_ms();
    w->ended_ns = clock_wall_ns();
    if (w->pidfd >= 0)
        close(TAKE_FD(w->pidfd)); /* it would be readable for ever */
}

void jvmends_status(struct jvmends *e, pid_t pid, int status)
{
    assert(pid > 0);
    for (size_t i = 0; i < e->count; i++) {
        struct watched_jvm *w = e->item[i];

        see_end(w);
        /* A shell passes on the status of a JVM below it. */
        if (w->ended_ms && w->status == JVMEND_UNKNOWN && (w->trace.pid == pid || !jvmend_is_bad(status)))
            w->status = status;
    }
}

/* path: below the root. */
static int write_record(const struct watched_jvm *w, const char *path)
{
    CLEANUP(counters_done) struct counters counters = {0};
    CLEANUP(buf_done) struct buf record = {0};
    struct jvmend end = {.pid = w->trace.inner_pid,
                         .command = w->trace.command,
                         .version = w->trace.version,
                         .started_ns = w->trace.started_ns,
                         .ended_ns = w->ended_ns,
                         .status = w->status,
                         .sample = w->sample};
    CLEANUP_FD int fd = -1;
    struct err ignored;
    struct stat st;
    int r;

    if (w->counters >= 0 && counters_load(&w->proc, w->counters, &counters, &ignored) == 0)
        end.counters = &counters.perf;
    end.orderly = w->counters >= 0 && fstat(w->counters, &st) == 0 && st.st_nlink == 0;
    if ((r = jvmend_write(&end, &record)) < 0)
        return r;
    fd = near_limit_create(w->root, path, w->trace.uid);
    return fd < 0 ? fd : file_write(fd, buf_text(&record), record.size);
}

static void record(const struct watched_jvm *w)
{
    CLEANUP_FREE char *path = NULL;
    char time[CLOCK_TEXT_MAX];
    int r = -ENOMEM;

    clock_format_basic(w->ended_ns, time);
    if (asprintf(&path, "%s/jvm-end-%d-%s.json", w->below, (int)w->trace.inner_pid, time) < 0)
        path = NULL;
    else
        r = write_record(w, path);
    log_event(EVENT_JVM_ENDED, LOG_UINT("pid", (uint64_t)w->trace.pid), LOG_STR("why", jvmend_why(w->status)),
              w->status == JVMEND_UNKNOWN ? (struct log_pair)LOG_STR("status", NULL)
                                          : (struct log_pair)LOG_UINT("status", (uint64_t)jvmend_exit(w->status)),
              LOG_STR("error", r < 0 ? strerror(-r) : NULL), LOG_STR("command", w->trace.command));
}

void jvmends_collect(struct jvmends *e, bool last)
{
    uint64_t now = clock_mono_ms();

    for (size_t i = 0; i < e->count; i++)
        see_end(e->item[i]);
    jvmends_read_files(e);
    for (size_t i = e->count; i-- > 0;) {
        struct watched_jvm *w = e->item[i];

        if (!w->ended_ms || (w->status == JVMEND_UNKNOWN && !last && now - w->ended_ms < STATUS_WAIT_MS))
            continue;
        if (jvmend_is_bad(w->status) && (!w->dumped_ms || w->ended_ms - w->dumped_ms > DUMP_MS))
            record(w);
        watched_free(w);
        e->item[i] = e->item[--e->count];
    }
}
