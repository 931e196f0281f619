/* SPDX-License-Identifier: Apache-2.0
 *
 * Four descriptors for each JVM: its folder in /proc, the counters, a pidfd in an epoll set, and /proc/PID/stat, opened
 * beforehand, for the moment when it says how the process ended. Dumps are seen by inotify where the JVM makes them.
 */
#include "arm/jvmends.h"

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
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "hotspot/counters.h"
#include "hotspot/jvmend.h"
#include "linux/threadroom.h"

enum {
    WORD_MS = 2000,           /* for jvmends_status behind an end */
    DUMP_MS = 10 * 60 * 1000, /* a dump that was begun so long before the end belongs to it */
    PATIENT_MS = 60 * 1000,   /* a JVM without counters by then has none */
    FOLDERS = 4, /* that a dump or a crash log may appear in, and one that a JVM works in while it starts */
    STAT_SIZE = 2048,
    EXIT_CODE = 52,
    CODE = 26, /* fields of /proc/PID/stat */
    EVENTS_SIZE = 64 * 1024,
    NAME_SIZE = 256,
    GROWN = 16 /* a sixteenth more threads: compared with the limits again */
};

struct watched {
    struct jvmtrace trace;
    char *root, *below; /* where evidence of it goes */
    char dump_name[NAME_SIZE];
    struct proc proc;
    int counters, pidfd, stat;
    int folder[FOLDERS]; /* inotify's numbers */
    unsigned folders;
    uint64_t noted_ms, ended_ms, dumped_ms; /* monotonic; 0: not yet */
    bool readable;                          /* the kernel would say how it ended */
    bool taken;                             /* near a limit of threads */
    uint64_t compared;                      /* with the limit: so many threads */
    int status;
    int64_t ended_ns;
    struct jvmend_sample sample;
};

struct jvmends {
    struct watched *item[JVMENDS_MAX]; /* owned */
    size_t count;
    int epoll, dumps; /* dumps: of inotify */
};

static void watched_free(struct watched *w)
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

/* Dumps and crash logs */

