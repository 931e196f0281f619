/* SPDX-License-Identifier: Apache-2.0
 *
 * The way of a heap dump: asked for, watched while it grows, handed on.
 */
#include "cmd/dumping.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
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

static bool is_interrupted(void *ctx)
{
    (void)ctx;
    return interrupt_caught() != 0;
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
        .wait = {.timeout_ms = o->timeout_ms, .stop = is_interrupted},
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
    int r = move(d, to);

    if (r == -EXDEV)
        return copy(d, to);
    /* The JVM's user wrote it; from now on it is the caller's, and nobody else's to read: it holds customers' data. */
    if (r == 0 && (fchown(d->fd, geteuid(), getegid()) < 0 || fchmod(d->fd, 0600) < 0))
        r = -errno;
    return r;
}

int dump_to_file(const struct jvm *j, const struct dump_options *o, const char *path, struct dumped *ret, struct err *e)
{
    CLEANUP(place_done) struct place to = {.folder = -1};
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
    s->jvm = j->version;
    s->command = j->command;
}

/* Where a person, or a watch, finds it. */
static void leave_it(const struct heapdump *d, const char *name, struct err *e)
{
    struct err story = *e;

    if (renameat2(d->folder, d->name, d->folder, name, RENAME_NOREPLACE) == 0)
        err_set(e, 0, "%.600s; the dump is kept as %s beside %.100s, in the JVM's own view", story.msg, name, d->inner);
}

int dump_to_store(const struct jvm *j, const struct dump_options *o, struct shipping *s, struct err *e)
{
    CLEANUP(heapdump_done) struct heapdump d = HEAPDUMP_NONE;
    CLEANUP(dumped_done) struct dumped told = {0};
    char name[HEAPDUMP_NAME_MAX];
    int r = make(j, o, &d, &told, e);

    if (r < 0)
        return r;
    heapdump_name(j, o->gzip > 0, name);
    describe(j, s);
    r = shipping_held(s, d.fd, d.folder, name, d.inner, e);
    if (r < 0)
        leave_it(&d, name, e);
    else if (s->plan->keep)
        leave_it(&d, name, &(struct err){0});
    else
        heapdump_remove(&d);
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
    struct heapdump_stream *source;
    char name[HEAPDUMP_NAME_MAX];
    int fd, r = heapdump_stream_open(j, &rq, &source, &fd, e);

    if (r < 0)
        return r;
    heapdump_name(j, false, name);
    describe(j, s);
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
    heapdump_stream_close(source);
    return r;
}
