/* SPDX-License-Identifier: Apache-2.0
 *
 * The tracer is a thread: it seizes, stops, reads registers, waits, and detaches. ptrace(2) knows a tracer by its
 * thread.
 */
#include "core/ptrace_freeze.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/thread.h"
#include "core/ptrace_refusal.h"
#include "core/thread_registers.h"

enum {
    STOP_MS = 1000, /* for threads that wait uninterruptibly in the kernel */
    STACK_SIZE = 1024 * 1024,
    WATCH_MS = 20, /* interval of checks for dead threads */
    PASSES = 100,  /* over the list of threads: those that still run may start new ones */
    THREADS_MAX = 64 * 1024
};

enum phase { STOPPING, HOLDING, DETACHED };

struct ptrace_freeze {
    const struct proc *proc; /* until HOLDING */
    struct thread_registers registers;
    struct ptrace_freeze_thread *thread;
    size_t count, capacity;
    uint64_t at_most_ms, begun_us, ended_us;
    _Atomic uint64_t renewed_us;
    bool other_pids; /* the process is in another pid namespace */

    pthread_t tracer;
    bool running;
    pthread_mutex_t lock; /* of the fields below */
    pthread_cond_t changed;
    enum phase phase;
    bool wanted, timed_out; /* wanted: ptrace_freeze_end was called */
    int result;
    struct err err;
};

static void sleep_us(long us)
{
    nanosleep(&(struct timespec){.tv_nsec = us * 1000}, NULL);
}

/* --- the tracing thread ----------------------------------------------------------------------------------------------
 */

/* Threads are listed in the order of their creation, so the next one mostly follows the last one found. */
static struct ptrace_freeze_thread *find(struct ptrace_freeze *s, pid_t tid, size_t *hint)
{
    for (size_t i = 0; i < s->count; i++) {
        size_t at = (*hint + i) % s->count;

        if (s->thread[at].tid == tid) {
            *hint = at + 1;
            return &s->thread[at];
        }
    }
    return NULL;
}

static int add(struct ptrace_freeze *s, pid_t tid)
{
    int r = array_reserve(&s->thread, s->count + 1, &s->capacity, sizeof(*s->thread), THREADS_MAX);

    if (r < 0)
        return r;
    s->thread[s->count++] = (struct ptrace_freeze_thread){.tid = tid, .inner = tid};
    return 0;
}

/* A thread that has ended can't be seized; the first one may be a zombie while others live. */
static bool has_ended(const struct proc *p, pid_t tid)
{
    CLEANUP_FD int fd = -1;
    char path[32];
    struct proc_status status;

    snprintf(path, sizeof(path), "task/%d", (int)tid);
    fd = openat(p->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return true;
    return proc_status(&(struct proc){.fd = fd, .pid = tid}, &status) < 0 || status.state == 'Z' || status.state == 'X';
}

/* 1: the thread was seized and interrupted; 0: it has ended. */
static int seize(struct ptrace_freeze *s, pid_t tid)
{
    int r;

    if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) < 0) {
        r = -errno;
        if (r == -ESRCH || has_ended(s->proc, tid))
            return 0;
        return ptrace_refusal(s->proc, &s->err);
    }
    if (s->begun_us == 0)
        s->begun_us = clock_mono_us();
    if ((r = add(s, tid)) < 0)
        return err_set(&s->err, r, "process %d: too many threads", (int)s->proc->pid);
    ptrace(PTRACE_INTERRUPT, tid, NULL, NULL);
    return 1;
}

/* Seizes all threads; returns how many were new. */
static int seize_all(struct ptrace_freeze *s)
{
    CLEANUP_DIR DIR *dir = file_opendir(s->proc->fd, "task");
    const struct dirent *d;
    size_t hint = 0;
    int found = 0, r;

    if (!dir)
        return err_set(&s->err, -ESRCH, "process %d has ended", (int)s->proc->pid);
    while ((d = readdir(dir))) {
        uint64_t tid;

        if (text_parse_uint(d->d_name, INT32_MAX, &tid) < 0 || find(s, (pid_t)tid, &hint))
            continue;
        if ((r = seize(s, (pid_t)tid)) < 0)
            return r;
        found += r;
    }
    return found;
}

