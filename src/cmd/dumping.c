/* SPDX-License-Identifier: Apache-2.0
 *
 * The way of a heap dump: asked for, watched while it grows, handed on.
 */
#include "cmd/dumping.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/command.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/interrupt.h"
#include "cmd/progress.h"
#include "jvm/counters.h"
#include "jvm/heapdump_stream.h"

enum { GENERATIONS = 2, SPACES = 3, COPY_STEP = 1024 * 1024 };

uint64_t dump_heap_in_use(const struct jvm *j)
{
    CLEANUP(counters_done) struct counters c = {0};
    struct err ignored;
    uint64_t sum = 0;

    if (counters_read(&j->proc, &c, &ignored) < 0)
        return 0;
    for (int generation = 0; generation < GENERATIONS; generation++)
        for (int space = 0; space < SPACES; space++) {
            char name[64];
            int64_t used;

            snprintf(name, sizeof(name), "sun.gc.generation.%d.space.%d.used", generation, space);
            if (hsperf_long(&c.perf, name, &used) && used > 0)
                sum += (uint64_t)used;
        }
    return sum;
}

/* --- making it ------------------------------------------------------------------------------------------------------
 */

/* By a signal, or by the clock. */
static bool is_over(void *ctx)
{
    const uint64_t *until_ms = ctx;

    return interrupt_caught() != 0 || (until_ms && *until_ms > 0 && clock_mono_ms() >= *until_ms);
}

static void show(void *ctx, uint64_t written, uint64_t expected)
{
    progress_show(ctx, written, expected > written ? expected : written);
}

static struct heapdump_request request_of(const struct dump_options *o, uint64_t in_use)
{
    return (struct heapdump_request){
        .folder = o->folder,
        .live = o->live,
        .gzip = o->gzip,
        .threads = o->parallel,
        .in_use = in_use,
        .force = o->force,
        .wait = {.timeout_ms = o->timeout_ms, .stop = is_over, .ctx = (void *)&o->until_ms},
    };
}

static int make(const struct jvm *j, const struct dump_options *o, struct heapdump *ret, struct dumped *told,
                struct err *e)
{
    struct heapdump_request rq = request_of(o, dump_heap_in_use(j));
    struct progress progress;
    uint64_t begun_ms = clock_mono_ms();
    char name[64];
    struct stat st;
    int r;

    snprintf(name, sizeof(name), "dump of JVM %d", (int)j->proc.pid);
    progress_begin(&progress, name);
    rq.progress = show;
    rq.ctx = &progress;
    r = heapdump_make(j, &rq, ret, e);
    progress_clear(&progress);
    if (r < 0)
        return r;
    told->took_ms = clock_mono_ms() - begun_ms;
    told->size = fstat(ret->fd, &st) == 0 ? (uint64_t)st.st_size : 0;
    if (ret->cut && !(told->cut = strdup(ret->cut)))
        return err_set(e, -ENOMEM, "out of memory");
    return 0;
}

void dumped_done(struct dumped *d)
{
    free(d->cut);
    *d = (struct dumped){0};
}

/* --- into a file ----------------------------------------------------------------------------------------------------
 */

/* The place of a new file: its folder, and its name there. */
struct place {
    int folder;
    char *copy;
    const char *name; /* in copy */
};

static void place_done(struct place *p)
{
    if (p->folder >= 0)
        close(p->folder);
    free(p->copy);
}