/* inotify_add_watch says the same number for the same folder. */
static void watch_folder(struct jvmends *e, struct watched *w, int fd)
{
    char path[40];
    int number;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    number = fd < 0 ? -1 : inotify_add_watch(e->dumps, path, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
    for (unsigned i = 0; i < w->folders; i++)
        if (w->folder[i] == number)
            return;
    if (number >= 0 && w->folders < FOLDERS)
        w->folder[w->folders++] = number;
}

/* A path of the JVM's: a folder, or a file in one. Whether it is a folder. */
static bool watch_path(struct jvmends *e, struct watched *w, const char *path)
{
    char folder[JVMTRACE_PATH_MAX];
    CLEANUP_FD int fd = *path ? proc_openat(&w->proc, path, O_PATH | O_DIRECTORY, 0) : -1;
    bool is_folder = fd >= 0;

    if (!is_folder) {
        snprintf(folder, sizeof(folder), "%.*s", (int)(text_base_name(path) - path), path);
        fd = proc_openat(&w->proc, *folder ? folder : ".", O_PATH | O_DIRECTORY, 0);
    }
    watch_folder(e, w, fd);
    return is_folder;
}

/* Newer JVMs replace "%p" in a name. */
static void watch_folders(struct jvmends *e, struct watched *w)
{
    CLEANUP_FD int root = open(w->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    const char *name = text_base_name(w->trace.dump);

    watch_folder(e, w, root);
    if (watch_path(e, w, w->trace.dump))
        name = "";
    snprintf(w->dump_name, sizeof(w->dump_name), "%.*s", (int)strcspn(name, "%"), name);
    if (*w->trace.error)
        watch_path(e, w, w->trace.error);
}

static bool begins(const char *name, const char *prefix)
{
    return *prefix && text_starts(name, prefix);
}

static bool is_left_by(const struct watched *w, const char *name)
{
    char dump[NAME_SIZE], crash[NAME_SIZE];

    snprintf(dump, sizeof(dump), "java_pid%d.", (int)w->trace.inner_pid);
    snprintf(crash, sizeof(crash), "hs_err_pid%d.", (int)w->trace.inner_pid);
    return begins(name, dump) || begins(name, crash) || begins(name, w->dump_name) ||
           text_eq(name, text_base_name(w->trace.error));
}

static void on_file(struct jvmends *e, int number, const char *name)
{
    for (size_t i = 0; i < e->count; i++) {
        struct watched *w = e->item[i];

        for (unsigned k = 0; k < w->folders; k++)
            if (w->folder[k] == number && is_left_by(w, name))
                w->dumped_ms = clock_mono_ms();
    }
}

static void read_dumps(struct jvmends *e)
{
    _Alignas(struct inotify_event) char events[EVENTS_SIZE];
    ssize_t n;

    while (e->dumps >= 0 && (n = read(e->dumps, events, sizeof(events))) > 0)
        for (const char *at = events; at < events + n;) {
            const struct inotify_event *event = (const struct inotify_event *)(const void *)at;

            if (event->len > 0)
                on_file(e, event->wd, event->name);
            at += sizeof(*event) + event->len;
        }
}

/* Living JVMs */

static struct watched *find(const struct jvmends *e, pid_t pid)
{
    for (size_t i = 0; i < e->count; i++)
        if (e->item[i]->trace.pid == pid && !e->item[i]->ended_ms && proc_is_alive(&e->item[i]->proc))
            return e->item[i];
    return NULL;
}

/* Field n of /proc/PID/stat; false where there is none, as behind the end of the process. */
static bool stat_field(const struct watched *w, int n, long *ret)
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

/* The counters may not be there yet. In a process that we may not look into they are known by their name in /tmp. */
static void open_counters(struct watched *w)
{
    struct err ignored;
    int fd = counters_open(&w->proc, &ignored);

    if (fd < 0 && fd != -ENOENT && w->trace.same_files) {
        w->proc.hidden = true;
        fd = counters_open(&w->proc, &ignored);
    }
    w->counters = fd < 0 ? -1 : fd;
}

static struct watched *add(struct jvmends *e, const struct jvmtrace *t, const char *root, const char *below)
{
    struct watched *w = e->count < JVMENDS_MAX ? calloc(1, sizeof(*w)) : NULL;
    struct epoll_event event = {.events = EPOLLIN};
    long code;

    if (!w)
        return NULL;
    *w = (struct watched){.trace = *t,
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
    /* Of a process that we may not look into the kernel says 1 here, and 0 for every exit. */
    w->readable = stat_field(w, CODE, &code) && code != 1;
    if (w->pidfd >= 0)
        epoll_ctl(e->epoll, EPOLL_CTL_ADD, w->pidfd, &event);
    e->item[e->count++] = w;
    return w;
}

/* One without counters by the end of our patience keeps none. */
static bool has_counters(struct watched *w)
{
    bool young = clock_mono_ms() - w->noted_ms < PATIENT_MS;

    if (w->counters < 0 && young)
        open_counters(w);
    return w->counters >= 0 || !young;
}

bool jvmends_note(struct jvmends *e, const struct jvmtrace *t, const char *root, const char *below)
{
    struct watched *w = find(e, t->pid);

    if (!w && !(w = add(e, t, root, below)))
        return true;
    snprintf(w->trace.dump, sizeof(w->trace.dump), "%s", t->dump);
    watch_folders(e, w);
    return has_counters(w);
}

/* "VmRSS:	  120 kB" in bytes, "Threads:	12" as it is. */
static uint64_t value_of(const char *status, const char *name, uint64_t unit)
{
    const char *at = strstr(status, name);

    return at ? strtoull(at + strlen(name), NULL, 10) * unit : 0;
}

static void sample(struct watched *w)
{
    CLEANUP(buf_done) struct buf status = {0};
    const char *text;

    has_counters(w);
    if (file_load(w->proc.fd, "status", &status) < 0 || !strstr(text = buf_text(&status), "\nVmRSS:"))
        return;
    w->sample = (struct jvmend_sample){.time_ns = clock_wall_ns(),
                                       .threads = value_of(text, "\nThreads:", 1),
                                       .rss = value_of(text, "\nVmRSS:", 1024),
                                       .rss_anon = value_of(text, "\nRssAnon:", 1024),
                                       .swap = value_of(text, "\nVmSwap:", 1024)};
}

/* Asking for the limits costs more than counting the threads. */
static void compare_threads(struct watched *w)
{
    uint64_t threads = w->sample.threads;
    struct threadroom room;

    if (w->taken || threads < w->compared + w->compared / GROWN + 1)
        return;
    w->compared = threads;
    threadroom_get("/proc", &w->proc, &room);
    w->taken = near_limit_is(&room, threads);
    if (w->taken)
        near_limit_take(&w->trace, &room, w->root, w->below);
}

void jvmends_sample(struct jvmends *e)
{
    read_dumps(e);
    for (size_t i = 0; i < e->count; i++)
        if (!e->item[i]->ended_ms) {
            sample(e->item[i]);
            compare_threads(e->item[i]);
        }
}

/* Ends */

/* Without a pidfd: 'Z', as its parent has not asked yet; but the first thread alone may be one, while others live. */
static bool has_ended(const struct watched *w)
{
    struct pollfd p = {.fd = w->pidfd, .events = POLLIN};
    struct proc_status status;

    if (w->pidfd >= 0)
        return poll(&p, 1, 0) > 0;
    return !proc_is_alive(&w->proc) || (proc_status(&w->proc, &status) == 0 && status.state == 'Z');
}

static void see_end(struct watched *w)
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
    for (size_t i = 0; i < e->count; i++) {
        struct watched *w = e->item[i];

        see_end(w);
        /* Of a JVM below it a shell passes the status on. */
        if (w->ended_ms && w->status == JVMEND_UNKNOWN && (w->trace.pid == pid || !jvmend_is_bad(status)))
            w->status = status;
    }
}

/* path: below the root. */
static int write_record(const struct watched *w, const char *path)
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

static void record(const struct watched *w)
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
    read_dumps(e);
    for (size_t i = e->count; i-- > 0;) {
        struct watched *w = e->item[i];

        if (!w->ended_ms || (w->status == JVMEND_UNKNOWN && !last && now - w->ended_ms < WORD_MS))
            continue;
        if (jvmend_is_bad(w->status) && (!w->dumped_ms || w->ended_ms - w->dumped_ms > DUMP_MS))
            record(w);
        watched_free(w);
        e->item[i] = e->item[--e->count];
    }
}