/* True once the thread has stopped or ended. */
static bool has_stopped(struct ptrace_freeze_thread *t)
{
    int status;
    pid_t r;

    if (t->held || t->gone)
        return true;
    r = waitpid(t->tid, &status, __WALL | __WNOTHREAD | WNOHANG);
    if (r == 0 || (r < 0 && errno == EINTR))
        return false;
    if (r < 0 || !WIFSTOPPED(status)) {
        t->gone = true;
        return true;
    }
    /* Our interrupt and a stop of the whole process are reported with an event; a stop without event is a signal that
     * the thread must still get. */
    t->signal = status >> 16 ? 0 : WSTOPSIG(status);
    t->held = true;
    return true;
}

static void wait_for_stops(struct ptrace_freeze *s, uint64_t until_us)
{
    for (size_t first = 0; first < s->count && clock_mono_us() < until_us;) {
        bool waits = false;

        while (first < s->count && has_stopped(&s->thread[first]))
            first++;
        for (size_t i = first; i < s->count; i++)
            waits |= !has_stopped(&s->thread[i]);
        if (waits)
            sleep_us(30);
    }
}

/* How long to wait for threads that do not stop: at most half of the agreed time. */
static uint64_t stop_limit_us(const struct ptrace_freeze *s)
{
    uint64_t half_ms = s->at_most_ms / 2 + 1;

    return (half_ms < STOP_MS ? half_ms : STOP_MS) * 1000;
}

static int stop_all(struct ptrace_freeze *s)
{
    uint64_t until_us = clock_mono_us() + stop_limit_us(s);
    int found, pass = 0;

    do {
        if ((found = seize_all(s)) < 0)
            return found;
        wait_for_stops(s, until_us);
    } while (found > 0 && ++pass < PASSES && clock_mono_us() < until_us);
    return 0;
}

static void read_inner_tid(const struct ptrace_freeze *s, struct ptrace_freeze_thread *t)
{
    CLEANUP_FD int fd = -1;
    char path[32];
    struct proc_status status;

    snprintf(path, sizeof(path), "task/%d", (int)t->tid);
    fd = openat(s->proc->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && proc_status(&(struct proc){.fd = fd, .pid = t->tid}, &status) == 0)
        t->inner = status.inner_pid;
}

/* Drops threads that have ended; the first thread of the process stays first. */
static int read_threads(struct ptrace_freeze *s)
{
    size_t kept = 0;
    int r;

    for (size_t i = 0; i < s->count; i++) {
        if (!s->thread[i].gone && (r = thread_registers_read(&s->registers, &s->thread[i], &s->err)) < 0)
            return r;
        if (s->thread[i].gone)
            continue;
        if (s->other_pids)
            read_inner_tid(s, &s->thread[i]);
        if (kept < i) {
            free(s->thread[kept].extra);
            s->thread[kept] = s->thread[i];
            s->thread[i].extra = NULL;
        }
        kept++;
    }
    s->count = kept;
    return kept > 0 ? 0 : err_set(&s->err, -ESRCH, "process %d has ended", (int)s->proc->pid);
}

/* Whether a thread has ended. Its parent does not hear of that until we have waited for it. */
static bool has_died(void)
{
    int status;
    pid_t r;

    while ((r = waitpid(-1, &status, __WALL | __WNOTHREAD | WNOHANG)) > 0)
        if (!WIFSTOPPED(status))
            return true;
    return r < 0 && errno == ECHILD;
}

/* Waits for ptrace_freeze_end or the end of the time. Called with the lock held. */
static void hold(struct ptrace_freeze *s)
{
    uint64_t until_us = s->begun_us + s->at_most_ms * 1000;

    while (!s->wanted && !s->timed_out) {
        uint64_t now = clock_mono_us(), at = now + WATCH_MS * 1000ULL < until_us ? now + WATCH_MS * 1000ULL : until_us;
        struct timespec t = {.tv_sec = (time_t)(at / 1000000), .tv_nsec = (long)(at % 1000000) * 1000};

        s->timed_out = now >= until_us || now >= atomic_load(&s->renewed_us) + PTRACE_FREEZE_IDLE_MS * 1000ULL;
        if (!s->timed_out)
            pthread_cond_clockwait(&s->changed, &s->lock, CLOCK_MONOTONIC, &t);
        if (!s->wanted && has_died())
            break;
    }
}