static int place_open(const char *path, struct place *ret, struct err *e)
{
    CLEANUP_FREE char *folder = strdup(path);
    struct stat st;

    ret->copy = strdup(path);
    if (!folder || !ret->copy)
        return err_set(e, -ENOMEM, "out of memory");
    ret->name = basename(ret->copy);
    ret->folder = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (ret->folder < 0)
        return err_set(e, -errno, "%s: %s", path, strerror(errno));
    if (fstatat(ret->folder, ret->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return err_set(e, -FAULT_EXISTS, "%s is there already: it is not written over", path);
    return 0;
}

/* In one step where both lie on one file system; -EXDEV where not. Never over another file. */
static int move(const struct heapdump *d, const struct place *to)
{
    struct stat moved, ours;

    if (renameat2(d->folder, d->name, to->folder, to->name, RENAME_NOREPLACE) < 0)
        return errno == EINVAL || errno == ENOSYS ? -EXDEV : -errno;
    /* Somebody may have put another file in its place. */
    if (fstatat(to->folder, to->name, &moved, AT_SYMLINK_NOFOLLOW) == 0 && fstat(d->fd, &ours) == 0 &&
        moved.st_dev == ours.st_dev && moved.st_ino == ours.st_ino)
        return 0;
    unlinkat(to->folder, to->name, 0);
    return -EXDEV;
}

static int copy_bytes(int from, int to)
{
    CLEANUP_FREE char *step = malloc(COPY_STEP);
    ssize_t n;
    int r = step ? 0 : -ENOMEM;

    for (uint64_t at = 0; r == 0; at += (uint64_t)n) {
        n = file_pread(from, step, COPY_STEP, at);
        if (n <= 0)
            return (int)n;
        r = interrupt_caught() ? -EINTR : file_write(to, step, (size_t)n);
    }
    return r;
}

/* Visible only when it is whole. */
static int copy(const struct heapdump *d, const struct place *to)
{
    CLEANUP_FD int fd = -1;
    char name[NAME_MAX + 1];
    int r;

    if (snprintf(name, sizeof(name), ".%s.part", to->name) >= (int)sizeof(name))
        return -ENAMETOOLONG;
    fd = openat(to->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    r = copy_bytes(d->fd, fd);
    if (r == 0 && fsync(fd) < 0)
        r = -errno;
    if (r == 0 && renameat2(to->folder, name, to->folder, to->name, RENAME_NOREPLACE) < 0)
        r = -errno;
    if (r < 0)
        unlinkat(to->folder, name, 0);
    else
        heapdump_remove(d);
    return r;
}

static int hand_over(const struct heapdump *d, const struct place *to)
{
    /* The JVM's user wrote it; from now on it is the caller's, and nobody else's to read: it holds customers' data. Who
     * may not give it away makes a file of his own. */
    int r = fchown(d->fd, geteuid(), getegid()) < 0 || fchmod(d->fd, 0600) < 0 ? -EXDEV : move(d, to);

    return r == -EXDEV ? copy(d, to) : r;
}

int dump_to_file(const struct jvm *j, const struct dump_options *o, const char *path, struct dumped *ret, struct err *e)
{
    CLEANUP(place_done) struct place to = {.folder = -1, .name = ""};
    CLEANUP(heapdump_done) struct heapdump d = HEAPDUMP_NONE;
    CLEANUP(dumped_done) struct dumped told = {0};
    int r;

    if ((r = place_open(path, &to, e)) < 0 || (r = make(j, o, &d, &told, e)) < 0)
        return r;
    if ((r = hand_over(&d, &to)) < 0) {
        heapdump_remove(&d);
        return err_set(e, r == -EEXIST ? -FAULT_EXISTS : r, "the dump of JVM %d cannot be put to %s: %s",
                       (int)j->proc.pid, path, strerror(-r));
    }
    *ret = told;
    told = (struct dumped){0};
    return 0;
}

/* --- into the store -------------------------------------------------------------------------------------------------
 */

static void describe(const struct jvm *j, struct shipping *s)
{
    s->pid = (uint64_t)j->status.inner_pid;
    s->uid = j->status.uid;
    s->jvm = j->version;
    s->command = j->command;
}

/* Where a person, or a watch, finds it; false if it could not be renamed. */
static bool leave_it(const struct heapdump *d, const char *name)
{
    return renameat2(d->folder, d->name, d->folder, name, RENAME_NOREPLACE) == 0;
}

/* What was shipped so far is in the journal: whoever ships the file goes on from there. */
struct watchdog {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool running, called_off;
    uint64_t until_ms;
    const struct heapdump *dump; /* NULL: a stream, which leaves nothing */
    const char *name;
};

static void *watch_time(void *arg)
{
    struct watchdog *w = arg;
    struct timespec until = {.tv_sec = (time_t)(w->until_ms / 1000), .tv_nsec = (long)(w->until_ms % 1000) * 1000000};

    pthread_mutex_lock(&w->lock);
    while (!w->called_off && clock_mono_ms() < w->until_ms)
        pthread_cond_clockwait(&w->changed, &w->lock, CLOCK_MONOTONIC, &until);
    if (!w->called_off && !w->dump)
        _exit(
            command_error(-FAULT_LATER, "the time is up before the heap dump is in the store: nothing of it is kept"));
    if (!w->called_off)
        _exit(command_error(-FAULT_LATER, "the time is up before the heap dump is in the store: it %s %s beside %s",
                            leave_it(w->dump, w->name) ? "stays as" : "could not be renamed to", w->name,
                            w->dump->inner));
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static void watchdog_start(struct watchdog *w)
{
    w->running = w->until_ms > 0 && pthread_mutex_init(&w->lock, NULL) == 0 &&
                 pthread_cond_init(&w->changed, NULL) == 0 && pthread_create(&w->thread, NULL, watch_time, w) == 0;
}

static void watchdog_call_off(struct watchdog *w)
{
    if (!w->running)
        return;
    pthread_mutex_lock(&w->lock);
    w->called_off = true;
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
}

int dump_to_store(const struct jvm *j, const struct dump_options *o, struct shipping *s, struct err *e)
{
    CLEANUP(heapdump_done) struct heapdump d = HEAPDUMP_NONE;
    CLEANUP(dumped_done) struct dumped told = {0};
    char name[HEAPDUMP_NAME_MAX];
    struct watchdog watchdog = {.dump = &d, .name = name};
    int r = make(j, o, &d, &told, e);

    if (r < 0)
        return r;
    heapdump_name(j, o->gzip > 0, name);
    describe(j, s);
    watchdog.until_ms = o->until_ms;
    watchdog_start(&watchdog);
    r = shipping_held(s, d.fd, d.folder, name, d.inner, e);
    watchdog_call_off(&watchdog);
    if (r == 0 && !s->plan->keep) {
        heapdump_remove(&d);
    } else if (leave_it(&d, name) && r < 0) {
        struct err story = *e;

        err_set(e, r, "%.500s; the dump stays as %s beside %.100s", story.msg, name, d.inner);
    }
    return r;
}

static int has_jvm_failed(void *ctx, struct err *e)
{
    return heapdump_stream_failed(ctx) ? heapdump_stream_end(ctx, e) : 0;
}

static int ask_jvm(void *ctx, struct err *e)
{
    return heapdump_stream_end(ctx, e);
}

int dump_by_stream(const struct jvm *j, const struct dump_options *o, struct shipping *s, struct err *e)
{
    uint64_t in_use = dump_heap_in_use(j);
    struct heapdump_request rq = request_of(o, in_use);
    struct watchdog watchdog = {.until_ms = o->until_ms};
    struct heapdump_stream *source;
    char name[HEAPDUMP_NAME_MAX];
    int fd, r = heapdump_stream_open(j, &rq, &source, &fd, e);

    if (r < 0)
        return r;
    heapdump_name(j, false, name);
    describe(j, s);
    watchdog_start(&watchdog);
    r = shipping_stream(s,
                        &(struct shipping_stream){.fd = fd,
                                                  .name = name,
                                                  .started_ns = j->started_ns,
                                                  .uid = j->status.uid,
                                                  .expected_size = in_use ? heapdump_estimate(in_use) : 0,
                                                  .stop = has_jvm_failed,
                                                  .ended = ask_jvm,
                                                  .ctx = source},
                        NULL, e);
    watchdog_call_off(&watchdog);
    heapdump_stream_close(source);
    return r;
}

void dump_whose(const struct jvm *j, struct shipping *s, struct whoami *its)
{
    static const struct facts nothing;
    CLEANUP(whoami_done) struct whoami told = {0};

    if (whoami_of(&j->proc, &told) < 0 || text_eq(told.host, s->who->host) ||
        !(told.machine = strdup(s->who->machine)) ||
        (!told.node && s->who->node && !(told.node = strdup(s->who->node))))
        return;
    *its = told;
    told = (struct whoami){0};
    s->who = its;
    s->facts = &nothing;
}

/* --- small pieces ---------------------------------------------------------------------------------------------------
 */

int dump_begin_case(const struct jvm *j, const struct shipping *s, struct shipping_case *ret)
{
    ret->time_ns = clock_wall_ns();
    return identity_of_stream(s->who->machine, j->proc.pid, j->started_ns, ret->time_ns, ret->id);
}

struct writing {
    int fd;
    struct err *e;
};

static int write_text(void *ctx, const char *text, size_t size)
{
    const struct writing *w = ctx;
    int r = file_write(w->fd, text, size);

    return r < 0 ? err_set(w->e, r, "no room in memory: %s", strerror(-r)) : 0;
}

int answer_to_store(const struct jvm *j, const char *diagnostic, const char *name, uint64_t timeout_ms,
                    struct shipping *s, struct err *e)
{
    struct attach_wait wait = {.timeout_ms = timeout_ms, .stop = is_over};
    CLEANUP_FD int fd = memfd_create(name, MFD_CLOEXEC);
    struct writing w = {fd, e};
    int r;

    if (fd < 0)
        return err_set(e, -errno, "no file in memory: %s", strerror(errno));
    if ((r = attach_stream(j, "jcmd", (const char *[ATTACH_ARGS]){diagnostic}, &wait, write_text, &w, e)) < 0)
        return r;
    describe(j, s);
    return shipping_held(s, fd, -1, name, name, e);
}