static void detach_all(struct ptrace_freeze *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->thread[i].held)
            ptrace(PTRACE_DETACH, s->thread[i].tid, NULL,
                   (void *)(intptr_t)s->thread[i].signal); /* NOLINT(performance-no-int-to-ptr) */
    s->ended_us = clock_mono_us();
}

/* Threads that have not stopped yet cannot be detached: the kernel does that when this thread ends. */
static void *trace(void *arg)
{
    struct ptrace_freeze *s = arg;
    int r = stop_all(s);

    if (r == 0)
        r = read_threads(s);
    pthread_mutex_lock(&s->lock);
    s->result = r;
    s->phase = HOLDING;
    ptrace_freeze_renew(s);
    pthread_cond_broadcast(&s->changed);
    if (r == 0)
        hold(s);
    detach_all(s);
    s->phase = DETACHED;
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* --- callers
 * -------------------------------------------------------------------------------------------------------- */

/* The tracer's signals are blocked, so that its system calls are not interrupted. */
static int start_tracer(struct ptrace_freeze *s)
{
    int r = thread_start(&s->tracer, STACK_SIZE, trace, s);

    s->running = r == 0;
    return r;
}

int ptrace_freeze_begin(const struct proc *p, uint64_t at_most_ms, struct ptrace_freeze **ret, struct err *e)
{
    assert(p->fd >= 0 && ret);
    struct ptrace_freeze *s = calloc(1, sizeof(*s));
    int r;

    if (!s)
        return err_set(e, -ENOMEM, "out of memory");
    s->proc = p;
    s->registers = (struct thread_registers){.proc = p, .machine = elfcore_native()};
    s->at_most_ms = at_most_ms;
    s->other_pids = !proc_shares(p, "ns/pid");
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    if (!s->registers.machine)
        r = err_set(e, -EOPNOTSUPP, "cores are not supported on this architecture");
    else if ((r = start_tracer(s)) < 0)
        r = err_set(e, r, "no thread can be started: %s", strerror(-r));
    else {
        pthread_mutex_lock(&s->lock);
        while (s->phase == STOPPING)
            pthread_cond_wait(&s->changed, &s->lock);
        if ((r = s->result) < 0 && e)
            *e = s->err;
        pthread_mutex_unlock(&s->lock);
    }
    if (r < 0) {
        ptrace_freeze_free(s);
        return r;
    }
    *ret = s;
    return 0;
}

size_t ptrace_freeze_threads(const struct ptrace_freeze *s, const struct ptrace_freeze_thread **ret)
{
    *ret = s->thread;
    return s->count;
}

void ptrace_freeze_renew(struct ptrace_freeze *s)
{
    atomic_store(&s->renewed_us, clock_mono_us());
}

bool ptrace_freeze_holds(struct ptrace_freeze *s)
{
    bool holds;

    pthread_mutex_lock(&s->lock);
    holds = s->phase == HOLDING;
    pthread_mutex_unlock(&s->lock);
    return holds;
}

uint64_t ptrace_freeze_end(struct ptrace_freeze *s)
{
    if (s->running) {
        pthread_mutex_lock(&s->lock);
        s->wanted = true;
        pthread_cond_broadcast(&s->changed);
        pthread_mutex_unlock(&s->lock);
        pthread_join(s->tracer, NULL);
        s->running = false;
    }
    return s->begun_us ? s->ended_us - s->begun_us : 0;
}

void ptrace_freeze_free(struct ptrace_freeze *s)
{
    if (!s)
        return;
    ptrace_freeze_end(s);
    for (size_t i = 0; i < s->count; i++)
        free(s->thread[i].extra);
    free(s->thread);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
